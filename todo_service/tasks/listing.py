"""The list as a statement: one for each shape of query, built once.

The page is read in its index's order; neither it nor the count is looked at where the
client has seen this state of the list.
"""

import re
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal,
    select,
    true,
    tuple_,
)

from todo_service.tables import tasks, users
from todo_service.tasks.change import OWNER
from todo_service.tasks.columns import PUBLIC, WITH_TRASH, rfc3339, shown
from todo_service.tasks.criteria import CHOICES, FILTERS, SORTS, Sort


def select_tasks(
    user_id: str,
    *,
    filters: dict[str, Any],
    sort: str,
    limit: int,
    offset: int | None,
    after: tuple[Any, str] | None,
    seen: list[str],
) -> Select:
    """A page, one row more if there is more; each row with `total` and `state`.

    `after` is the key and the id of the last task of the page before, and makes
    `total` null. One row whose `id` is null where the page is empty, or where the
    state is one that was `seen`: then the user's row is all that was looked at.
    """
    chosen = {name: filters[name] for name in CHOICES}
    given = {name: filters[name] for name in FILTERS if name in filters}
    key, task_id = after or (None, None)
    statement = _select_tasks(
        tuple(chosen.items()),
        tuple(given),
        sort,
        after and ("end" if key is None else "key"),
        bool(seen),
    )
    if "q" in given:
        given["q"] = re.sub("([/%_])", r"/\1", given["q"])
    places = {"place_key": key, "place_id": task_id} if after else {}
    known = {"seen": seen} if seen else {}
    return statement.params(
        owner=user_id, rows=limit + 1, skipped=offset, **given, **places, **known
    )


@lru_cache(maxsize=256)
def _select_tasks(
    chosen: tuple[tuple[str, Any], ...],
    given: tuple[str, ...],
    sort: str,
    after: str | None,
    seen: bool,
) -> Select:
    """The statement for one shape of query; its parameters say the rest."""
    by = SORTS[sort]
    state = _state()
    unseen = state.c.state.not_in(bindparam("seen", expanding=True))
    changed = unseen if seen else true()
    wanted = and_(
        tasks.c.user_id == OWNER,
        *(CHOICES[name][word] for name, word in chosen),
        *(FILTERS[name] for name in given),
    )
    page = (
        select(tasks, by.key.label("key"))
        .where(wanted, changed, _comes_after(by, after))
        .order_by(*_order(by, by.key, tasks.c.id))
        .limit(bindparam("rows", type_=Integer))
        .offset(bindparam("skipped", type_=Integer))
        .lateral("page")
    )
    count = select(func.count()).select_from(tasks).where(wanted).scalar_subquery()
    total = case((changed, count)) if after is None else literal(None)
    return (
        select(
            *shown(page, WITH_TRASH if dict(chosen)["deleted"] else PUBLIC),
            _written(by, page.c.key).label("key"),
            total.label("total"),
            state.c.state,
        )
        .select_from(state.outerjoin(page, true()))
        .order_by(*_order(by, page.c.key, page.c.id))
    )


def _state():
    """What the user's list depends on, as text: the counter and the purge mark."""
    counter, purged = (
        cast(func.coalesce(func.max(column), 0), String)
        for column in (users.c.last_change, users.c.purged_through)
    )
    state = (counter + "." + purged).label("state")
    return select(state).where(users.c.id == OWNER).subquery("state")


def _order(by: Sort, *columns: ColumnElement) -> list[ColumnElement]:
    return [column.desc() if by.descending else column.asc() for column in columns]


def _comes_after(by: Sort, after: str | None) -> ColumnElement:
    """Behind a place in the total order, as one comparison that an index serves."""
    if after is None:
        return true()
    place_key = by.end if after == "end" else bindparam("place_key", type_=by.key.type)
    here = tuple_(by.key, tasks.c.id)
    place = tuple_(place_key, bindparam("place_id", type_=tasks.c.id.type))
    return here < place if by.descending else here > place


def _written(by: Sort, key: ColumnElement) -> ColumnElement:
    return rfc3339(key) if isinstance(by.key.type, DateTime) else key
