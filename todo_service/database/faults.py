"""Faults: what an error of the driver or of the pool means for a request."""

import logging

import psycopg2
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from todo_service import errors

READ_ONLY_SERVER = "25006"
UNIQUE_VIOLATION = "23505"

log = logging.getLogger(__name__)


class KeyTakenError(RuntimeError):
    """A unique key has a row already; the statement changed nothing."""


def explained(error: psycopg2.Error | SQLAlchemyError) -> Exception:
    """The exception to raise: a 503 if the database is away, else a bug.

    The text of a bug has no values of the row: they are a user's data.
    """
    if isinstance(error, PoolTimeoutError):
        log.warning("No pooled connection was free in time")
        return errors.unavailable("The database is busy.")
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "pgcode", None)
    # An error without a code is the connection's, not the statement's.
    away = isinstance(cause, psycopg2.OperationalError) or code is None
    if away or code == READ_ONLY_SERVER:
        log.warning("The database is away: %s", first_line(cause))
        return errors.unavailable("The database cannot be reached.")
    refused = KeyTakenError if code == UNIQUE_VIOLATION else RuntimeError
    return refused(f"PostgreSQL refused: {code} {first_line(cause)}")


def first_line(error: BaseException | None) -> str:
    """The driver's message without DETAIL and CONTEXT, which quote rows."""
    return str(error).partition("\n")[0]
