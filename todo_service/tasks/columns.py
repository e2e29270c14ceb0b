"""What clients see of a task, in the order in which rows and answers have it.

`docs/contract.md` describes the fields.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, DateTime, FromClause

from todo_service.database.tables import tasks
from todo_service.database.timestamps import rfc3339

PUBLIC = (
    "id",
    "user_id",
    "title",
    "description",
    "completed",
    "priority",
    "due_at",
    "position",
    "tags",
    "version",
    "completed_at",
    "created_at",
    "updated_at",
)
# In the trash, in sync and in a replay, where a task may be a deleted one.
WITH_TRASH = (*PUBLIC, "deleted_at")


def shown(source: FromClause, names: tuple[str, ...] = PUBLIC) -> list[ColumnElement]:
    """The columns of a task, timestamps as answers write them."""
    return [
        rfc3339(source.c[name]).label(name)
        if isinstance(tasks.c[name].type, DateTime)
        else source.c[name]
        for name in names
    ]


def as_json(row: Sequence[Any], names: tuple[str, ...] = PUBLIC) -> dict[str, Any]:
    """The task in a row that begins with these columns.

    A live task has no `deleted_at`.
    """
    task = dict(zip(names, row, strict=False))
    if task.get("deleted_at", "") is None:
        del task["deleted_at"]
    return task
