"""The database: run one statement for a request, or say that it is away.

A request is one statement in one transaction and one round trip. The statement is a
constant; its parameters come with the call, `owner` among them: see `docs/design.md`.
"""

import logging
import time
from pathlib import Path
from threading import Thread
from typing import Any

import psycopg2
from flask import Flask, current_app
from sqlalchemy import Executable, PoolProxiedConnection
from sqlalchemy.exc import SQLAlchemyError

from todo_service.database import faults, retries
from todo_service.database.driver import Parameters, for_driver
from todo_service.database.engines import Database
from todo_service.settings import Settings

WARM_UP_SECONDS = 1
# A statement that takes longer is logged. Most take a few milliseconds.
SLOW_SECONDS = 0.5

log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its database; nothing is connected yet."""
    app.extensions["database"] = Database(settings, Path(app.instance_path))


def current() -> Database:
    """The current application's database."""
    return current_app.extensions["database"]


def fetch_one(
    statement: Executable,
    parameters: Parameters,
    *,
    if_taken: Executable | None = None,
) -> Any | None:
    """The statement's one row, or None. 503 as for `fetch_all`.

    If a unique key is taken, the statement changed nothing, and the answer is the row
    of `if_taken`. If that row has gone meanwhile, everything begins again.
    """
    try:
        rows = fetch_all(statement, parameters)
    except faults.KeyTakenError:
        if if_taken is None:
            raise
        found = fetch_one(if_taken, parameters)
        return found or fetch_one(statement, parameters, if_taken=if_taken)
    return rows[0] if rows else None


def fetch_all(statement: Executable, parameters: Parameters) -> list[Any]:
    """All rows of the statement, as named tuples.

    503 if the database is away, too slow, or cannot do it now; also if the statement's
    owner has used up their share of the connections. Statements without an owner, as of
    a login, have the share of one user.
    """
    database = current()
    with database.shares.of(parameters.get("owner")):
        return _run(database, statement, parameters, tries=2)


def warm_up(app: Flask) -> None:
    """Make the first connection now: its round trips would slow a user's request.

    If that takes more than a second, it goes on while the service starts.
    """
    connecting = Thread(target=_connect, args=(app,), daemon=True)
    connecting.start()
    connecting.join(WARM_UP_SECONDS)


def _connect(app: Flask) -> None:
    try:
        app.extensions["database"].engine.raw_connection().close()
    except (psycopg2.Error, SQLAlchemyError) as error:
        log.warning("Starting without the database: %s", faults.first_line(error))


def _run(
    database: Database, statement: Executable, parameters: Parameters, *, tries: int
) -> list[Any]:
    """The rows. The statement is sent so often at most: see `retries`."""
    sent = for_driver(statement)
    connection = _checked_out(database)
    began = time.monotonic()
    try:
        with database.use:
            return sent.run(connection.cursor(), parameters)
    except psycopg2.Error as error:
        again = retries.allowed(statement, error, broke=_broke(connection), since=began)
        if error.pgcode == retries.READ_ONLY:
            _hang_up(connection)
        if tries == 1 or not again:
            raise faults.explained(error) from None
        log.warning("Sending a statement again: %s", faults.first_line(error))
    finally:
        _give_back(connection)
        _tell(database, sent.name, time.monotonic() - began)
    return _run(database, statement, parameters, tries=tries - 1)


def _tell(database: Database, statement: str, seconds: float) -> None:
    """Log a statement that took long, by its name; tell the listeners."""
    if seconds > SLOW_SECONDS:
        fields = {"statement": statement, "statement_ms": round(seconds * 1000, 2)}
        log.warning("A statement was slow.", extra=fields)
    for listener in database.ran:
        listener(statement, seconds)


def _checked_out(database: Database) -> PoolProxiedConnection:
    """A connection of the pool. 503 if there is none in time."""
    try:
        with database.wait:
            return database.engine.raw_connection()
    except (psycopg2.Error, SQLAlchemyError) as error:
        raise faults.explained(error) from None


def _hang_up(connection: PoolProxiedConnection) -> None:
    """Close a connection to a server that takes no writes; `_give_back` replaces it.

    After a failover the old server may come back like this, or a proxy may have led
    here. If `DATABASE_URL` finds the new server, a new connection does.
    """
    if connection.dbapi_connection is not None:
        connection.dbapi_connection.close()


def _give_back(connection: PoolProxiedConnection) -> None:
    """Return a connection to the pool, unless it broke."""
    if _broke(connection):
        connection.invalidate()
    connection.close()


def _broke(connection: PoolProxiedConnection) -> bool:
    inner = connection.dbapi_connection
    return inner is None or bool(inner.closed)
