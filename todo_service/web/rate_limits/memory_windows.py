"""Counts requests in this process, for a bounded number of keys.

The `limits` package has a storage in memory too. Clients could make it grow without
bound, and a thread of its walks through all of it every 10 ms.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable

KEYS_AT_MOST = 10_000


class MemoryWindows:
    """The windows of this process: by key, the requests so far, and when it ends.

    They stand in the order in which they began. Beyond 10,000 the oldest is forgotten.
    """

    def __init__(self, *, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._lock = threading.Lock()
        self._windows: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._windows)

    def count(self, key: str, seconds: int) -> tuple[int, float]:
        """Counts one request in the key's window, which lasts these seconds.

        Returns the window's requests and the seconds that are left of it.
        """
        now = self._clock()
        with self._lock:
            requests, ends_at = self._windows.get(key, (0, now))
            if ends_at <= now:
                requests, ends_at = 0, now + seconds
                self._begin(key)
            self._windows[key] = (requests + 1, ends_at)
        return requests + 1, ends_at - now

    def _begin(self, key: str) -> None:
        """Makes the key's window the newest; makes room for it."""
        self._windows.pop(key, None)
        if len(self._windows) >= KEYS_AT_MOST:
            self._windows.popitem(last=False)
