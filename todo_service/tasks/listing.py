"""The list as a statement: filters, sorts and pages are data.

A filter is an entry of `CHOICES` or `FILTERS` under its name, a sort one of `SORTS`.
Every sort key stands in an index behind the owner and is never null, so a page is read
in the index's order from wherever it begins.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Integer,
    Select,
    String,
    Text,
    and_,
    bindparam,
    case,
    cast,
    collate,
    func,
    literal,
    literal_column,
    not_,
    or_,
    select,
    true,
    tuple_,
)

from todo_service.tables import tasks, users
from todo_service.tasks.change import OWNER
from todo_service.tasks.columns import PUBLIC, WITH_TRASH, rfc3339, shown

# Parameters whose few words each stand for a condition of their own.
CHOICES: dict[str, dict[Any, ColumnElement]] = {
    "status": {
        "all": true(),
        "pending": not_(tasks.c.completed),
        "completed": tasks.c.completed,
    },
    "deleted": {
        False: tasks.c.deleted_at.is_(None),
        True: tasks.c.deleted_at.is_not(None),
    },
}

# Conditions on a value, which is the bound parameter of the filter's name.
FILTERS: dict[str, ColumnElement] = {
    "priority": tasks.c.priority.in_(bindparam("priority", expanding=True)),
    "tag": tasks.c.tags.overlap(bindparam("tag", type_=ARRAY(Text))),
    "q": or_(
        tasks.c.title.icontains(bindparam("q"), escape="/"),
        tasks.c.description.icontains(bindparam("q"), escape="/"),
    ),
    "due_before": tasks.c.due_at < bindparam("due_before"),
    "due_after": tasks.c.due_at >= bindparam("due_after"),
}


@dataclass(frozen=True)
class Sort:
    """What a list is ordered by, before the id; `end` stands where there is nothing."""

    key: ColumnElement
    descending: bool
    end: ColumnElement | None = None


def _both_ways(name: str, key: ColumnElement) -> dict[str, Sort]:
    return {name: Sort(key, False), f"-{name}": Sort(key, True)}


def _undated_last(name: str, descending: bool) -> dict[str, Sort]:
    infinity = "-infinity" if descending else "infinity"
    end: ColumnElement = literal_column(f"'{infinity}'::timestamptz")
    key = func.coalesce(tasks.c.due_at, end)
    return {name: Sort(key, descending, end)}


RANK = case(
    {"low": literal_column("1"), "medium": literal_column("2")},
    value=tasks.c.priority,
    else_=literal_column("3"),
)
SORTS = (
    _both_ways("created_at", tasks.c.created_at)
    | _both_ways("updated_at", tasks.c.updated_at)
    | _undated_last("due_at", descending=False)
    | _undated_last("-due_at", descending=True)
    | _both_ways("priority", RANK)
    | _both_ways("title", func.lower(collate(tasks.c.title, "C"), type_=Text))
)


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
