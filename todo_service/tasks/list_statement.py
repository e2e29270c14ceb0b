"""How a list's statement is built: the user's row joined to a page of tasks.

The page is read in the order of an index. If the client has seen this state of the
list, only the user's row is read.
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
    bindparam,
    case,
    cast,
    literal_column,
    null,
    select,
    true,
    tuple_,
)

from todo_service.database.counts import COUNTS, of_user
from todo_service.database.retries import repeatable
from todo_service.database.statements import OWNER
from todo_service.database.tables import tasks, users
from todo_service.database.timestamps import rfc3339
from todo_service.tasks.columns import WITH_TRASH, shown
from todo_service.tasks.list_sorts import Sort

POINT: ColumnElement = literal_column("'.'", String)

SEEN = bindparam("seen", type_=ARRAY(String))
PAGE_SIZE = bindparam("page_size", type_=Integer)
SKIPPED = bindparam("skipped", type_=Integer)


def select_list(
    sort: Sort,
    state: Subquery,
    wanted: ColumnElement,
    total: ColumnElement,
    *,
    after: bool,
) -> Select:
    """The tasks of a page, with `total` and `state` in each row.

    One row whose `id` is null if the page is empty, or if `state` is one of `seen`:
    then only the user's row is read. After a cursor `total` is null.
    """
    changed = state.c.state != all_(SEEN)
    page = _page(sort, wanted, changed, _follows(sort) if after else true())
    shown_total = null() if after else case((changed, total))
    key = _as_text(sort, page.c.key).label("key")
    return repeatable(
        select(*shown(page, WITH_TRASH), key, shown_total.label("total"), state.c.state)
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


def user_state() -> Subquery:
    """The user's numbers, 0 for a new user; and as `state` what the list depends on.

    That is the counter and the purge mark, as text.
    """
    counter, mark = (
        cast(of_user(name), String) for name in ("last_change", "purged_through")
    )
    state = counter + POINT + mark
    kept = [of_user(name).label(name) for name in COUNTS]
    return (
        select(state.label("state"), *kept).where(users.c.id == OWNER).subquery("state")
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
