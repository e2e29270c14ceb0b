"""Engines: pools of connections, each made on first use.

The engines are in autocommit, so that a statement is a transaction. A pooled connection
is looked at instead of pinged.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event

from todo_service.database import connections, embedded
from todo_service.database.shares import Shares
from todo_service.settings import Settings

# The readiness check answers within 2 s: connecting and the statement together.
PROBE_CONNECT_SECONDS = 1
PROBE_STATEMENT_SECONDS = 0.4


class Database:
    """The engines of one application.

    They are made on first use. So a fork never copies a connection, and a command that
    needs no database never starts one.
    """

    def __init__(self, settings: Settings, instance: Path):
        self._settings = settings
        self._instance = instance
        self.connect_seconds = settings.db_connect_timeout
        # For metrics. Each statement's name and seconds are told to `ran`. A request
        # is in `wait` until it has a connection, and in `use` while it has it.
        self.ran: list[Callable[[str, float], None]] = []
        self.wait: AbstractContextManager = nullcontext()
        self.use: AbstractContextManager = nullcontext()
        self.shares = Shares(
            connections=settings.db_pool_size // 2,
            waiting=settings.gunicorn_threads // 4,
            seconds=settings.db_pool_timeout,
        )

    @cached_property
    def url(self) -> URL:
        """Where requests go. In development an embedded server, if nothing is set."""
        return self._settings.database_url or embedded.start(self._instance)

    @cached_property
    def direct_url(self) -> URL:
        """Where commands go: past any pooler, because they need a session."""
        return self._settings.database_url_unpooled or self.url

    @cached_property
    def engine(self) -> Engine:
        """The engine of the requests."""
        return make_engine(
            self.url,
            connect_seconds=self.connect_seconds,
            statement_seconds=self._settings.db_statement_timeout,
            prepares=self._settings.db_prepare,
            pool_size=self._settings.db_pool_size,
            pool_timeout=self._settings.db_pool_timeout,
        )

    @cached_property
    def probe(self) -> Engine:
        """One connection for the readiness check."""
        return make_engine(
            self.url,
            connect_seconds=PROBE_CONNECT_SECONDS,
            statement_seconds=PROBE_STATEMENT_SECONDS,
            pool_size=1,
            pool_timeout=0,
        )


def make_engine(
    url: URL,
    *,
    connect_seconds: float,
    statement_seconds: float,
    prepares: bool = False,
    **pool: Any,
) -> Engine:
    """An autocommit engine; connecting and each statement have a deadline."""
    engine = create_engine(
        url.set(query={**connections.KEEPALIVES, **url.query}),
        isolation_level="AUTOCOMMIT",
        use_native_hstore=False,  # else every new connection asks for hstore's oid
        enable_from_linting=False,  # the list joins the user's one row on nothing
        hide_parameters=True,  # they hold titles, and errors are logged
        max_overflow=0,
        pool_reset_on_return=None,  # autocommit leaves nothing to roll back
        pool_use_lifo=True,  # spare connections stay idle, and Neon can sleep
        connect_args=connections.connect_args(connect_seconds, prepares=prepares),
        **pool,
    )
    event.listen(engine, "connect", connections.limit_statements(statement_seconds))
    event.listen(engine, "checkout", connections.replace_dead)
    return engine
