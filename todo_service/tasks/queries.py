"""Statements about one task.

Each is a constant; its parameters come when it runs. `owner` is always among them, and
no statement reaches the rows of another user. A write moves the user's counter, whose
value becomes the task's `version`.
"""

from typing import Any

from sqlalchemy import ColumnElement, bindparam, false, insert, null, or_, select
from sqlalchemy.types import TypeEngine

from todo_service.database.counts import counts
from todo_service.database.driver import named, prepare
from todo_service.database.retries import repeatable
from todo_service.database.statements import ONE
from todo_service.database.tables import tasks
from todo_service.tasks.change import change_one
from todo_service.tasks.columns import WITH_TRASH, shown
from todo_service.tasks.counting import count_created
from todo_service.tasks.new_values import (
    changed,
    created,
    deleted,
    new,
    restored,
    toggled,
)
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


def _parameter(name: str, kind: TypeEngine) -> ColumnElement:
    return bindparam(name, type_=kind)


SELECT_TASK = named(
    "SELECT_TASK", repeatable(prepare(select(*shown(tasks)).where(IS_ONE, LIVE)))
)

# What `INSERT_NEW_TASK` created before, in the trash too: for another request with this
# key, or for this one, whose connection broke before the answer came.
SELECT_CREATED = named(
    "SELECT_CREATED",
    repeatable(
        select(*shown(tasks, WITH_TRASH), tasks.c.request_hash).where(
            OWNED, or_(tasks.c.idempotency_key == KEY, tasks.c.id == TASK)
        )
    ),
)

# The version of a task, in the trash too, as the row of a change that was not made.
SELECT_TAKEN = named(
    "SELECT_TAKEN",
    repeatable(
        select(null().label("id"), tasks.c.version.label("found")).where(IS_ONE)
    ),
)

_counted = count_created(ONE, counts(new("completed", _parameter), deleted=false()))
_row: dict[str, Any] = {
    "id": TASK,
    **created(_parameter, _counted.c.last_change),
    "idempotency_key": KEY,
    "request_hash": DIGEST,
}

# An id or a key that is taken makes the whole statement fail, so the counter does not
# move.
INSERT_TASK = named(
    "INSERT_TASK",
    prepare(
        insert(tasks)
        .from_select(list(_row), select(*_row.values()).select_from(_counted))
        .returning(*shown(tasks, WITH_TRASH))
    ),
)
# The same under an id that was made for this request: if the id is taken, the statement
# has run before.
INSERT_NEW_TASK = named("INSERT_NEW_TASK", repeatable(INSERT_TASK))

# `change_one` says what comes back of these.
UPDATE_TASK = named("UPDATE_TASK", change_one(lambda hit: changed(hit, _parameter)))
TOGGLE_TASK = named("TOGGLE_TASK", change_one(toggled))
DELETE_TASK = named("DELETE_TASK", change_one(deleted))
RESTORE_TASK = named("RESTORE_TASK", change_one(restored, restoring=True))
