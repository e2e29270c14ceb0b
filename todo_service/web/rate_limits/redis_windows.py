"""Counts requests in Redis, for all workers. Without Redis, requests pass uncounted.

A Redis that is gone or hangs must not make requests wait: after a failure only one
request a second tries it, and waits for it no longer than `WAIT_SECONDS`.
"""

import logging
import threading
import time

from limits.storage import RedisStorage

WAIT_SECONDS = 0.25
RETRY_SECONDS = 1
# Other programs may use the same Redis.
KEY_PREFIX = "todo-service"
# The package's own `incr` and `get_expiry` would be two round trips, and full seconds.
COUNT = b"""
local requests = redis.call("INCR", KEYS[1])
if requests == 1 then
    redis.call("EXPIRE", KEYS[1], ARGV[1])
end
return {requests, redis.call("PTTL", KEYS[1])}
"""

log = logging.getLogger(__name__)


class RedisWindows:
    """The windows in one Redis."""

    def __init__(self, url: str):
        self._storage = RedisStorage(
            url,
            key_prefix=KEY_PREFIX,
            socket_timeout=WAIT_SECONDS,
            socket_connect_timeout=WAIT_SECONDS,
        )
        self._count = self._storage.get_connection().register_script(COUNT)
        self._lock = threading.Lock()
        self._away = False
        self._trying = threading.Lock()
        self._try_at = 0.0

    def count(self, key: str, seconds: int) -> tuple[int, float] | None:
        """Counts one request in the key's window, which lasts these seconds.

        Returns the window's requests and the seconds that are left of it; None if
        Redis does not answer.
        """
        if not self._away:
            return self._ask(key, seconds)
        if time.monotonic() < self._try_at or not self._trying.acquire(blocking=False):
            return None
        try:
            return self._ask(key, seconds)
        finally:
            self._trying.release()

    def _ask(self, key: str, seconds: int) -> tuple[int, float] | None:
        try:
            requests, left = self._count([self._storage.prefixed_key(key)], [seconds])
        except self._storage.base_exceptions as error:
            self._note(away=True, because=error)
            return None
        self._note(away=False)
        return requests, left / 1000

    def _note(self, *, away: bool, because: object = None) -> None:
        """Remembers whether Redis is away; logs each change once."""
        with self._lock:
            if away:
                self._try_at = time.monotonic() + RETRY_SECONDS
            changed, self._away = away != self._away, away
        if changed and away:
            log.warning("Redis is away, so rate limits do not hold: %s", because)
        elif changed:
            log.info("Redis is back: rate limits hold again.")
