"""Shares: how many of a worker's connections one user may hold, and wait for.

Without them one user's slow requests take every connection, then every thread, and
nobody is served.
"""

import threading
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

from todo_service import errors

BUSY = (
    "You have too many requests at once. Wait for their answers, then send this one"
    " again."
)


class Shares:
    """Counts connections by user. Keeps only users who hold or wait for one."""

    def __init__(self, *, connections: int, waiting: int, seconds: float):
        self._connections = connections
        self._waiting = waiting
        self._seconds = seconds
        # Entered by whoever has to wait: see `Database`.
        self.wait: AbstractContextManager = nullcontext()
        self._lock = threading.Lock()
        self._held: dict[str | None, int] = {}
        # Those who wait, in their order. While somebody waits, a connection that is
        # given back goes to the next, so the user's number stays at its limit.
        self._queues: dict[str | None, deque[threading.Lock]] = {}

    @contextmanager
    def of(self, owner: str | None) -> Iterator[None]:
        """One connection of the user's share, waited for if need be.

        Raises 503 at once if too many wait already, or after the seconds of waiting.
        """
        self._take(owner)
        try:
            yield
        finally:
            self._give_back(owner)

    def _take(self, owner: str | None) -> None:
        with self._lock:
            held = self._held.get(owner, 0)
            if held < self._connections:
                self._held[owner] = held + 1
                return
            turn = self._queue_up(owner)
        self._wait(owner, turn)

    def _give_back(self, owner: str | None) -> None:
        with self._lock:
            if owner in self._queues:
                self._remove(owner, self._queues[owner][0]).release()
            elif self._held[owner] == 1:
                del self._held[owner]
            else:
                self._held[owner] -= 1

    def _queue_up(self, owner: str | None) -> threading.Lock:
        """A lock that is released when the connection comes."""
        if len(self._queues.get(owner, ())) >= self._waiting:
            raise errors.unavailable(BUSY, "user_busy")
        turn = threading.Lock()
        turn.acquire()
        self._queues.setdefault(owner, deque()).append(turn)
        return turn

    def _wait(self, owner: str | None, turn: threading.Lock) -> None:
        try:
            with self.wait:
                came = turn.acquire(timeout=self._seconds)
        except BaseException:
            if not self._withdraw(owner, turn):
                self._give_back(owner)
            raise
        if not came and self._withdraw(owner, turn):
            raise errors.unavailable(BUSY, "user_busy")

    def _withdraw(self, owner: str | None, turn: threading.Lock) -> bool:
        """Stop waiting. False if the connection has come in the last moment."""
        with self._lock:
            waits = turn in self._queues.get(owner, ())
            if waits:
                self._remove(owner, turn)
        return waits

    def _remove(self, owner: str | None, turn: threading.Lock) -> threading.Lock:
        queue = self._queues[owner]
        queue.remove(turn)
        if not queue:
            del self._queues[owner]
        return turn
