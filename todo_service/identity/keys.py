"""Keeps the issuer's public keys.

- The first request that needs a key fetches the set. A known key never waits for a
  fetch: the first request that finds the set older than 5 minutes starts a fetch in the
  background.
- A good fetch replaces the set: a key that has left the set is gone.
- A request with an unknown `kid` starts a fetch and waits for it. Fetches begin at
  least 5 s apart and never overlap, whatever clients send, also after a failure.
- While fetches fail, the last good set is used for 24 hours.
- A key that is unknown after a good fetch is None. After a failed fetch it is a 503.
- Some threads never wait, so that requests with known keys are always served.

Each process has its own keys. A forked process starts with its parent's keys and
without its parent's fetch.
"""

import logging
import threading
import time
from collections.abc import Callable

import jwt

from todo_service import errors
from todo_service.identity import forks, jwks
from todo_service.identity.fetching import fetch

FETCH_SECONDS = 4
FETCH_INTERVAL_SECONDS = 5
REFRESH_AFTER_SECONDS = 5 * 60
TRUSTED_SECONDS = 24 * 60 * 60
NEVER = float("-inf")

log = logging.getLogger(__name__)


class KeySet:
    """The keys that the issuer publishes at a URL."""

    def __init__(
        self,
        url: str,
        *,
        waiting_threads: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ):
        self._url = url
        self._waiting_threads = waiting_threads
        self._clock = clock
        # One tuple, so that no reader sees new keys with an old time.
        self._fetched: tuple[list[jwt.PyJWK], float] = ([], NEVER)
        # Called after each fetch, with whether it was good.
        self.listeners: list[Callable[[bool], None]] = []
        self._forget_fetches()
        forks.call_in_children(self._forget_fetches)

    def _forget_fetches(self) -> None:
        """No fetch runs, and none ever did. The keys stay."""
        self._lock = threading.Lock()
        self._waiters = threading.Semaphore(self._waiting_threads)
        self._fetching: threading.Event | None = None
        self._began_at = NEVER
        self._failed = False

    def find(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """The key that a token's header names; None if the issuer has no such key.

        Raises 503 if the key is unknown because the keys cannot be fetched.
        """
        if algorithm not in jwks.ALGORITHMS:
            return None
        trusted = self._trusted()
        known = jwks.pick(trusted, kid, algorithm)
        if known or (kid is None and trusted):
            self.refresh_if_old()
            return known
        return self._find_after_fetch(kid, algorithm)

    def refresh_if_old(self) -> None:
        """Fetches the set again in the background if it is older than 5 minutes.

        Does nothing before the first fetch.
        """
        if REFRESH_AFTER_SECONDS < self._clock() - self._fetched[1] < float("inf"):
            self._fetch()

    def _trusted(self) -> list[jwt.PyJWK]:
        keys, fetched_at = self._fetched
        return keys if self._clock() - fetched_at < TRUSTED_SECONDS else []

    def _find_after_fetch(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        ended = self._wait_for_fetch()
        found = jwks.pick(self._trusted(), kid, algorithm)
        if not found and (self._failed or not ended):
            raise errors.unavailable("The issuer's keys cannot be had.", "issuer")
        return found

    def _wait_for_fetch(self) -> bool:
        """True if a fetch has ended, or if the interval forbids a new one.

        False if the fetch still runs: too many threads wait for it, or it is too slow.
        """
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
        """The fetch that runs, perhaps begun now; None if none may begin yet."""
        with self._lock:
            now = self._clock()
            if not self._fetching and now - self._began_at >= FETCH_INTERVAL_SECONDS:
                self._began_at = now
                self._fetching = self._begin()
            return self._fetching

    def _begin(self) -> threading.Event | None:
        """Starts a fetch in a thread of its own; None if no thread can be started."""
        ended = threading.Event()
        try:
            threading.Thread(target=self._run, args=(ended,), daemon=True).start()
        except RuntimeError as error:
            log.warning("The issuer's keys could not be fetched: %s", error)
            self._failed = True
            return None
        return ended

    def _run(self, ended: threading.Event) -> None:
        keys: list[jwt.PyJWK] = []
        try:
            keys = jwks.parse(fetch(self._url, seconds=FETCH_SECONDS))
        except Exception as error:
            # Whatever the issuer answers, the old keys stay in use.
            log.warning("The issuer's keys could not be fetched: %s", error)
        with self._lock:
            if keys:
                self._fetched = (keys, self._clock())
            self._failed = not keys
            self._fetching = None
        ended.set()
        for tell in self.listeners:
            tell(bool(keys))
