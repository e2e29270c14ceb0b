"""What a task's columns become when it is created or changed.

The fields of a body come as `new_title`, and so on. In a change, `sets_title` says
whether the body has the field. Both are parameters of a statement about one task, and
columns of the items of a statement about many.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, case, func, null
from sqlalchemy.types import TypeEngine

from todo_service.database.statements import OWNER
from todo_service.database.tables import tasks
from todo_service.tasks.schemas import WRITABLE

# Finds what was said under a name, which is of this type.
Said = Callable[[str, TypeEngine], ColumnElement]


def new(name: str, said: Said) -> ColumnElement:
    """The value of a field that the body has."""
    return said(f"new_{name}", tasks.c[name].type)


def created(said: Said, version: ColumnElement) -> dict[str, Any]:
    """The columns of a new task, but for its id."""
    return {
        "user_id": OWNER,
        **{name: new(name, said) for name in WRITABLE},
        "completed_at": case((new("completed", said), func.now())),
        "created_at": func.now(),
        "updated_at": func.now(),
        "version": version,
    }


def changed(hit: FromClause, said: Said) -> dict[str, Any]:
    """The fields that the body has; the others stay as they are."""
    values: dict[str, Any] = {
        name: case(
            (said(f"sets_{name}", Boolean()), new(name, said)), else_=hit.c[name]
        )
        for name in WRITABLE
    }
    return values | _completed(values["completed"], hit)


def toggled(hit: FromClause) -> dict[str, Any]:
    """The other value of `completed`."""
    return _completed(~hit.c.completed, hit)


def deleted(hit: FromClause) -> dict[str, Any]:
    """In the trash, from the moment of the change."""
    return {"deleted_at": hit.c.stamp}


def restored(hit: FromClause) -> dict[str, Any]:
    """Out of the trash."""
    return {"deleted_at": null()}


def _completed(completed: ColumnElement, hit: FromClause) -> dict[str, Any]:
    """`completed_at` follows `completed`; completing again keeps the first moment."""
    first = func.coalesce(hit.c.completed_at, hit.c.stamp)
    return {"completed": completed, "completed_at": case((completed, first))}
