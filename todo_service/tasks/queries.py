"""Statements about tasks.

Each takes the owner's id first and can reach no one else's rows. Building one does
not touch the database: `db` runs it.

A write is one statement that moves the user's counter, whose value becomes the task's
`version`. It locks the user, then the task, always in this order.
"""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import (
    DateTime,
    FromClause,
    Insert,
    Select,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from todo_service.tables import tasks, users

# What clients see of a task, in this order: the first columns of every row.
PUBLIC = (
    "id",
    "user_id",
    "title",
    "description",
    "completed",
    "priority",
    "due_at",
    "tags",
    "version",
    "completed_at",
    "created_at",
    "updated_at",
)

STATUS = {
    "all": true(),
    "pending": ~tasks.c.completed,
    "completed": tasks.c.completed,
}

A_MICROSECOND = literal(timedelta(microseconds=1))


def select_tasks(user_id: str, *, status: str, limit: int, offset: int) -> Select:
    """A page of the live tasks, newest first, each row with the `total` of all.

    One row whose `id` is null where the page is empty.
    """
    wanted = and_(tasks.c.user_id == user_id, tasks.c.deleted_at.is_(None))
    matching = select(tasks).where(wanted, STATUS[status])
    newest_first = tasks.c.created_at.desc(), tasks.c.id.desc()
    page = matching.order_by(*newest_first).limit(limit).offset(offset).subquery("page")
    counted = matching.with_only_columns(func.count().label("total")).subquery(
        "counted"
    )
    return (
        select(*_public(page), counted.c.total)
        .select_from(counted.outerjoin(page, true()))
        .order_by(page.c.created_at.desc(), page.c.id.desc())
    )


def select_task(user_id: str, task_id: UUID) -> Select:
    """One live task."""
    return select(*_public(tasks)).where(
        _is(user_id, task_id), tasks.c.deleted_at.is_(None)
    )


def insert_task(user_id: str, task_id: UUID, values: dict) -> Insert:
    """A new task; the first one also records the user.

    No row comes back for a user who is gone.
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
        "completed_at": func.now() if values["completed"] else None,
        "created_at": func.now(),
        "updated_at": func.now(),
        "version": change.c.last_change,
    }
    typed = [_typed(tasks.c[name], value) for name, value in row.items()]
    return (
        insert(tasks)
        .from_select(list(row), select(*typed).select_from(change))
        .returning(*_public(tasks))
    )


def update_task(user_id: str, task_id: UUID, values: dict) -> Select:
    """Set the fields; see `_change` for what comes back."""
    return _change(user_id, task_id, lambda hit: values | _completion(values, hit))


def toggle_task(user_id: str, task_id: UUID) -> Select:
    """Make a completed task pending, a pending one completed; see `_change`."""

    def toggled(hit):
        completed_at = case((tasks.c.completed, None), else_=hit.c.stamp)
        return {"completed": ~tasks.c.completed, "completed_at": completed_at}

    return _change(user_id, task_id, toggled)


def delete_task(user_id: str, task_id: UUID) -> Select:
    """Move the task to the trash; see `_change`."""
    return _change(user_id, task_id, lambda hit: {"deleted_at": hit.c.stamp})


def _change(user_id: str, task_id: UUID, new_values) -> Select:
    """One atomic change of a live task: the changed row, or none where it is not.

    `hit` locks the task and sees its newest version, which a sub-select in a
    re-checked row would not: it decides, and what follows obeys. Its clock is read
    after the wait for the lock, so `updated_at` always moves forward.
    """
    there = exists().where(_is(user_id, task_id))
    owner = _materialized(
        select(users.c.id)
        .where(users.c.id == user_id, there)
        .with_for_update(key_share=True),
        "owner",
    )
    hit = _materialized(
        select(
            tasks.c.user_id,
            tasks.c.version.label("found"),
            func.greatest(
                func.clock_timestamp(), tasks.c.updated_at + A_MICROSECOND
            ).label("stamp"),
        )
        .join_from(owner, tasks, tasks.c.user_id == owner.c.id)
        .where(_is(user_id, task_id), tasks.c.deleted_at.is_(None))
        .with_for_update(key_share=True, of=tasks),
        "hit",
    )
    change = (
        update(users)
        .values(last_change=users.c.last_change + 1)
        .where(users.c.id == user_id, users.c.id == hit.c.user_id)
        .returning(users.c.id, users.c.last_change)
        .cte("change")
    )
    done = (
        update(tasks)
        .values(
            **new_values(hit),
            version=change.c.last_change,
            updated_at=hit.c.stamp,
        )
        .where(
            _is(user_id, task_id),
            tasks.c.user_id == change.c.id,
            tasks.c.user_id == hit.c.user_id,
        )
        .returning(tasks)
        .cte("done")
    )
    return select(*_public(done))


def _completion(values: dict, hit: FromClause) -> dict:
    """`completed_at` follows `completed`; completing again keeps the moment."""
    if "completed" not in values:
        return {}
    kept = func.coalesce(tasks.c.completed_at, hit.c.stamp)
    return {"completed_at": kept if values["completed"] else None}


def _is(user_id: str, task_id: UUID):
    """Both halves, always: an id alone never picks out a row."""
    return and_(tasks.c.user_id == user_id, tasks.c.id == task_id)


def _materialized(statement: Select, name: str):
    return statement.cte(name).prefix_with("MATERIALIZED")


def _typed(column, value):
    """A value as the column's type, which a bare SELECT would not know."""
    return value if hasattr(value, "type") else literal(value, column.type)


def _public(source: FromClause) -> list:
    """What clients see of a task, timestamps as the contract writes them."""
    shown = [source.c[name] for name in PUBLIC]
    return [
        _rfc3339(column) if isinstance(column.type, DateTime) else column
        for column in shown
    ]


def _rfc3339(column):
    """In UTC whatever the server's time zone; a zero fraction is written out."""
    in_utc = func.timezone("UTC", column)
    return func.to_char(in_utc, 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"').label(column.name)
