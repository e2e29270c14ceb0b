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

import copy
import logging
import os
import threading
import time
import weakref

import jwt
import orjson

from todo_service import errors
from todo_service.identity.fetching import FAILURES, fetch

# The names that tokens use for it: RFC 9864 gives EdDSA on Ed25519 a second one.
ALGORITHMS = {"EdDSA", "Ed25519", "ES256", "ES512", "RS256", "PS256"}
FETCH_SECONDS = 4
COOL_DOWN = 5
FRESH = 5 * 60
TRUSTED = 24 * 60 * 60
NEVER = float("-inf")

log = logging.getLogger(__name__)


class KeySet:
    """The keys that the issuer publishes at a URL."""

    def __init__(self, url: str, *, waiting: int = 1):
        self._url = url
        self._keys: list[jwt.PyJWK] = []
        self._good_at = NEVER
        self._began_at = NEVER
        self._failed = False
        self._waiting = waiting
        self._after_fork()
        if hasattr(os, "register_at_fork"):
            method = weakref.WeakMethod(self._after_fork)
            os.register_at_fork(after_in_child=lambda: (method() or bool)())

    def _after_fork(self) -> None:
        self._lock = threading.Lock()
        self._fetching: threading.Event | None = None
        self._waiters = threading.Semaphore(self._waiting)

    def find(self, kid: str | None, algorithm: str | None) -> jwt.PyJWK | None:
        """The key that a token's header names; None if the issuer has no such key.

        503 where that cannot be known.
        """
        if algorithm not in ALGORITHMS:
            return None
        known = self._known(kid, algorithm)
        if known:
            self.refresh_if_old()
            return known
        if kid is None and self._trusted():
            return None
        finished = self._wait_for_fetch()
        known = self._known(kid, algorithm)
        if not known and (self._failed or not finished):
            raise errors.unavailable("The issuer's keys cannot be had.")
        return known

    def refresh_if_old(self) -> None:
        """Have the set fetched again in the background, if it is time."""
        if time.monotonic() - self._good_at > FRESH:
            self._fetch()

    def _trusted(self) -> list[jwt.PyJWK]:
        age = time.monotonic() - self._good_at
        return self._keys if age < TRUSTED else []

    def _known(self, kid: str | None, algorithm: str) -> jwt.PyJWK | None:
        """By `kid`, the algorithm deciding between namesakes; else the only one."""
        fitting = [k for k in self._trusted() if k.algorithm_name == algorithm]
        if kid is None:
            return fitting[0] if len(fitting) == 1 else None
        named = [k for k in fitting + self._trusted() if k.key_id == kid]
        return named[0] if named else None

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
            now = time.monotonic()
            if self._fetching is None and now - self._began_at >= COOL_DOWN:
                ended = threading.Event()
                threading.Thread(target=self._run, args=(ended,), daemon=True).start()
                self._fetching, self._began_at = ended, now
            return self._fetching

    def _run(self, ended: threading.Event) -> None:
        keys: list[jwt.PyJWK] = []
        try:
            keys = _parse(fetch(self._url, seconds=FETCH_SECONDS))
        except FAILURES as error:
            log.warning("The issuer's keys could not be fetched: %s", error)
        finally:
            with self._lock:
                if keys:
                    self._keys, self._good_at = keys, time.monotonic()
                self._failed = not keys
                self._fetching = None
            ended.set()


def _parse(document: bytes) -> list[jwt.PyJWK]:
    """The keys of a JWK set (RFC 7517, 5) that may verify; a bad one costs no other."""
    published = orjson.loads(document)
    listed = published.get("keys") if isinstance(published, dict) else None
    if not isinstance(listed, list):
        raise ValueError("the answer is not a JWK set")
    keys = [key for jwk in listed if _may_verify(jwk) for key in _usable(jwk)]
    if not keys:
        raise ValueError("the JWK set has no key that can be used")
    return keys


def _may_verify(jwk) -> bool:
    return (
        isinstance(jwk, dict)
        and isinstance(jwk.get("alg", ""), str)
        and jwk.get("use", "sig") == "sig"
        and "verify" in jwk.get("key_ops", ["verify"])
    )


def _usable(jwk: dict) -> list[jwt.PyJWK]:
    """The key under each name of its algorithm; nothing if it is weak or broken."""
    named = "EdDSA" if jwk.get("alg") == "Ed25519" else jwk.get("alg")
    try:
        key = jwt.PyJWK(jwk, named)
    except jwt.PyJWTError:
        return []
    if key.algorithm_name not in ALGORITHMS or key.Algorithm.check_key_length(key.key):
        return []
    if jwk.get("crv") != "Ed25519":
        return [key]
    twin = copy.copy(key)
    twin.algorithm_name = "Ed25519"
    return [key, twin]
