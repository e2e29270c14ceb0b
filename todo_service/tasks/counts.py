"""The numbers of a user's tasks in each state, which the user's row keeps.

Every write holds that row anyway, and moves the numbers in the same statement.
`flask db recount` sets them right after rows were edited by hand.
"""

from sqlalchemy import ColumnElement, Integer, and_, cast, not_

COUNTS = ("pending", "completed", "deleted")


def counts(
    completed: ColumnElement[bool], *, deleted: ColumnElement[bool]
) -> dict[str, ColumnElement[int]]:
    """What a task in this state adds to each number: 1 to one of them, 0 to others."""
    states = {
        "pending": and_(not_(deleted), not_(completed)),
        "completed": and_(not_(deleted), completed),
        "deleted": deleted,
    }
    return {name: cast(state, Integer) for name, state in states.items()}
