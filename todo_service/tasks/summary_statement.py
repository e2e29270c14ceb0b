"""The statement of the summary: the numbers in the user's row, and the list's state."""

from sqlalchemy import select

from todo_service.database.counts import COUNTS
from todo_service.database.driver import named, prepare
from todo_service.database.retries import repeatable
from todo_service.tasks.list_statement import user_state

_state = user_state()

# One row, also for a user who has none: then the numbers are 0.
SELECT_SUMMARY = named(
    "SELECT_SUMMARY",
    repeatable(prepare(select(*(_state.c[name] for name in COUNTS), _state.c.state))),
)
