"""The one statement that changes a task: 200, 404 and 412 told apart, nothing lost.

It locks the user, then the task, as every write does. It is built once for each kind of
change, with the parameters `owner`, `task` and, where versions count, `match`.
"""

from collections.abc import Callable
from datetime import timedelta

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    select,
    true,
    union_all,
    update,
)

from todo_service.tables import tasks, users
from todo_service.tasks.columns import shown

OWNER = bindparam("owner", type_=users.c.id.type)
TASK = bindparam("task", type_=tasks.c.id.type)
MATCH = bindparam("match", expanding=True, type_=tasks.c.version.type)
A_MICROSECOND = literal(timedelta(microseconds=1))

# Both halves, always: an id alone never picks out a row.
IS_ONE = and_(tasks.c.user_id == OWNER, tasks.c.id == TASK)
LIVE = tasks.c.deleted_at.is_(None)


def change_one(
    new_values: Callable[[FromClause], dict],
    *,
    matching: bool,
    restoring: bool = False,
) -> Select:
    """One atomic change of a task; where `matching`, if its version is one of `match`.

    No row where there is no such task; else one, with the version `found` before. Its
    `id` is null where that version does not match, and nothing has changed.

    `hit` locks the task and sees its newest version, which a sub-select in a
    re-checked row would not: it decides, and what follows obeys. Its clock is read
    after the wait for the lock, so `updated_at` always moves forward.
    """
    hit = _newest(true() if restoring else LIVE)
    matches = hit.c.version.in_(MATCH) if matching else true()
    change = (
        update(users)
        .values(last_change=users.c.last_change + 1)
        .where(users.c.id == OWNER, users.c.id == hit.c.user_id, matches)
        .returning(users.c.id, users.c.last_change)
    )
    if restoring:
        change = change.where(hit.c.deleted_at.is_not(None))
    counted = change.cte("change")
    done = (
        update(tasks)
        .values(
            **new_values(hit), version=counted.c.last_change, updated_at=hit.c.stamp
        )
        .where(
            IS_ONE, tasks.c.user_id == counted.c.id, tasks.c.user_id == hit.c.user_id
        )
        .returning(tasks)
        .cte("done")
    )
    outcome = done if not restoring else _or_as_it_was(done, hit, matches)
    return select(*shown(outcome), hit.c.version.label("found")).select_from(
        hit.outerjoin(outcome, outcome.c.user_id == hit.c.user_id)
    )


def locked(
    statement: Select, name: str, *, of: FromClause | None = None, delete: bool = False
) -> CTE:
    """Rows in their newest versions, held for a change, or to `delete` them."""
    held = statement.with_for_update(key_share=not delete, of=of)
    return held.cte(name).prefix_with("MATERIALIZED")


def _newest(condition: ColumnElement) -> CTE:
    """The task's newest version and the moment of its change; user first, then task."""
    owner = locked(
        select(users.c.id).where(users.c.id == OWNER, exists().where(IS_ONE)), "owner"
    )
    later = func.greatest(func.clock_timestamp(), tasks.c.updated_at + A_MICROSECOND)
    return locked(
        select(tasks, later.label("stamp"))
        .join_from(owner, tasks, tasks.c.user_id == owner.c.id)
        .where(IS_ONE, condition),
        "hit",
        of=tasks,
    )


def _or_as_it_was(done: CTE, hit: CTE, matches: ColumnElement) -> CTE:
    """What was restored, or the task that needed no restoring."""
    live = select(*(hit.c[column.name] for column in tasks.c)).where(
        hit.c.deleted_at.is_(None), matches
    )
    return union_all(select(done), live).cte("outcome")
