"""Connections to PostgreSQL that never wait for good and are not handed out dead.

libpq's own time-outs do not help against a peer that acknowledges and never answers;
psycopg2's wait callback does, at no round trip. It is set for the process, and a
connection that is not ours waits as long as it takes.
"""

import select
import time
from collections.abc import Callable

import psycopg2
from psycopg2 import extensions
from sqlalchemy.exc import DisconnectionError

WANTS = {extensions.POLL_READ: "read", extensions.POLL_WRITE: "write"}


class _Connection(extensions.connection):
    """Knows how many seconds each of its waits may take: connecting, a statement."""

    seconds: float

    def __init__(self, dsn, *, seconds, **options):
        self.seconds = seconds
        super().__init__(dsn, **options)


def connect_args(seconds: float) -> dict:
    """What psycopg2 needs to connect within these seconds."""

    def factory(dsn, async_=0):
        return _Connection(dsn, seconds=seconds, async_=async_)

    extensions.set_wait_callback(_wait)
    # A peer that vanished without a word is found while its connection idles.
    keepalives = {"keepalives_idle": 30, "keepalives_interval": 10}
    return {"connection_factory": factory, **keepalives, "keepalives_count": 3}


def limit_statements(seconds: float) -> Callable:
    """A listener for a pool's `connect`: from here on, each statement has these."""

    def limit(connection, record):
        connection.seconds = seconds

    return limit


def replace_dead(connection, record, proxy) -> None:
    """A listener for a pool's `checkout`: looks at the idle socket, asks nothing.

    A readable socket is not always a dead one (a notice, a TLS ticket), so libpq
    reads it first; one that stays readable after that is at its end. A connection's
    first check-out is left out: it has just answered, and replacing a new one over
    and over ends in an error that is not the driver's.
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


def _wait(connection) -> None:
    """Wait for the server; past the deadline raise, which makes psycopg2 give up.

    Never close here: psycopg2 would wait for its own lock.
    """
    deadline = time.monotonic() + getattr(connection, "seconds", float("inf"))
    while (state := connection.poll()) != extensions.POLL_OK:
        left = deadline - time.monotonic()
        if left <= 0 or not _ready(connection.fileno(), WANTS[state], left):
            raise psycopg2.OperationalError("PostgreSQL did not answer in time")


def _ready(descriptor: int, wanted: str, seconds: float) -> bool:
    """Whether the socket can be read (or written) within these seconds."""
    patience = None if seconds == float("inf") else seconds
    if not hasattr(select, "poll"):  # Windows
        reading, writing = {"read": ([descriptor], []), "write": ([], [descriptor])}[
            wanted
        ]
        return any(select.select(reading, writing, [], patience))
    poller = select.poll()  # select.select fails for descriptors of 1024 and above
    poller.register(descriptor, select.POLLIN if wanted == "read" else select.POLLOUT)
    return bool(poller.poll(patience if patience is None else patience * 1000))
