"""The issuer's public keys, for as long as they may be trusted.

- Fetched on first need, and again in the background by the first request that finds
  the set older than 5 minutes. A known key never waits for a fetch.
- A good fetch replaces the set: a key that has left is gone.
- An unknown `kid` starts a fetch and waits for it. Fetches begin at least 5 s apart
  and never overlap, whatever clients send and however the last one ended.
- While fetching fails, the last good set goes on serving for 24 hours.
- Unknown after a good fetch is None; unknown because fetching failed is a 503.
- Some threads always stay free of waiting, for the requests with known keys.

All of it is per process; a fork takes the keys along and leaves the fetch behind.
"""

import logging
import os
import threading
import time
import weakref
from collections.abc import Callable

from todo_service import errors
from todo_service.identity import jwks
from todo_service.identity.fetching import fetch

FETCH_SECONDS = 4
COOL_DOWN = 5
FRESH = 5 * 60
TRUSTED = 24 * 60 * 60
NEVER = float("-inf")

log = logging.getLogger(__name__)


class KeySet:
    """The keys that the issuer publishes at a URL."""

    def __init__(
        self,
        url: str,
        *,
        waiting: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._url = url
        self._waiting = waiting
        self._clock = clock
        # One tuple, so that no reader sees new keys with an old time.
        self._fetched: tuple[list[jwks.Key], float] = ([], NEVER)
        self._start_afresh()
        _call_in_children(self._start_afresh)

    def _start_afresh(self) -> None:
        self._lock = threading.Lock()
        self._waiters = threading.Semaphore(self._waiting)
        self._fetching: threading.Event | None = None
        self._began_at = NEVER
        self._failed = False

    def find(self, kid: str | None, algorithm: str) -> jwks.Key | None:
        """The key that a token's header names; None if the issuer has no such key.

        503 where that cannot be known.
        """
        if algorithm not in jwks.ALGORITHMS:
            return None
        trusted = self._trusted()
        known = jwks.pick(trusted, kid, algorithm)
        if known or (kid is None and trusted):
            self.refresh_if_old()
            return known
        return self._find_in_next(kid, algorithm)

    def refresh_if_old(self) -> None:
        """Have a set that was fetched once fetched again, if it is time."""
        if FRESH < self._clock() - self._fetched[1] < float("inf"):
            self._fetch()

    def _trusted(self) -> list[jwks.Key]:
        keys, fetched_at = self._fetched
        return keys if self._clock() - fetched_at < TRUSTED else []

    def _find_in_next(self, kid: str | None, algorithm: str) -> jwks.Key | None:
        ended = self._wait_for_fetch()
        found = jwks.pick(self._trusted(), kid, algorithm)
        if not found and (self._failed or not ended):
            raise errors.unavailable("The issuer's keys cannot be had.")
        return found

    def _wait_for_fetch(self) -> bool:
        """Whether a fetch ended, now or so lately that none may begin."""
        fetching = self._fetch()
        if fetching is None:
            return True
        if not self._waiters.acquire(blocking=False):
            return False
        try:
            return fetching.wait(FETCH_SECONDS + 1)
        finally:
            self._waiters.release()

    def _fetch(self) -> threading.Event | None:
        """The fetch that runs, or one begun now; None while cooling down."""
        with self._lock:
            if not self._fetching and self._clock() - self._began_at >= COOL_DOWN:
                self._began_at = self._clock()
                self._fetching = self._begin()
            return self._fetching

    def _begin(self) -> threading.Event | None:
        ended = threading.Event()
        try:
            threading.Thread(target=self._run, args=(ended,), daemon=True).start()
        except RuntimeError as error:  # no thread to be had: a fetch that failed
            log.warning("The issuer's keys could not be fetched: %s", error)
            self._failed = True
            return None
        return ended

    def _run(self, ended: threading.Event) -> None:
        keys: list[jwks.Key] = []
        try:
            keys = jwks.parse(fetch(self._url, seconds=FETCH_SECONDS))
        except Exception as error:  # Whatever it was, the old keys go on serving.
            log.warning("The issuer's keys could not be fetched: %s", error)
        with self._lock:
            if keys:
                self._fetched = (keys, self._clock())
            self._failed = not keys
            self._fetching = None
        ended.set()


def _call_in_children(method: Callable[[], None]) -> None:
    """Call a method in every forked process, for as long as its object lives."""
    reference = weakref.WeakMethod(method)

    def call():
        alive = reference()
        if alive:
            alive()

    if hasattr(os, "register_at_fork"):  # not on Windows, which has no fork
        os.register_at_fork(after_in_child=call)
