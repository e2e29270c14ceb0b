"""Statements about one task.

Each takes the owner's id first and can reach no one else's rows. Building one does
not touch the database: `db` runs it.

A write moves the user's counter, whose value becomes the task's `version`.
"""

from uuid import UUID

from sqlalchemy import (
    FromClause,
    Insert,
    Select,
    case,
    func,
    insert,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from todo_service.tables import tasks, users
from todo_service.tasks.change import LIVE, change_one, is_one
from todo_service.tasks.columns import WITH_TRASH, shown


def select_task(user_id: str, task_id: UUID) -> Select:
    """One live task."""
    return select(*shown(tasks)).where(is_one(user_id, task_id), LIVE)


def select_replay(user_id: str, idempotency_key: str) -> Select:
    """The task created under a key, deleted or not, `first` its request's hash."""
    return select(*shown(tasks, WITH_TRASH), tasks.c.request_hash.label("first")).where(
        tasks.c.user_id == user_id, tasks.c.idempotency_key == idempotency_key
    )


def insert_task(
    user_id: str,
    task_id: UUID,
    values: dict,
    *,
    idempotency_key: str | None = None,
    request_hash: bytes | None = None,
) -> Insert:
    """A new task; the first one also records the user.

    No row comes back for a user who is gone. A key that is taken is a conflict, which
    undoes the counter too. `first` is null: there was no request before.
    """
    first_or_next = upsert(users).values(id=user_id, last_change=1)
    change = (
        first_or_next.on_conflict_do_update(
            index_elements=[users.c.id],
            set_={"last_change": users.c.last_change + 1},
            where=users.c.gone_at.is_(None),
        )
        .returning(users.c.last_change)
        .cte("change")
    )
    row = {
        "user_id": user_id,
        "id": task_id,
        **values,
        "idempotency_key": idempotency_key,
        "request_hash": request_hash,
        "completed_at": func.now() if values["completed"] else None,
        "created_at": func.now(),
        "updated_at": func.now(),
        "version": change.c.last_change,
    }
    typed = [_typed(tasks.c[name], value) for name, value in row.items()]
    return (
        insert(tasks)
        .from_select(list(row), select(*typed).select_from(change))
        .returning(*shown(tasks, WITH_TRASH), null().label("first"))
    )


def update_task(
    user_id: str, task_id: UUID, values: dict, *, match: list[int] | None = None
) -> Select:
    """Set the fields; see `change.change_one` for what comes back."""

    def values_at(hit):
        return values | _completion(values, hit)

    return change_one(user_id, task_id, values_at, match)


def toggle_task(
    user_id: str, task_id: UUID, *, match: list[int] | None = None
) -> Select:
    """Make a completed task pending, a pending one completed; see `change_one`."""

    def toggled(hit):
        completed_at = case((tasks.c.completed, None), else_=hit.c.stamp)
        return {"completed": ~tasks.c.completed, "completed_at": completed_at}

    return change_one(user_id, task_id, toggled, match)


def delete_task(
    user_id: str, task_id: UUID, *, match: list[int] | None = None
) -> Select:
    """Move the task to the trash; see `change_one`."""
    return change_one(user_id, task_id, lambda hit: {"deleted_at": hit.c.stamp}, match)


def restore_task(
    user_id: str, task_id: UUID, *, match: list[int] | None = None
) -> Select:
    """Take the task back from the trash; a live one comes back unchanged."""
    return change_one(
        user_id, task_id, lambda hit: {"deleted_at": None}, match, restoring=True
    )


def _completion(values: dict, hit: FromClause) -> dict:
    """`completed_at` follows `completed`; completing again keeps the moment."""
    if "completed" not in values:
        return {}
    kept = func.coalesce(tasks.c.completed_at, hit.c.stamp)
    return {"completed_at": kept if values["completed"] else None}


def _typed(column, value):
    """A value as the column's type, which a bare SELECT would not know."""
    return value if hasattr(value, "type") else literal(value, column.type)
