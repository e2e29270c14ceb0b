"""Connections to PostgreSQL: waits have a deadline, and a dead one is replaced.

libpq's own time-outs do not help against a peer that acknowledges and never answers.
psycopg2's wait callback does, and it costs no round trip. psycopg2 has one callback for
the whole process; for a connection that this module did not make, it sets no deadline.

One wait has none: libpq looks up the host's name, and only the system's resolver ends
that. Other threads go on meanwhile.
"""

import select
import time
from collections.abc import Callable
from typing import Any

import psycopg2
from psycopg2 import extensions
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.pool import ConnectionPoolEntry

WANTS = {extensions.POLL_READ: "read", extensions.POLL_WRITE: "write"}
# SQLAlchemy makes UUID objects of these; the service only writes them out again.
UUID_AS_TEXT = extensions.new_type((2950,), "UUID", extensions.UNICODE)
# The client waits a little longer than PostgreSQL works, so that its answer arrives.
GRACE_SECONDS = 0.25
# They find a peer that has vanished: one that was idle, one that acknowledges nothing.
KEEPALIVES = {
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "30000",  # milliseconds; libpq ignores it where it is missing
}


class LateError(psycopg2.OperationalError):
    """The server let the deadline pass. psycopg2 has closed the connection."""


class _Connection(extensions.connection):
    """A connection that knows its deadlines and what was prepared on it."""

    def __init__(self, dsn: str, *, seconds: float, prepares: bool, **options: Any):
        self.seconds = seconds
        self.deadline = ""
        self.prepares = prepares
        self.prepared: set[str] = set()
        super().__init__(dsn, **options)


def connect_args(seconds: float, *, prepares: bool) -> dict[str, Any]:
    """psycopg2's arguments for a connection that is made within these seconds.

    `prepares` says whether statements may be prepared on it.
    """

    def factory(dsn: str, async_: int = 0) -> _Connection:
        return _Connection(dsn, seconds=seconds, prepares=prepares, async_=async_)

    extensions.set_wait_callback(_wait)
    return {"connection_factory": factory}


def limit_statements(seconds: float) -> Callable[..., None]:
    """A listener for a pool's `connect`: each statement may take these seconds.

    `deadline` begins a message and makes PostgreSQL end it. The wait ends after that.
    """

    def limit(connection: _Connection, record: ConnectionPoolEntry) -> None:
        extensions.register_type(UUID_AS_TEXT, connection)
        connection.seconds = seconds + GRACE_SECONDS
        if seconds < float("inf"):
            milliseconds = round(seconds * 1000)
            connection.deadline = f"SET LOCAL statement_timeout = {milliseconds}; "

    return limit


def replace_dead(
    connection: _Connection, record: ConnectionPoolEntry, proxy: object
) -> None:
    """A listener for a pool's `checkout`: replaces a dead connection, without a ping.

    An idle socket that can be read is not always dead: a notice or a TLS ticket may
    have come. So libpq reads it first; a socket that stays readable is dead. A new
    connection is not looked at: it has just answered, and if SQLAlchemy has to replace
    it again and again, it raises an error that is not the driver's.
    """
    if record.info.setdefault("fresh", True):
        record.info["fresh"] = False
        return
    for _ in range(3):
        if not _ready(connection.fileno(), "read", 0):
            return
        try:
            connection.poll()
        except psycopg2.Error:
            break
    raise DisconnectionError("The connection died while it was idle.")


def _wait(connection: extensions.connection) -> None:
    """Wait for the server; past the deadline raise, which makes psycopg2 give up.

    Do not close the connection here: psycopg2 would wait for its own lock for ever.
    """
    deadline = time.monotonic() + getattr(connection, "seconds", float("inf"))
    while (state := connection.poll()) != extensions.POLL_OK:
        left = deadline - time.monotonic()
        if left <= 0 or not _ready(connection.fileno(), WANTS[state], left):
            raise LateError("PostgreSQL did not answer in time")


def _ready(descriptor: int, wanted: str, seconds: float) -> bool:
    """True if the socket can be read (or written) within these seconds."""
    timeout = None if seconds == float("inf") else seconds
    if not hasattr(select, "poll"):  # Windows
        reading, writing = {"read": ([descriptor], []), "write": ([], [descriptor])}[
            wanted
        ]
        return any(select.select(reading, writing, [], timeout))
    poller = select.poll()  # select.select fails for descriptors of 1024 and above
    poller.register(descriptor, select.POLLIN if wanted == "read" else select.POLLOUT)
    return bool(poller.poll(timeout if timeout is None else timeout * 1000))
