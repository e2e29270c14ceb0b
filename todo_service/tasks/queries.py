"""Statements about one task.

Each takes the owner's id first and can reach no one else's rows. Asking for one does
not touch the database: `db` runs it. Building one costs more than running it, so most
are built once and asked for with other parameters; SQLAlchemy does not let an INSERT.

A write moves the user's counter, whose value becomes the task's `version`.
"""

from functools import cache
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Insert,
    Select,
    bindparam,
    case,
    func,
    insert,
    literal,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from todo_service.tables import tasks, users
from todo_service.tasks.change import IS_ONE, LIVE, OWNER, change_one
from todo_service.tasks.columns import WITH_TRASH, shown

KEY = bindparam("key", type_=tasks.c.idempotency_key.type)


def select_task(user_id: str, task_id: UUID) -> Select:
    """One live task."""
    return _select_task().params(owner=user_id, task=str(task_id))


def select_replay(user_id: str, idempotency_key: str) -> Select:
    """The task created under a key, deleted or not, `first` its request's hash."""
    return _select_replay().params(owner=user_id, key=idempotency_key)


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
    """Set the fields; see `change_one` for what comes back."""
    statement = _update_task(
        tuple(sorted(values)), values.get("completed"), match is not None
    )
    return _on(statement.params(**_new(values)), user_id, task_id, match)


def toggle_task(
    user_id: str, task_id: UUID, *, match: list[int] | None = None
) -> Select:
    """Make a completed task pending, a pending one completed; see `change_one`."""
    return _on(_toggle_task(match is not None), user_id, task_id, match)


def delete_task(
    user_id: str, task_id: UUID, *, match: list[int] | None = None
) -> Select:
    """Move the task to the trash; see `change_one`."""
    return _on(_delete_task(match is not None), user_id, task_id, match)


def restore_task(
    user_id: str, task_id: UUID, *, match: list[int] | None = None
) -> Select:
    """Take the task back from the trash; a live one comes back unchanged."""
    return _on(_restore_task(match is not None), user_id, task_id, match)


def _on(statement: Select, user_id: str, task_id: UUID, match: list[int] | None):
    matching = {} if match is None else {"match": match}
    return statement.params(owner=user_id, task=str(task_id), **matching)


def _new(values: dict) -> dict:
    return {f"new_{name}": value for name, value in values.items()}


def _parameter(name: str) -> ColumnElement:
    """A field's new value. Not under its column's name, which SQLAlchemy reserves."""
    return bindparam(f"new_{name}", type_=tasks.c[name].type)


@cache
def _select_task() -> Select:
    return select(*shown(tasks)).where(IS_ONE, LIVE)


@cache
def _select_replay() -> Select:
    return select(*shown(tasks, WITH_TRASH), tasks.c.request_hash.label("first")).where(
        tasks.c.user_id == OWNER, tasks.c.idempotency_key == KEY
    )


@cache
def _update_task(
    fields: tuple[str, ...], completed: bool | None, matching: bool
) -> Select:
    """`completed_at` follows `completed`; completing again keeps the moment."""

    def new_values(hit: FromClause) -> dict:
        values: dict = {name: _parameter(name) for name in fields}
        if completed is not None:
            kept = func.coalesce(tasks.c.completed_at, hit.c.stamp)
            values["completed_at"] = kept if completed else None
        return values

    return change_one(new_values, matching=matching)


@cache
def _toggle_task(matching: bool) -> Select:
    def toggled(hit: FromClause) -> dict:
        completed_at = case((tasks.c.completed, None), else_=hit.c.stamp)
        return {"completed": ~tasks.c.completed, "completed_at": completed_at}

    return change_one(toggled, matching=matching)


@cache
def _delete_task(matching: bool) -> Select:
    return change_one(lambda hit: {"deleted_at": hit.c.stamp}, matching=matching)


@cache
def _restore_task(matching: bool) -> Select:
    return change_one(
        lambda hit: {"deleted_at": None}, matching=matching, restoring=True
    )


def _typed(column, value):
    """A value as the column's type, which a bare SELECT would not know."""
    return value if hasattr(value, "type") else literal(value, column.type)
