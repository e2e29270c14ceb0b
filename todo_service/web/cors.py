"""CORS: which origins' pages may call the service, and what they may send and read."""

import logging
import re
from typing import Any

from flask import Flask, Response, current_app, request
from flask_cors.core import get_cors_options, set_cors_headers

from todo_service.settings import Settings

MAY_BE_SENT = (
    "Authorization",
    "Content-Type",
    "If-Match",
    "If-None-Match",
    "Idempotency-Key",
    "X-Request-ID",
)
MAY_BE_READ = (
    "ETag",
    "Link",
    "Location",
    "Retry-After",
    "WWW-Authenticate",
    "Idempotency-Replayed",
    "X-Request-ID",
    "RateLimit-Limit",
    "RateLimit-Remaining",
    "RateLimit-Reset",
)
PREFLIGHT_SECONDS = 7200
# Clients choose what they send as Origin, so both are bounded.
LOGGED_ORIGINS = 100
LOGGED_CHARACTERS = 200

log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Let the pages of the configured origins call the service."""
    app.extensions["origins"] = _Origins(settings.cors_origins)
    options = get_cors_options(app, _options(settings.cors_origins))

    def add_headers(response: Response) -> Response:
        # Without an Origin there is nothing to add, and most requests have none.
        if "Origin" in request.headers:
            set_cors_headers(response, options)
        return response

    app.before_request(_answer_preflight)
    app.after_request(add_headers)


def _options(origins: list[str]) -> dict[str, Any]:
    return {
        "origins": "*" if "*" in origins else [_exactly(each) for each in origins],
        "allow_headers": MAY_BE_SENT,
        "expose_headers": MAY_BE_READ,
        "max_age": PREFLIGHT_SECONDS,
        "always_send": False,
        "send_wildcard": True,
        "vary_header": False,
    }


def is_preflight() -> bool:
    """True if a browser asks what it may send (Fetch standard, CORS-preflight)."""
    return request.method == "OPTIONS" and all(
        name in request.headers for name in ("Origin", "Access-Control-Request-Method")
    )


class _Origins:
    """The allowed origins, and the refused ones that the log has named already."""

    def __init__(self, allowed: list[str]):
        self._allowed = frozenset(allowed)
        self._logged: set[str] = set()

    def allow(self, origin: str) -> bool:
        """True if pages of this origin may read answers; case does not matter."""
        return "*" in self._allowed or origin.lower() in self._allowed

    def log_once(self, origin: str) -> None:
        """Name a refused origin, so that a developer finds the cause in the log."""
        shown = origin[:LOGGED_CHARACTERS]
        if shown not in self._logged and len(self._logged) < LOGGED_ORIGINS:
            self._logged.add(shown)
            log.warning("CORS_ORIGINS does not list the origin %s", shown)


def _exactly(origin: str) -> re.Pattern:
    """A pattern. flask-cors would read a plain origin with a bracket (IPv6) as one."""
    return re.compile(re.escape(origin) + r"\Z", re.IGNORECASE)


def _answer_preflight() -> Response | None:
    """204 whatever the path. A browser would report a 404 here as a CORS failure."""
    origin = request.headers.get("Origin")
    if origin is None:
        return None
    origins: _Origins = current_app.extensions["origins"]
    if not origins.allow(origin):
        origins.log_once(origin)
        return None
    return Response(status=204) if is_preflight() else None
