"""Holds each user, or each address, to a limit.

Windows are fixed: the first request begins one, and when it ends, all of the limit is
there again. That takes one number for each key. (A moving window keeps the time of
every request; two windows next to each other let twice the limit pass in a short time.)
"""

from math import ceil
from typing import NamedTuple, Protocol

import limits
from flask import g
from werkzeug.exceptions import HTTPException, TooManyRequests

from todo_service import errors
from todo_service.web import cors


class Windows(Protocol):
    """Where requests are counted."""

    def count(self, key: str, seconds: int, requests: int) -> tuple[int, float] | None:
        """Counts so many requests in the key's window, which lasts these seconds.

        Returns the window's requests and the seconds that are left of it; None if
        requests cannot be counted.
        """


class Standing(NamedTuple):
    """What a limit leaves: the requests that remain, until seconds from now."""

    limit: int
    remaining: int
    reset: int


class Limiter:
    """Counts requests by a key against one limit: `600 per minute`, "" for none.

    Limiters that share their windows have different names.
    """

    def __init__(self, name: str, limit: str, windows: Windows):
        self._name = name
        self._limit = limits.parse(limit) if limit else None
        self._windows = windows

    def count(self, key: str, requests: int = 1) -> None:
        """Counts this request by the key, as so many. Raises 429 beyond the limit.

        Preflights are not counted.
        """
        if self._limit is None or cors.is_preflight():
            return
        counted = self._windows.count(
            self._limit.key_for(self._name, key), self._limit.get_expiry(), requests
        )
        if counted is None:
            return
        total, seconds = counted
        remaining = self._limit.amount - total
        # Clocks add parts of microseconds, which are not a second more.
        reset = max(ceil(round(seconds, 3)), 1)
        # What the answer's headers say.
        g.rate_limit = Standing(self._limit.amount, max(remaining, 0), reset)
        if remaining < 0:
            raise self._too_many(reset)

    def _too_many(self, seconds: int) -> HTTPException:
        """429, by which limit for the log."""
        message = f"Too many requests: try again in {seconds} seconds."
        reason = f"limit of {self._name}".replace(" ", "_")
        return errors.because(reason, TooManyRequests(message, retry_after=seconds))
