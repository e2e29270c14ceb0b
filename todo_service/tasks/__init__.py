"""A user's tasks: the views, what they load, what they run, what they answer."""

from sqlalchemy import Executable

from todo_service.tasks import queries
from todo_service.tasks.changes_statement import SELECT_CHANGES
from todo_service.tasks.list_queries import SELECT_PAGE, SELECT_USUAL_PAGE
from todo_service.tasks.views import blueprint

__all__ = ["STATEMENTS", "blueprint"]

# What a request may run. The server compiles it before the first one comes.
STATEMENTS: tuple[Executable, ...] = (
    queries.SELECT_TASK,
    queries.SELECT_CREATED,
    queries.INSERT_TASK,
    queries.INSERT_NEW_TASK,
    queries.UPDATE_TASK,
    queries.TOGGLE_TASK,
    queries.DELETE_TASK,
    queries.RESTORE_TASK,
    SELECT_CHANGES,
    *SELECT_PAGE.values(),
    *SELECT_USUAL_PAGE.values(),
)
