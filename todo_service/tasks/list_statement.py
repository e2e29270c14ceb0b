"""The statements of the list: one for each order, and for its first and later pages.

The page is read in the order of an index. If the client has seen this state of the
list, neither the page nor the count is read.
"""

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    DateTime,
    FromClause,
    Integer,
    Select,
    String,
    Subquery,
    all_,
    and_,
    bindparam,
    case,
    cast,
    func,
    not_,
    null,
    select,
    true,
    tuple_,
)

from todo_service.database.statements import OWNER
from todo_service.database.tables import tasks, users
from todo_service.tasks.columns import WITH_TRASH, rfc3339, shown
from todo_service.tasks.counts import COUNTS
from todo_service.tasks.list_filters import FILTERS
from todo_service.tasks.list_sorts import SORTS, Sort
from todo_service.tasks.scope import OWNED

SEEN = bindparam("seen", type_=ARRAY(String))
# True if the query filters by nothing but what the user's row counts.
ONLY_STATE = bindparam("only_state", type_=Boolean)
PAGE_SIZE = bindparam("page_size", type_=Integer)
SKIPPED = bindparam("skipped", type_=Integer)


def _list(sort: Sort, *, after: bool) -> Select:
    """The tasks of a page, with `total` and `state` in each row.

    One row whose `id` is null if the page is empty, or if `state` is one of `seen`:
    then only the user's row is read. After a cursor `total` is null.
    """
    state = _state()
    changed = state.c.state != all_(SEEN)
    wanted = and_(OWNED, *(each.condition for each in FILTERS.values()))
    page = _page(sort, wanted, changed, _follows(sort) if after else true())
    total = null() if after else case((changed, _total(state, wanted)))
    key = _as_text(sort, page.c.key).label("key")
    return (
        select(*shown(page, WITH_TRASH), key, total.label("total"), state.c.state)
        .select_from(state.outerjoin(page, true()))
        .order_by(*_order(sort, page.c.key, page.c.id))
    )


def _page(sort: Sort, *conditions: ColumnElement) -> FromClause:
    """The rows of the page, with the `key` that they are sorted by."""
    return (
        select(tasks, sort.key.label("key"))
        .where(*conditions)
        .order_by(*_order(sort, sort.key, tasks.c.id))
        .limit(PAGE_SIZE)
        .offset(SKIPPED)
        .lateral("page")
    )


def _state() -> Subquery:
    """The user's numbers, 0 for a new user; and as `state` what the list depends on.

    That is the counter and the purge mark, as text.
    """
    number = {
        name: func.coalesce(func.max(users.c[name]), 0)
        for name in ("last_change", "purged_through", *COUNTS)
    }
    counter, mark = (cast(number[n], String) for n in ("last_change", "purged_through"))
    state = counter + "." + mark
    kept = [number[name].label(name) for name in COUNTS]
    return (
        select(state.label("state"), *kept).where(users.c.id == OWNER).subquery("state")
    )


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


def _order(sort: Sort, *columns: ColumnElement) -> list[ColumnElement]:
    return [column.desc() if sort.descending else column.asc() for column in columns]


def _follows(sort: Sort) -> ColumnElement:
    """Behind a place in the total order, as one comparison that an index serves."""
    place_key = bindparam("place_key", type_=sort.key.type)
    here = tuple_(sort.key, tasks.c.id)
    place = tuple_(place_key, bindparam("place_id", type_=tasks.c.id.type))
    return here < place if sort.descending else here > place


def _as_text(sort: Sort, key: ColumnElement) -> ColumnElement:
    """The key as a cursor carries it."""
    return rfc3339(key) if isinstance(sort.key.type, DateTime) else key


# By the sort, and by whether the page follows a cursor.
SELECT_PAGE = {
    (name, after): _list(sort, after=after)
    for name, sort in SORTS.items()
    for after in (False, True)
}
