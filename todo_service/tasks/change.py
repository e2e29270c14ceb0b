"""The one statement that changes a task: 200, 404 and 412 told apart, nothing lost.

It locks the user, then the task, as every write does.
"""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    and_,
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

A_MICROSECOND = literal(timedelta(microseconds=1))
LIVE = tasks.c.deleted_at.is_(None)


def change_one(
    user_id: str,
    task_id: UUID,
    new_values: Callable[[FromClause], dict],
    match: list[int] | None,
    *,
    restoring: bool = False,
) -> Select:
    """One atomic change of a task, if its version is one of `match`.

    No row where there is no such task; else one, with the version `found` before. Its
    `id` is null where that version does not match, and nothing has changed.

    `hit` locks the task and sees its newest version, which a sub-select in a
    re-checked row would not: it decides, and what follows obeys. Its clock is read
    after the wait for the lock, so `updated_at` always moves forward.
    """
    hit = _locked(user_id, task_id, true() if restoring else LIVE)
    matching = true() if match is None else hit.c.version.in_(match)
    change = (
        update(users)
        .values(last_change=users.c.last_change + 1)
        .where(users.c.id == user_id, users.c.id == hit.c.user_id, matching)
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
            is_one(user_id, task_id),
            tasks.c.user_id == counted.c.id,
            tasks.c.user_id == hit.c.user_id,
        )
        .returning(tasks)
        .cte("done")
    )
    outcome = done if not restoring else _or_as_it_was(done, hit, matching)
    return select(*shown(outcome), hit.c.version.label("found")).select_from(
        hit.outerjoin(outcome, outcome.c.user_id == hit.c.user_id)
    )


def _locked(user_id: str, task_id: UUID, condition: ColumnElement):
    """The task's newest version and the moment of its change; user first, then task."""
    there = exists().where(is_one(user_id, task_id))
    owner = _materialized(
        select(users.c.id)
        .where(users.c.id == user_id, there)
        .with_for_update(key_share=True),
        "owner",
    )
    later = func.greatest(func.clock_timestamp(), tasks.c.updated_at + A_MICROSECOND)
    return _materialized(
        select(tasks, later.label("stamp"))
        .join_from(owner, tasks, tasks.c.user_id == owner.c.id)
        .where(is_one(user_id, task_id), condition)
        .with_for_update(key_share=True, of=tasks),
        "hit",
    )


def _or_as_it_was(done: CTE, hit: CTE, matching: ColumnElement) -> CTE:
    """What was restored, or the task that needed no restoring."""
    live = select(*(hit.c[column.name] for column in tasks.c)).where(
        hit.c.deleted_at.is_(None), matching
    )
    return union_all(select(done), live).cte("outcome")


def is_one(user_id: str, task_id: UUID):
    """Both halves, always: an id alone never picks out a row."""
    return and_(tasks.c.user_id == user_id, tasks.c.id == task_id)


def _materialized(statement: Select, name: str):
    return statement.cte(name).prefix_with("MATERIALIZED")
