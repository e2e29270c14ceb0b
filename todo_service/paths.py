"""What a path may be, and whose tasks it names."""

import re

from flask import Flask, abort, request
from werkzeug.routing import BaseConverter

OWNED = re.compile(r"/api/([^/]*)/tasks(?:/.*)?", re.DOTALL)


class _UserSegment(BaseConverter):
    """A path segment that is a user id: below `/api/tasks` the other mount begins."""

    regex = r"(?!tasks\Z)[^/]+"
    part_isolating = True


def init_app(app: Flask) -> None:
    """Take a trailing slash as the same resource: a redirect loses the token."""
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_map.converters["user"] = _UserSegment


def refuse_undecodable() -> None:
    """400 for a NUL, or for bytes that are not UTF-8: different ids would collide."""
    raw = request.environ.get("PATH_INFO", "").encode("latin-1")
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        abort(400, "The path is not valid UTF-8.")
    if "\0" in decoded:
        abort(400, "The path contains a NUL character.")


def refuse_doubled_slash() -> None:
    """404: Werkzeug would take `//api` for `/api`, and no client should rely on it."""
    if request.environ.get("PATH_INFO", "").startswith("//"):
        abort(404)


def named_user() -> str | None:
    """Whose tasks the path names, whether or not a route matched; None if nobody's."""
    if request.path == "/api/tasks" or request.path.startswith("/api/tasks/"):
        return None
    owned = OWNED.fullmatch(request.path)
    return owned[1] if owned else None
