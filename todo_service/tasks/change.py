"""The statement that changes one task and tells 200, 404 and 412 apart.

It locks the user, then the task, as every write does. `hit` reads the newest version of
the locked task; a sub-select would read the one from before the wait for the lock. The
later CTEs act only on the row of `hit`. `docs/design.md` says why it is not simpler.

Its parameters are `owner`, `task`, `any_version` and `match`.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    Boolean,
    ColumnElement,
    FromClause,
    Select,
    and_,
    any_,
    bindparam,
    or_,
    select,
    true,
    union_all,
    update,
)

from todo_service.database.counts import COUNTS
from todo_service.database.driver import prepare
from todo_service.database.statements import ONE, OWNER
from todo_service.database.tables import tasks, users
from todo_service.tasks.columns import shown
from todo_service.tasks.counting import differences, lock, newest
from todo_service.tasks.scope import IS_ONE, LIVE

ANY_VERSION = bindparam("any_version", type_=Boolean)
MATCH = bindparam("match", type_=ARRAY(tasks.c.version.type))


def change_one(
    new_values: Callable[[FromClause], dict[str, Any]], *, restoring: bool = False
) -> Select:
    """One atomic change of a task, if its version is any, or one of `match`.

    No row if there is no such task; else one row, with the version `found` before the
    change. Its `id` is null if that version does not match: then nothing has changed.
    """
    hit = lock(newest(IS_ONE if restoring else and_(IS_ONE, LIVE)))
    matches = or_(ANY_VERSION, hit.c.version == any_(MATCH))
    values = new_values(hit)
    change = _counted(values, hit, matches, restoring=restoring)
    done = _written(values, hit, change)
    outcome = done if not restoring else _or_as_it_was(done, hit, matches)
    found = select(*shown(outcome), hit.c.version.label("found"))
    return prepare(
        found.select_from(hit.outerjoin(outcome, outcome.c.user_id == hit.c.user_id))
    )


def _counted(
    values: dict[str, Any], hit: CTE, matches: ColumnElement, *, restoring: bool
) -> CTE:
    """The user's counter and numbers, moved on from those in `hit`.

    Not from those in `users`: the statement first sees that row as it was before the
    wait for the lock. PostgreSQL checks CHECKs against it too, before it looks again.
    """
    moved = differences(values, hit, restoring=restoring)
    counted = {name: hit.c[f"user_{name}"] + moved[name] for name in COUNTS}
    needed = hit.c.deleted_at.is_not(None) if restoring else true()
    return (
        update(users)
        .values(last_change=hit.c.user_last_change + ONE, **counted)
        .where(users.c.id == OWNER, users.c.id == hit.c.user_id, matches, needed)
        .returning(users.c.id, users.c.last_change)
        .cte("change")
    )


def _written(values: dict[str, Any], hit: CTE, change: CTE) -> CTE:
    """The task after the change. Its version is the counter that `change` moved."""
    return (
        update(tasks)
        .values(**values, version=change.c.last_change, updated_at=hit.c.stamp)
        .where(IS_ONE, tasks.c.user_id == change.c.id, tasks.c.user_id == hit.c.user_id)
        .returning(tasks)
        .cte("done")
    )


def _or_as_it_was(done: CTE, hit: CTE, matches: ColumnElement) -> CTE:
    """What was restored, or a task that was live already."""
    live = select(*(hit.c[column.name] for column in tasks.c)).where(
        hit.c.deleted_at.is_(None), matches
    )
    return union_all(select(done), live).cte("outcome")
