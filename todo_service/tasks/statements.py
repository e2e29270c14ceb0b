"""Every statement that a request may run.

The server compiles them before the first request comes.
"""

from sqlalchemy import Executable

from todo_service.tasks import batch_queries, queries
from todo_service.tasks.changes_statement import SELECT_CHANGES
from todo_service.tasks.list_queries import SELECT_PAGE, SELECT_USUAL_PAGE
from todo_service.tasks.summary_statement import SELECT_SUMMARY

STATEMENTS: tuple[Executable, ...] = (
    queries.SELECT_TASK,
    queries.SELECT_CREATED,
    queries.SELECT_TAKEN,
    queries.INSERT_TASK,
    queries.INSERT_NEW_TASK,
    queries.UPDATE_TASK,
    queries.TOGGLE_TASK,
    queries.DELETE_TASK,
    queries.RESTORE_TASK,
    batch_queries.SELECT_TAKEN_IDS,
    batch_queries.INSERT_TASKS,
    batch_queries.UPDATE_TASKS,
    batch_queries.DELETE_TASKS,
    batch_queries.RESTORE_TASKS,
    SELECT_CHANGES,
    SELECT_SUMMARY,
    *SELECT_PAGE.values(),
    *SELECT_USUAL_PAGE.values(),
)
