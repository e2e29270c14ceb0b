"""Every statement that a request may run.

The server compiles them before the first request comes.
"""

from sqlalchemy import Executable

from todo_service.accounts import deletion, queries

STATEMENTS: tuple[Executable, ...] = (
    queries.SELECT_IF_GOOD,
    queries.SELECT_ACCOUNT,
    queries.SELECT_BY_EMAIL,
    queries.INSERT_ACCOUNT,
    queries.INSERT_REVOKED,
    queries.UPDATE_PASSWORD,
    queries.UPDATE_HASH,
    deletion.CLOSE_ACCOUNT,
    deletion.DELETE_REMAINING_TASKS,
)
