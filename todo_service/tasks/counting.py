"""How a write moves the user's counter, and the numbers of tasks in each state.

It also locks what it changes: the user, then the tasks, as every write does.
"""

from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Select,
    false,
    func,
    literal_column,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from todo_service.database.counts import COUNTS, counts
from todo_service.database.statements import OWNER, locked
from todo_service.database.tables import tasks, users

NUMBERS = ("last_change", *COUNTS)
A_MICROSECOND: ColumnElement = literal_column("interval '1 microsecond'")


def count_created(
    size: ColumnElement[int], added: dict[str, ColumnElement[int]]
) -> CTE:
    """The counter after new tasks, so many, which add so much to the numbers.

    The first task also records the user. A user who is gone gets no row.
    """
    first = upsert(users).values(id=OWNER, last_change=size, **added)
    return (
        first.on_conflict_do_update(
            index_elements=[users.c.id],
            set_={name: users.c[name] + first.excluded[name] for name in NUMBERS},
            where=users.c.gone_at.is_(None),
        )
        .returning(users.c.last_change)
        .cte("change")
    )


def newest(condition: ColumnElement) -> Select:
    """The user and those of the user's tasks that the condition names, to be locked.

    `stamp` is the moment of the change. It moves `updated_at` forward in any case. The
    user's numbers are `user_last_change`, and so on.
    """
    later = func.greatest(func.clock_timestamp(), tasks.c.updated_at + A_MICROSECOND)
    numbers = [users.c[name].label(f"user_{name}") for name in NUMBERS]
    return (
        select(tasks, later.label("stamp"), *numbers)
        .join_from(users, tasks, tasks.c.user_id == users.c.id)
        .where(users.c.id == OWNER, condition)
    )


def lock(statement: Select) -> CTE:
    """These rows of `newest` as they are now. The user is locked before the tasks."""
    return locked(statement, "hit", of=[users, tasks])


def differences(
    values: dict[str, Any], hit: FromClause, *, restoring: bool
) -> dict[str, ColumnElement[int]]:
    """By how much a change of a task to these values moves each number."""
    deleting = "deleted_at" in values and not restoring
    completed = values.get("completed", hit.c.completed)
    before = counts(hit.c.completed, deleted=true() if restoring else false())
    after = counts(completed, deleted=true() if deleting else false())
    return {name: after[name] - before[name] for name in COUNTS}
