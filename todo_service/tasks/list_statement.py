"""The statements of the list: one for each order, and for its first and later pages.

The page is read in the order of an index. If the client has seen this state of the
list, neither the page nor the count is read.
"""

from sqlalchemy import (
    ARRAY,
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
    null,
    select,
    true,
    tuple_,
)

from todo_service.database.statements import OWNER
from todo_service.database.tables import tasks, users
from todo_service.tasks.columns import WITH_TRASH, rfc3339, shown
from todo_service.tasks.list_filters import FILTERS
from todo_service.tasks.list_sorts import SORTS, Sort
from todo_service.tasks.scope import OWNED

SEEN = bindparam("seen", type_=ARRAY(String))
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
    count = select(func.count()).select_from(tasks).where(wanted).scalar_subquery()
    total = null() if after else case((changed, count))
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
    """What the user's list depends on, as text: the counter and the purge mark."""
    counter, purged = (
        cast(func.coalesce(func.max(column), 0), String)
        for column in (users.c.last_change, users.c.purged_through)
    )
    state = (counter + "." + purged).label("state")
    return select(state).where(users.c.id == OWNER).subquery("state")


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
