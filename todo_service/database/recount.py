"""The numbers of a user's tasks, counted anew after rows were edited by hand.

The user's row keeps them: `pending`, `completed`, `deleted`. Every write moves them.
"""

from sqlalchemy import Connection, func, or_, select, update

from todo_service.database.counts import states
from todo_service.database.statements import OWNER
from todo_service.database.tables import tasks, users


def recount(connection: Connection) -> int:
    """Correct every user's numbers; return how many users had wrong ones.

    Safe while the service runs. A first statement finds the users. Then each is locked,
    and counted by another statement, which sees what was committed before the lock.
    """
    suspects = connection.scalars(SELECT_WRONG_USERS).all()
    connection.commit()
    connection.execution_options(isolation_level="READ COMMITTED")
    corrected = 0
    for owner in suspects:
        with connection.begin():
            connection.execute(LOCK_USER, {"owner": owner})
            corrected += connection.execute(CORRECT_USER, {"owner": owner}).rowcount
    return corrected


_states = states(tasks.c.completed, deleted=tasks.c.deleted_at.is_not(None))
_numbers = [func.count().filter(state).label(name) for name, state in _states.items()]

_all = select(tasks.c.user_id, *_numbers).group_by(tasks.c.user_id).subquery("counted")
SELECT_WRONG_USERS = (
    select(users.c.id)
    .select_from(users.outerjoin(_all, _all.c.user_id == users.c.id))
    .where(or_(*(users.c[n] != func.coalesce(_all.c[n], 0) for n in _states)))
    .order_by(users.c.id)
)

LOCK_USER = (
    select(users.c.id).where(users.c.id == OWNER).with_for_update(key_share=True)
)

# The counter moves too, so that no client keeps a list with the old total.
_own = select(*_numbers).where(tasks.c.user_id == OWNER).subquery("counted")
CORRECT_USER = (
    update(users)
    .values(
        last_change=users.c.last_change + 1, **{name: _own.c[name] for name in _states}
    )
    .where(users.c.id == OWNER, or_(*(users.c[n] != _own.c[n] for n in _states)))
)
