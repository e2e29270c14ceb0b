"""Turns: how many threads may hash at once, and how many may wait for that.

A hash takes a core for many milliseconds. A storm of logins must leave cores to other
requests, and threads too.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from todo_service import errors


class Turns:
    """So many threads at once, and so many that wait. Whoever comes then gets a 503."""

    def __init__(self, *, at_once: int, waiting: int):
        self.at_once, self.waiting = at_once, waiting
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._turns = threading.BoundedSemaphore(at_once)

    @contextmanager
    def take(self) -> Iterator[None]:
        """Waits for a turn. Raises 503 at once if too many wait already."""
        if not self._places.acquire(blocking=False):
            message = "Too many passwords are being checked."
            raise errors.unavailable(message, "hashing_busy")
        try:
            with self._turns:
                yield
        finally:
            self._places.release()
