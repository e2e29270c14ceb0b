"""The numbers of a user's tasks in each state, which the user's row keeps.

Every write holds that row anyway, and moves the numbers in the same statement.
`flask db recount` sets them right after rows were edited by hand.
"""

from sqlalchemy import ColumnElement, Integer, and_, cast, func, not_

from todo_service.database.statements import ZERO
from todo_service.database.tables import users

COUNTS = ("pending", "completed", "deleted")


def states(
    completed: ColumnElement[bool], *, deleted: ColumnElement[bool]
) -> dict[str, ColumnElement[bool]]:
    """For each number, whether it counts a task in this state. One of them does."""
    return {
        "pending": and_(not_(deleted), not_(completed)),
        "completed": and_(not_(deleted), completed),
        "deleted": deleted,
    }


def counts(
    completed: ColumnElement[bool], *, deleted: ColumnElement[bool]
) -> dict[str, ColumnElement[int]]:
    """What a task in this state adds to each number: 1 to one of them, 0 to others."""
    found = states(completed, deleted=deleted)
    return {name: cast(state, Integer) for name, state in found.items()}


def of_user(name: str) -> ColumnElement[int]:
    """A number in the user's row; 0 for a user who has no row yet."""
    return func.coalesce(func.max(users.c[name]), ZERO)
