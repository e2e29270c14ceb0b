"""Statements about one task.

Each is a constant; its parameters come when it runs. `owner` is always among them, and
no statement reaches the rows of another user. A write moves the user's counter, whose
value becomes the task's `version`.
"""

from typing import Any

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    bindparam,
    case,
    false,
    func,
    insert,
    null,
    select,
)
from sqlalchemy.dialects.postgresql import insert as upsert

from todo_service.database.counts import COUNTS, counts
from todo_service.database.driver import prepare
from todo_service.database.statements import ONE, OWNER
from todo_service.database.tables import tasks, users
from todo_service.tasks.change import change_one
from todo_service.tasks.columns import WITH_TRASH, shown
from todo_service.tasks.schemas import WRITABLE
from todo_service.tasks.scope import IS_ONE, LIVE, OWNED, TASK

KEY = bindparam("key", type_=tasks.c.idempotency_key.type)
DIGEST = bindparam("digest", type_=tasks.c.request_hash.type)


def new_values(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a body as parameters of `INSERT_TASK`."""
    return {f"new_{name}": value for name, value in values.items()}


def changed_values(values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a body as parameters of `UPDATE_TASK`, and which ones it has."""
    every = {f"new_{name}": values.get(name) for name in WRITABLE}
    return every | {f"sets_{name}": name in values for name in WRITABLE}


def _new(name: str) -> ColumnElement:
    """A field's new value. SQLAlchemy reserves the parameter of the column's name."""
    return bindparam(f"new_{name}", type_=tasks.c[name].type)


def _new_or_kept(name: str, hit: FromClause) -> ColumnElement:
    """A field's new value if the body has one."""
    return case(
        (bindparam(f"sets_{name}", type_=Boolean), _new(name)), else_=hit.c[name]
    )


def _completed(completed: ColumnElement, hit: FromClause) -> dict[str, Any]:
    """`completed_at` follows `completed`; completing again keeps the first moment."""
    first = func.coalesce(hit.c.completed_at, hit.c.stamp)
    return {"completed": completed, "completed_at": case((completed, first))}


def _changed(hit: FromClause) -> dict[str, Any]:
    values: dict[str, Any] = {name: _new_or_kept(name, hit) for name in WRITABLE}
    return values | _completed(values["completed"], hit)


def _toggled(hit: FromClause) -> dict[str, Any]:
    return _completed(~hit.c.completed, hit)


SELECT_TASK = prepare(select(*shown(tasks)).where(IS_ONE, LIVE))

# The task that a request with this key created before, in the trash too.
SELECT_REPLAY = select(
    *shown(tasks, WITH_TRASH), tasks.c.request_hash.label("earlier_digest")
).where(OWNED, tasks.c.idempotency_key == KEY)

# The version of a task, in the trash too, as the row of a change that was not made.
SELECT_TAKEN = select(null().label("id"), tasks.c.version.label("found")).where(IS_ONE)

# The first task also records the user. A user who is gone gets no row.
_first = upsert(users).values(
    id=OWNER, last_change=ONE, **counts(_new("completed"), deleted=false())
)
_counted = (
    _first.on_conflict_do_update(
        index_elements=[users.c.id],
        set_={
            name: users.c[name] + _first.excluded[name]
            for name in ("last_change", *COUNTS)
        },
        where=users.c.gone_at.is_(None),
    )
    .returning(users.c.last_change)
    .cte("change")
)
_row: dict[str, Any] = {
    "user_id": OWNER,
    "id": TASK,
    **{name: _new(name) for name in WRITABLE},
    "idempotency_key": KEY,
    "request_hash": DIGEST,
    "completed_at": case((_new("completed"), func.now())),
    "created_at": func.now(),
    "updated_at": func.now(),
    "version": _counted.c.last_change,
}

# A key that is taken makes the whole statement fail, so the counter does not move.
INSERT_TASK = prepare(
    insert(tasks)
    .from_select(list(_row), select(*_row.values()).select_from(_counted))
    .returning(*shown(tasks, WITH_TRASH), null().label("earlier_digest"))
)

# `change_one` says what comes back of these.
UPDATE_TASK = change_one(_changed)
TOGGLE_TASK = change_one(_toggled)
DELETE_TASK = change_one(lambda hit: {"deleted_at": hit.c.stamp})
RESTORE_TASK = change_one(lambda hit: {"deleted_at": null()}, restoring=True)
