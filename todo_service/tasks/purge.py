"""Removes old tasks from the trash for good."""

import sys
from collections.abc import Iterator

import click
from sqlalchemy import (
    Connection,
    Integer,
    bindparam,
    delete,
    exists,
    func,
    select,
    update,
)

from todo_service.database.batches import batches
from todo_service.database.statements import OWNER, locked
from todo_service.database.tables import tasks, users
from todo_service.tasks.scope import OWNED

BATCH_SIZE = 500


def purge(connection: Connection, days: int) -> int:
    """Remove what has been in the trash for more than these days; return how many.

    Safe while the service runs: a batch locks its user, then its tasks, as every
    write does.
    """
    removed, owner = 0, ""
    while owner := connection.scalar(NEXT_OWNER, {"previous": owner, "days": days}):
        for batch in _purge_user(connection, owner, days):
            removed += batch
            if sys.stderr.isatty():
                click.echo(f"\r{removed} removed", nl=False, err=True)
    return removed


def _purge_user(connection: Connection, owner: str, days: int) -> Iterator[int]:
    parameters = {"owner": owner, "days": days, "batch_size": BATCH_SIZE}
    return batches(
        BATCH_SIZE, lambda: connection.execute(DELETE_BATCH, parameters).scalar_one()
    )


_age = func.make_interval(0, 0, 0, bindparam("days", type_=Integer))
_old = tasks.c.deleted_at < func.now() - _age

# The first user after `previous` with something to purge; null if there is none.
NEXT_OWNER = select(func.min(tasks.c.user_id)).where(
    tasks.c.user_id > bindparam("previous"), _old
)

_owner = locked(select(users).where(users.c.id == OWNER), "owner")
_purgeable = locked(
    select(tasks.c.user_id, tasks.c.id, tasks.c.version)
    .join_from(_owner, tasks, tasks.c.user_id == _owner.c.id)
    .where(OWNED, _old)
    .limit(bindparam("batch_size", type_=Integer)),
    "purgeable",
    of=[tasks],
    delete=True,
)
_removed = (
    delete(tasks)
    .where(
        OWNED,
        tasks.c.user_id == _purgeable.c.user_id,
        tasks.c.id == _purgeable.c.id,
    )
    .returning(_purgeable.c.version)
    .cte("removed")
)
_number = select(func.count()).select_from(_removed).scalar_subquery()
_highest = select(func.max(_removed.c.version)).scalar_subquery()
_marked = (
    update(users)
    .values(
        purged_through=func.greatest(_owner.c.purged_through, _highest),
        deleted=_owner.c.deleted - _number,
    )
    .where(users.c.id == OWNER, users.c.id == _owner.c.id, exists(select(_removed)))
    .returning(users.c.id)
    .cte("marked")
)

# Removes a batch of a user's old trash and raises the purge mark; returns how many.
DELETE_BATCH = select(func.count()).select_from(_removed).add_cte(_marked)
