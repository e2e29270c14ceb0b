"""In which order a list shows tasks: each order is an entry.

No key is ever null, so that a page can begin anywhere in the order.
"""

from dataclasses import dataclass

from marshmallow import fields as plain
from marshmallow import validate
from sqlalchemy import ColumnElement, Text, case, collate, func, literal_column

from todo_service.database.tables import tasks
from todo_service.tasks.schemas import PRIORITIES
from todo_service.web import fields


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
    **_both_ways("position", tasks.c.position, fields.Text()),
}
