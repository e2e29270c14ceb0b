"""Paths: what one may be, which resource it leads to, whose resource it names.

A resource has two mounts: `/api/{user_id}/tasks`, where the path names the user, and
`/api/tasks`, where only the token does.
"""

import re
from typing import Any

from flask import Blueprint, Flask, abort, current_app, request
from werkzeug.routing import BaseConverter

NAMES_USER = "/api/<"


def init_app(app: Flask) -> None:
    """Take a trailing slash as the same resource: a redirect loses the token."""
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.url_value_preprocessor(_drop_user)


def mount(app: Flask, *resources: Blueprint) -> None:
    """Mount every resource under its name: with the user in the path, and without."""
    names = [resource.name for resource in resources]
    app.url_map.converters["user"] = _user_segment(names)
    for resource, name in zip(resources, names, strict=True):
        app.register_blueprint(
            resource, url_prefix=f"/api/<user:user_id>/{name}", name=f"user_{name}"
        )
        app.register_blueprint(resource, url_prefix=f"/api/{name}")


def named_user() -> str | None:
    """The user whom the path names, whether or not a route matched; None for nobody.

    Where no route matched, a path names a user if a resource's name comes next.
    """
    segments = request.path.split("/")
    if len(segments) < 3 or segments[1] != "api":
        return None
    user, below = segments[2], segments[3:]
    if request.url_rule:
        return user if request.url_rule.rule.startswith(NAMES_USER) else None
    if user in _resources(2, below_user=False):
        return None
    return user if {*below[:1]} & _resources(3, below_user=True) else None


def refuse_undecodable() -> None:
    """400 for a NUL, or for bytes that are not UTF-8: different ids would collide."""
    raw = request.environ.get("PATH_INFO", "").encode("latin-1")
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        abort(400, "The path is not valid UTF-8.")
    if "\0" in decoded:
        abort(400, "The path contains a NUL character.")


def has_doubled_slash() -> bool:
    """True if the path begins with `//`. Werkzeug routes `//api` like `/api`."""
    return request.environ.get("PATH_INFO", "").startswith("//")


def _user_segment(reserved: list[str]) -> type[BaseConverter]:
    """A path segment that is a user id. `/api/tasks/…` is always the second mount."""
    names = "|".join(map(re.escape, reserved))
    attributes = {"regex": rf"(?!(?:{names})\Z)[^/]+", "part_isolating": True}
    return type("UserSegment", (BaseConverter,), attributes)


def _resources(place: int, *, below_user: bool) -> set[str]:
    """The names of the resources on one kind of mount, at their place in the path."""
    rules = [each.rule for each in current_app.url_map.iter_rules()]
    return {
        (rule + "/").split("/")[place]
        for rule in rules
        if rule.startswith("/api/") and rule.startswith(NAMES_USER) == below_user
    }


def _drop_user(endpoint: str | None, values: dict[str, Any] | None) -> None:
    """Views do not get the path's user: the token says who asks."""
    if values:
        values.pop("user_id", None)
