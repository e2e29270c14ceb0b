"""What browsers and caches need to hear: CORS and caching headers."""

import re

from flask import Flask, Response, request
from flask_cors import CORS

from todo_service.config import Settings

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
# `/api/tasks` is one URL for all users, and what `/auth` answers is a secret.
CACHING = {"api": "private, no-cache", "auth": "no-store"}


def init_app(app: Flask, settings: Settings) -> None:
    """Let the front end's origins in, and keep private answers out of caches."""
    any_origin = "*" in settings.cors_origins
    app.before_request(_answer_preflight(any_origin, settings.cors_origins))
    app.after_request(_forbid_sharing)
    CORS(
        app,
        origins="*" if any_origin else [_exactly(o) for o in settings.cors_origins],
        allow_headers=MAY_BE_SENT,
        expose_headers=MAY_BE_READ,
        max_age=PREFLIGHT_SECONDS,
        always_send=False,
        send_wildcard=True,
        vary_header=False,
    )


def _exactly(origin: str) -> re.Pattern:
    """Text with a bracket in it, as of IPv6, would be taken for a pattern."""
    return re.compile(re.escape(origin) + r"\Z", re.IGNORECASE)


def _answer_preflight(any_origin: bool, origins: list[str]):
    """Whatever the path: else a browser reports CORS where the path was wrong."""

    def answer() -> Response | None:
        if is_preflight() and (
            any_origin or request.headers["Origin"].lower() in origins
        ):
            return Response(status=204)
        return None

    return answer


def is_preflight() -> bool:
    """Whether a browser asks what it may send (Fetch standard, CORS-preflight)."""
    return request.method == "OPTIONS" and all(
        name in request.headers for name in ("Origin", "Access-Control-Request-Method")
    )


def _forbid_sharing(response: Response) -> Response:
    response.vary.add("Origin")
    area = request.path.split("/", 2)[1] if "/" in request.path else ""
    if area in CACHING and not is_preflight():
        response.headers["Cache-Control"] = CACHING[area]
        response.vary.add("Authorization")
    return response
