"""Which statements are sent a second time after a fault.

`docs/design.md`, "Database faults", has the table. A statement that does not say so
here is not sent again after its connection broke: it may have happened.
"""

import time
from typing import Any

import psycopg2
from sqlalchemy import Executable

from todo_service.database.connections import LateError

# The server is read-only: it has refused the statement.
READ_ONLY = "25006"
# A serialization failure and a deadlock: PostgreSQL has undone the statement.
UNDONE = {"40001", "40P01", READ_ONLY}
SOON_SECONDS = 2


def repeatable(statement: Any) -> Any:
    """Mark a statement that may run twice.

    Only a read may, or a create under an id that was made for this request: if the id
    is taken, the first try has happened.
    """
    return statement.execution_options(repeatable=True)


def allowed(
    statement: Executable, error: psycopg2.Error, *, broke: bool, since: float
) -> bool:
    """True if the statement may be sent again after this error.

    `broke` says whether the connection broke, `since` is the monotonic time when the
    statement was sent. After a long wait there is no second one: a pooler without a
    server lets its clients wait before it hangs up.
    """
    if error.pgcode in UNDONE:
        return True
    if not broke or isinstance(error, LateError):
        return False
    soon = time.monotonic() - since < SOON_SECONDS
    return soon and "repeatable" in statement.get_execution_options()
