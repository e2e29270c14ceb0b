"""Caching headers: keep private answers out of shared caches."""

from flask import Flask, Response, request

from todo_service.web.cors import is_preflight

# `/api/tasks` is one URL for all users, and an answer below `/auth` is a secret.
CACHE_CONTROL = {"api": "private, no-cache", "auth": "no-store"}


def init_app(app: Flask) -> None:
    """Add `Vary` to every answer, and `Cache-Control` where it is needed."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    headers = response.headers
    first_segment = request.path.split("/", 2)[1] if "/" in request.path else ""
    if first_segment in CACHE_CONTROL and not is_preflight():
        headers["Cache-Control"] = CACHE_CONTROL[first_segment]
        headers.add("Vary", "Origin, Accept-Encoding, Authorization")
    else:
        headers.add("Vary", "Origin, Accept-Encoding")
    return response
