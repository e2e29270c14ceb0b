"""Statements about many tasks: constants, as those about one in `queries`.

`items` are the tasks to create or the changes, as JSON: see `batch_items`.
"""

from typing import Any

from sqlalchemy import (
    Integer,
    Text,
    any_,
    bindparam,
    cast,
    insert,
    select,
)
from sqlalchemy.dialects.postgresql import ARRAY

from todo_service.database.driver import named, prepare
from todo_service.database.retries import repeatable
from todo_service.database.statements import ZERO
from todo_service.database.tables import tasks
from todo_service.tasks.batch_change import change_many
from todo_service.tasks.batch_items import FILLED, NAMED, said
from todo_service.tasks.columns import shown
from todo_service.tasks.counting import count_created
from todo_service.tasks.new_values import changed, created, deleted, restored
from todo_service.tasks.scope import OWNED

SIZE = bindparam("size", type_=Integer)
IDS = bindparam("ids", type_=ARRAY(Text))

_counted = count_created(
    SIZE,
    {
        "pending": bindparam("added_pending", type_=Integer),
        "completed": bindparam("added_completed", type_=Integer),
        "deleted": ZERO,
    },
)
_version = _counted.c.last_change - SIZE + FILLED.c.number
_row: dict[str, Any] = {"id": FILLED.c.id, **created(said(FILLED), _version)}

# A row for each new task. No row if the user is gone. One id that is taken makes the
# whole statement fail, so nothing is created and the counter does not move.
INSERT_TASKS = named(
    "INSERT_TASKS",
    prepare(
        insert(tasks)
        .from_select(list(_row), select(*_row.values()).select_from(_counted, FILLED))
        .returning(*shown(tasks))
    ),
)

# Which of these ids are taken, by tasks in the trash too, and the tasks' versions.
SELECT_TAKEN_IDS = named(
    "SELECT_TAKEN_IDS",
    repeatable(
        select(tasks.c.id, tasks.c.version).where(
            OWNED, tasks.c.id == any_(cast(IDS, ARRAY(tasks.c.id.type)))
        )
    ),
)

# `change_many` says what comes back of these.
UPDATE_TASKS = named(
    "UPDATE_TASKS", change_many(FILLED, lambda found: changed(found, said(found)))
)
DELETE_TASKS = named(
    "DELETE_TASKS", change_many(NAMED, deleted, names=("id", "version"))
)
RESTORE_TASKS = named("RESTORE_TASKS", change_many(NAMED, restored, restoring=True))
