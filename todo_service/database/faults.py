"""Faults: what an error of the driver or of the pool means for a request."""

import logging

import psycopg2
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from todo_service import errors
from todo_service.database.connections import LateError

UNIQUE_VIOLATION = "23505"

# What clients read, by PostgreSQL's code. Everything else is `AWAY`.
AWAY = "The database cannot be reached."
BUSY = "The database is busy."
SLOW = "The database is too slow."
NO_WRITES = "The database takes no changes at the moment."
# The same for the log and the metrics.
REASONS = {
    AWAY: "database_away",
    BUSY: "database_busy",
    SLOW: "database_slow",
    NO_WRITES: "database_read_only",
}
SENTENCES = {
    "25006": NO_WRITES,  # the server is read-only
    "40001": BUSY,  # a serialization failure, twice
    "40P01": BUSY,  # a deadlock, twice
    "53100": NO_WRITES,  # the disk is full
    "57014": SLOW,  # the statement's deadline has passed
}

log = logging.getLogger(__name__)


class KeyTakenError(RuntimeError):
    """A unique key has a row already; the statement changed nothing."""


def explained(error: psycopg2.Error | SQLAlchemyError) -> Exception:
    """The exception to raise: a 503 if the database has a fault, else a bug.

    The text of a bug has no values of the row: they are a user's data.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = getattr(cause, "pgcode", None)
    sentence = _sentence(cause, code)
    if sentence:
        log.warning("%s (%s)", sentence, first_line(cause))
        return errors.unavailable(sentence, REASONS[sentence])
    refused = KeyTakenError if code == UNIQUE_VIOLATION else RuntimeError
    return refused(f"PostgreSQL refused: {code} {first_line(cause)}")


def _sentence(cause: BaseException | None, code: str | None) -> str | None:
    """What is wrong with the database; None if the statement is."""
    if isinstance(cause, PoolTimeoutError):
        return BUSY
    if isinstance(cause, LateError):
        return SLOW
    # An error without a code is the connection's, not the statement's.
    fault = code is None or isinstance(cause, psycopg2.OperationalError)
    return SENTENCES.get(str(code), AWAY if fault else None)


def first_line(error: BaseException | None) -> str:
    """The driver's message without DETAIL and CONTEXT, which quote rows."""
    return str(error).partition("\n")[0]
