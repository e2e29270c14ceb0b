"""Which tasks a list shows, in which order: filters and sorts as data.

A filter is an entry of `CHOICES` or `FILTERS` under its name, a sort one of `SORTS`.
Every sort key stands in an index behind the owner and is never null, so a page is read
in the index's order from wherever it begins.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    bindparam,
    case,
    collate,
    func,
    literal_column,
    not_,
    or_,
    true,
)

from todo_service.tables import tasks

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
