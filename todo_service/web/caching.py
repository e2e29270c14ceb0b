"""Caching headers: keep private answers out of shared caches."""

from flask import Flask, Response, request

from todo_service.web.cors import is_preflight


def init_app(app: Flask) -> None:
    """Add `Vary` to every answer, and `Cache-Control` where it is needed."""
    app.after_request(_add_headers)


def _add_headers(response: Response) -> Response:
    headers, vary = response.headers, "Origin, Accept-Encoding"
    first_segment = request.path.split("/", 2)[1] if "/" in request.path else ""
    if first_segment == "auth":
        # Answers have tokens.
        headers["Cache-Control"] = "no-store"
    elif first_segment == "api" and not is_preflight():
        # `/api/tasks` is one URL for all users.
        headers["Cache-Control"] = "private, no-cache"
        vary += ", Authorization"
    headers.add("Vary", vary)
    return response
