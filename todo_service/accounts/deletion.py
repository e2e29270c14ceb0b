"""Ends an account and its user, and removes the user's tasks.

First one statement marks the user as gone and deletes the account. Once it has ended,
no create succeeds and no token is good. Then the tasks go, in statements of their own:
they see what was created while the first one waited for the user's row. Each takes a
batch, so that none comes near the deadline of a statement. If the process stops in
between, `flask purge` removes the rest.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Executable,
    Integer,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)

from todo_service.accounts.queries import GENERATION, OWNED
from todo_service.database.batches import batches
from todo_service.database.counts import states
from todo_service.database.driver import named
from todo_service.database.statements import ONE, OWNER, locked
from todo_service.database.tables import accounts, tasks, users

BATCH_SIZE = 5000

Run = Callable[[Executable, dict[str, Any]], Any]


def remove_tasks(run: Run, user_id: str) -> int:
    """Remove all tasks of a user who is gone; return how many.

    `run` executes a statement and returns its one row.
    """
    parameters = {"owner": user_id, "batch_size": BATCH_SIZE}
    return sum(
        batches(BATCH_SIZE, lambda: run(DELETE_REMAINING_TASKS, parameters).removed)
    )


# The user's row is locked first, as every write does. The stamp is taken here, because
# a distributed PostgreSQL refuses it in an UPDATE.
_owner = locked(
    select(users.c.id, func.clock_timestamp().label("stamp")).where(
        users.c.id == OWNER
    ),
    "owner",
)
_closed = (
    delete(accounts)
    .where(
        OWNED,
        accounts.c.user_id == _owner.c.id,
        accounts.c.token_generation == GENERATION,
    )
    .returning(accounts.c.user_id)
    .cte("closed")
)
# No row, and nothing has happened, if the account has a new password meanwhile.
CLOSE_ACCOUNT = named(
    "CLOSE_ACCOUNT",
    update(users)
    .values(gone_at=_owner.c.stamp)
    .where(
        users.c.id == OWNER,
        users.c.id == _owner.c.id,
        users.c.id == _closed.c.user_id,
    )
    .returning(users.c.id),
)

_user = locked(select(users).where(users.c.id == OWNER), "owner")
_doomed = locked(
    select(tasks.c.user_id, tasks.c.id, tasks.c.completed, tasks.c.deleted_at)
    .join_from(_user, tasks, tasks.c.user_id == _user.c.id)
    .where(tasks.c.user_id == OWNER, _user.c.gone_at.is_not(None))
    .limit(bindparam("batch_size", type_=Integer)),
    "doomed",
    of=[tasks],
    delete=True,
)
_removed = (
    delete(tasks)
    .where(
        tasks.c.user_id == OWNER,
        tasks.c.user_id == _doomed.c.user_id,
        tasks.c.id == _doomed.c.id,
    )
    .returning(_doomed.c.completed, _doomed.c.deleted_at)
    .cte("removed")
)
_states = states(_removed.c.completed, deleted=_removed.c.deleted_at.is_not(None))


def _left(name: str, state: ColumnElement[bool]) -> ColumnElement[int]:
    """A number of the user's tasks, less those that this batch removes."""
    fewer = select(func.count().filter(state)).select_from(_removed)
    return _user.c[name] - fewer.scalar_subquery()


# The counter and the purge mark move too: what clients hold of the list is old.
_counted = (
    update(users)
    .values(
        last_change=_user.c.last_change + ONE,
        purged_through=_user.c.last_change + ONE,
        **{name: _left(name, state) for name, state in _states.items()},
    )
    .where(users.c.id == OWNER, users.c.id == _user.c.id, exists(select(_removed)))
    .returning(users.c.id)
    .cte("counted")
)
DELETE_REMAINING_TASKS = named(
    "DELETE_REMAINING_TASKS",
    select(func.count().label("removed")).select_from(_removed).add_cte(_counted),
)
