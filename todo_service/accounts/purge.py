"""What the purge removes of accounts: rows that mean nothing any more."""

from sqlalchemy import (
    Connection,
    Integer,
    Text,
    bindparam,
    delete,
    func,
    select,
)

from todo_service.accounts.deletion import remove_tasks
from todo_service.database.batches import batches
from todo_service.database.statements import ZERO
from todo_service.database.tables import revoked_tokens, users

BATCH_SIZE = 5000


def purge_tokens(connection: Connection) -> int:
    """Forget revoked tokens that have expired since; return how many."""
    parameters = {"batch_size": BATCH_SIZE}
    return sum(
        batches(
            BATCH_SIZE,
            lambda: connection.execute(DELETE_EXPIRED, parameters).scalar_one(),
        )
    )


def purge_gone(connection: Connection) -> int:
    """Remove what interrupted deletions of accounts left behind; return how many tasks.

    Safe while the service runs.
    """
    removed, user_id = 0, ""
    while user_id := connection.scalar(NEXT_GONE, {"previous": user_id}):
        removed += remove_tasks(lambda *sent: connection.execute(*sent).one(), user_id)
    return removed


_expired = (
    select(revoked_tokens.c.jti)
    .where(revoked_tokens.c.expires_at < func.now())
    .limit(bindparam("batch_size", type_=Integer))
)
_removed = (
    delete(revoked_tokens)
    .where(revoked_tokens.c.jti.in_(_expired))
    .returning(revoked_tokens.c.jti)
    .cte("removed")
)
DELETE_EXPIRED = select(func.count()).select_from(_removed)

# The first user after `previous` who is gone and still has tasks.
NEXT_GONE = select(func.min(users.c.id)).where(
    users.c.id > bindparam("previous", type_=Text),
    users.c.gone_at.is_not(None),
    users.c.pending + users.c.completed + users.c.deleted > ZERO,
)
