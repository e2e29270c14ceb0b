"""Which tasks a list shows, in which order: choices, filters and sorts as data.

An entry says how a query writes the criterion, and what it means in a statement. No
sort key is ever null, so that a page can begin anywhere in the order.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import fields as plain
from marshmallow import validate
from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Text,
    any_,
    bindparam,
    case,
    collate,
    func,
    literal_column,
    not_,
    or_,
    true,
)

from todo_service.database.tables import tasks
from todo_service.tasks.schemas import PRIORITIES
from todo_service.tasks.scope import DELETED, LIVE
from todo_service.web import fields

REPEATED_AT_MOST = 20
SEARCH_LENGTH = 200

# Parameters with a few words, each of which is a condition. The first is the default.
CHOICES: dict[str, dict[str, ColumnElement]] = {
    "status": {
        "all": true(),
        "pending": not_(tasks.c.completed),
        "completed": tasks.c.completed,
    },
    "deleted": {"false": LIVE, "true": DELETED},
}


@dataclass(frozen=True)
class Filter:
    """A condition on a value, which is the bound parameter of the filter's name."""

    field: plain.Field
    condition: ColumnElement


class _Search(fields.Text):
    """Text to look for, as a pattern in which `/` escapes; None if it is blank."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping | None, **kwargs: Any
    ) -> Any:
        text = super()._deserialize(value, attr, data, **kwargs)
        blank = not text.strip(fields.WHITE_SPACE)
        return None if blank else re.sub("([/%_])", r"/\1", text)


def _any_of(item: plain.Field) -> plain.List:
    """A parameter that may be repeated."""
    return plain.List(item, validate=validate.Length(max=REPEATED_AT_MOST))


FILTERS: dict[str, Filter] = {
    "priority": Filter(
        _any_of(fields.Text(validate=validate.OneOf(PRIORITIES))),
        tasks.c.priority == any_(bindparam("priority", type_=ARRAY(Text))),
    ),
    "tag": Filter(
        _any_of(fields.Text()),
        tasks.c.tags.overlap(bindparam("tag", type_=ARRAY(Text))),
    ),
    "q": Filter(
        _Search(),
        or_(
            tasks.c.title.icontains(bindparam("q"), escape="/"),
            tasks.c.description.icontains(bindparam("q"), escape="/"),
        ),
    ),
    "due_before": Filter(fields.Timestamp(), tasks.c.due_at < bindparam("due_before")),
    "due_after": Filter(fields.Timestamp(), tasks.c.due_at >= bindparam("due_after")),
}


@dataclass(frozen=True)
class Sort:
    """An order: by this key, then by id, both ascending or both descending.

    `place` reads the key of the task at which a page ended. `end` is the key of a task
    that has nothing to be sorted by.
    """

    key: ColumnElement
    place: plain.Field
    descending: bool
    end: str | None = None


def _both_ways(name: str, key: ColumnElement, place: plain.Field) -> dict[str, Sort]:
    return {name: Sort(key, place, False), f"-{name}": Sort(key, place, True)}


def _undated_last(name: str, descending: bool) -> dict[str, Sort]:
    end = "-infinity" if descending else "infinity"
    key = func.coalesce(tasks.c.due_at, literal_column(f"'{end}'::timestamptz"))
    place = fields.Timestamp(allow_none=True)
    return {name: Sort(key, place, descending, end)}


# The place of a task's priority in their order, from 1 on, as its index has it.
RANK = case(
    {
        priority: literal_column(str(rank))
        for rank, priority in enumerate(PRIORITIES[:-1], start=1)
    },
    value=tasks.c.priority,
    else_=literal_column(str(len(PRIORITIES))),
)
SORTS: dict[str, Sort] = {
    **_both_ways("created_at", tasks.c.created_at, fields.Timestamp()),
    **_both_ways("updated_at", tasks.c.updated_at, fields.Timestamp()),
    **_undated_last("due_at", descending=False),
    **_undated_last("-due_at", descending=True),
    **_both_ways(
        "priority",
        RANK,
        plain.Integer(strict=True, validate=validate.Range(1, len(PRIORITIES))),
    ),
    **_both_ways(
        "title", func.lower(collate(tasks.c.title, "C"), type_=Text), fields.Text()
    ),
}
