"""The database: run one statement, or say that it is away.

A request is one statement in one transaction and one round trip: the engine is in
autocommit, and a pooled connection is looked at instead of pinged.
"""

import logging
from functools import cached_property
from pathlib import Path
from typing import Any

from flask import Flask, current_app
from sqlalchemy import URL, Engine, Executable, Result, Row, create_engine, event
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from todo_service import embedded, errors, sockets
from todo_service.config import Settings

READ_ONLY_SERVER = "25006"
UNIQUE_VIOLATION = "23505"

log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its database; nothing is connected yet."""
    app.extensions["database"] = Database(settings, Path(app.instance_path))


class KeyTakenError(RuntimeError):
    """A unique key had a row already; the statement changed nothing."""


class Database:
    """The engines of one application, each made on first use.

    So a fork never copies a connection, and a command that needs no database never
    starts one.
    """

    def __init__(self, settings: Settings, instance: Path):
        self._settings = settings
        self._instance = instance
        self.connect_seconds = settings.db_connect_timeout

    @cached_property
    def url(self) -> URL:
        """Where requests go; in development, an embedded server if nothing is set."""
        return self._settings.database_url or embedded.start(self._instance)

    @cached_property
    def direct_url(self) -> URL:
        """Where migrations go, which need a session: past any pooler."""
        return self._settings.database_url_unpooled or self.url

    @cached_property
    def engine(self) -> Engine:
        """The engine of the requests."""
        return make_engine(
            self.url,
            connect_seconds=self.connect_seconds,
            statement_seconds=self._settings.db_statement_timeout,
            pool_size=self._settings.db_pool_size,
            pool_timeout=self._settings.db_pool_timeout,
        )

    @cached_property
    def probe(self) -> Engine:
        """One connection for the readiness check, whose patience is 2 s in all."""
        return make_engine(
            self.url,
            connect_seconds=1,
            statement_seconds=0.9,
            pool_size=1,
            pool_timeout=0,
        )


def make_engine(
    url: URL, *, connect_seconds: float, statement_seconds: float, **pool: Any
) -> Engine:
    """An autocommit engine; connecting and each statement have a deadline."""
    engine = create_engine(
        url,
        isolation_level="AUTOCOMMIT",
        use_native_hstore=False,  # else every new connection asks for hstore's oid
        enable_from_linting=False,  # the change statements join CTEs of one row each
        hide_parameters=True,  # they hold titles, and errors are logged
        max_overflow=0,
        pool_use_lifo=True,  # lets what is not needed fall idle, and Neon asleep
        connect_args=sockets.connect_args(connect_seconds),
        **pool,
    )
    event.listen(engine, "connect", sockets.limit_statements(statement_seconds))
    event.listen(engine, "checkout", sockets.replace_dead)
    return engine


def database() -> Database:
    """The current application's database."""
    return current_app.extensions["database"]


def fetch_one(
    statement: Executable, *, if_taken: Executable | None = None
) -> Row | None:
    """The statement's one row, or None. 503 where the database is away.

    Where a unique key is taken, so that nothing was written: the row of `if_taken`;
    if that has gone meanwhile, the key is free, and the statement runs after all.
    """
    try:
        return _run(statement, Result.one_or_none)
    except KeyTakenError:
        if if_taken is None:
            raise
        return fetch_one(if_taken) or fetch_one(statement)


def fetch_all(statement: Executable) -> list[Row]:
    """All rows of the statement. 503 where the database is away."""
    return _run(statement, Result.all)


def _run(statement, read):
    try:
        with database().engine.connect() as connection:
            return read(connection.execute(statement))
    except (DBAPIError, PoolTimeoutError) as error:
        raise _explained(error) from None


def _explained(error: DBAPIError | PoolTimeoutError) -> Exception:
    """503 where the database is away; else a bug, without the values of its row."""
    if not isinstance(error, DBAPIError):
        log.warning("No pooled connection was free in time")
        return errors.unavailable("The database is busy.")
    code = getattr(error.orig, "pgcode", None)
    away = isinstance(error, OperationalError) or error.connection_invalidated
    if away or code == READ_ONLY_SERVER:
        log.warning("The database is away: %s", first_line(error.orig))
        return errors.unavailable("The database cannot be reached.")
    refused = KeyTakenError if code == UNIQUE_VIOLATION else RuntimeError
    return refused(f"PostgreSQL refused: {code} {first_line(error.orig)}")


def first_line(error: BaseException | None) -> str:
    """What the driver said, without DETAIL and CONTEXT, which quote rows."""
    return str(error).partition("\n")[0]


def warm_up(app: Flask) -> None:
    """Pay the first connection's round trips now rather than in a user's request."""
    try:
        with app.extensions["database"].engine.connect():
            pass
    except (DBAPIError, PoolTimeoutError) as error:
        log.warning("Starting without the database: %s", first_line(error))
