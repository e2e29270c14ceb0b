"""The statements of the list: one for each order, and for its first and later pages."""

from sqlalchemy import (
    Boolean,
    ColumnElement,
    Select,
    Subquery,
    and_,
    bindparam,
    case,
    func,
    not_,
    select,
    true,
)

from todo_service.database.driver import named, prepare
from todo_service.database.tables import tasks
from todo_service.tasks.list_filters import FILTERS
from todo_service.tasks.list_sorts import SORTS, Sort
from todo_service.tasks.list_statement import select_list, user_state
from todo_service.tasks.scope import LIVE, OWNED

# True if the query filters by nothing but what the user's row counts.
ONLY_STATE = bindparam("only_state", type_=Boolean)


def _any_list(sort: Sort, *, after: bool) -> Select:
    """The list with every filter; the planner drops those that are off."""
    state = user_state()
    wanted = and_(OWNED, *(each.condition for each in FILTERS.values()))
    listed = select_list(sort, state, wanted, _total(state, wanted), after=after)
    return named("SELECT_PAGE", listed)


def _usual_list(sort: Sort, status: bool | None, *, after: bool) -> Select:
    """The live tasks, filtered by nothing but this status."""
    state = user_state()
    condition, total = {
        None: (true(), state.c.pending + state.c.completed),
        False: (not_(tasks.c.completed), state.c.pending),
        True: (tasks.c.completed, state.c.completed),
    }[status]
    wanted = and_(OWNED, LIVE, condition)
    listed = select_list(sort, state, wanted, total, after=after)
    return named("SELECT_USUAL_PAGE", prepare(listed, has_limit=True))


def _total(state: Subquery, wanted: ColumnElement) -> ColumnElement:
    """How many tasks match: from the user's row, or counted if filters need that."""
    counted = select(func.count()).select_from(tasks).where(wanted).scalar_subquery()
    status = bindparam("status", type_=Boolean)
    return case(
        (not_(ONLY_STATE), counted),
        (bindparam("deleted", type_=Boolean), state.c.deleted),
        (status.is_(None), state.c.pending + state.c.completed),
        (status, state.c.completed),
        else_=state.c.pending,
    )


# By the sort, and by whether the page follows a cursor.
SELECT_PAGE = {
    (name, after): _any_list(sort, after=after)
    for name, sort in SORTS.items()
    for after in (False, True)
}

# The same for what front ends ask most, by the status too. These are prepared. The
# others are not: each takes memory in every connection, and a plan that is made
# without the values cannot drop a filter that is off.
SELECT_USUAL_PAGE = {
    (status, name, after): _usual_list(SORTS[name], status, after=after)
    for status, name in (
        (None, "-created_at"),
        (False, "-created_at"),
        (True, "-created_at"),
        (None, "-updated_at"),
        (None, "due_at"),
        (False, "due_at"),
    )
    for after in (False, True)
}
