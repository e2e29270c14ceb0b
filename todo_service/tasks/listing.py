"""The list as a statement: filters, sorts and pages are data.

A filter is an entry of `FILTERS` under its parameter's name, a sort one of `SORTS`.
Every sort key stands in an index behind the owner and is never null, so a page is read
in the index's order from wherever it begins.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    DateTime,
    Select,
    String,
    Text,
    and_,
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
from todo_service.tasks.columns import PUBLIC, WITH_TRASH, rfc3339, shown

FILTERS: dict[str, Callable[[Any], ColumnElement]] = {
    "status": {
        "all": true(),
        "pending": not_(tasks.c.completed),
        "completed": tasks.c.completed,
    }.__getitem__,
    "priority": tasks.c.priority.in_,
    "tag": lambda wanted: tasks.c.tags.overlap(cast(wanted, ARRAY(Text))),
    "q": lambda words: or_(
        tasks.c.title.icontains(words, autoescape=True),
        tasks.c.description.icontains(words, autoescape=True),
    ),
    "due_before": lambda moment: tasks.c.due_at < moment,
    "due_after": lambda moment: tasks.c.due_at >= moment,
    "deleted": {
        False: tasks.c.deleted_at.is_(None),
        True: tasks.c.deleted_at.is_not(None),
    }.__getitem__,
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
    by = SORTS[sort]
    state = _state(user_id)
    changed = state.c.state.not_in(seen) if seen else true()
    wanted = and_(tasks.c.user_id == user_id, *_conditions(filters))
    page = (
        select(tasks, by.key.label("key"))
        .where(wanted, changed, _comes_after(by, after))
        .order_by(*_order(by, by.key, tasks.c.id))
        .limit(limit + 1)
        .offset(offset)
        .lateral("page")
    )
    count = select(func.count()).select_from(tasks).where(wanted).scalar_subquery()
    total = case((changed, count)) if after is None else literal(None)
    return (
        select(
            *shown(page, WITH_TRASH if filters["deleted"] else PUBLIC),
            _written(by, page.c.key).label("key"),
            total.label("total"),
            state.c.state,
        )
        .select_from(state.outerjoin(page, true()))
        .order_by(*_order(by, page.c.key, page.c.id))
    )


def _state(user_id: str):
    """What the user's list depends on, as text: the counter and the purge mark."""
    counter, purged = (
        cast(func.coalesce(func.max(column), 0), String)
        for column in (users.c.last_change, users.c.purged_through)
    )
    state = (counter + "." + purged).label("state")
    return select(state).where(users.c.id == user_id).subquery("state")


def _conditions(filters: dict[str, Any]) -> list[ColumnElement]:
    return [FILTERS[name](value) for name, value in filters.items()]


def _order(by: Sort, *columns: ColumnElement) -> list[ColumnElement]:
    return [column.desc() if by.descending else column.asc() for column in columns]


def _comes_after(by: Sort, after: tuple[Any, str] | None) -> ColumnElement:
    """Behind a place in the total order, as one comparison that an index serves."""
    if after is None:
        return true()
    key, task_id = after
    bound = literal(key, by.key.type) if key is not None else by.end
    here = tuple_(by.key, tasks.c.id)
    place = tuple_(bound, literal(task_id, tasks.c.id.type))
    return here < place if by.descending else here > place


def _written(by: Sort, key: ColumnElement) -> ColumnElement:
    return rfc3339(key) if isinstance(by.key.type, DateTime) else key
