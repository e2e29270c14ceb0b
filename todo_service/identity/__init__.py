"""The door: finds out who asks, or answers 401; whose path it is, or answers 403.

One hook runs before every request, also where no route matches. Every path that is not
in the public list needs a token.
"""

import time
from collections.abc import Callable

from flask import Flask, abort, current_app, g, request
from werkzeug.exceptions import Unauthorized

from todo_service import errors
from todo_service.identity import local_tokens
from todo_service.identity.keys import KeySet
from todo_service.identity.tokens import Verified, Verifier
from todo_service.settings import Settings
from todo_service.web import paths, rate_limits

PUBLIC = frozenset({"/health", "/health/ready"})


def init_app(app: Flask, settings: Settings) -> None:
    """Closes every path that is not public."""
    app.extensions["verifier"] = make_verifier(settings)
    app.extensions["public_paths"] = set(PUBLIC)
    app.before_request(guard)


def open_paths(app: Flask, *public: str) -> None:
    """Adds paths to the public list: they need no token."""
    app.extensions["public_paths"].update(public)


def make_verifier(
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    monotonic: Callable[[], float] = time.monotonic,
) -> Verifier:
    """The verifier of these settings.

    `clock` decides about the times in tokens, `monotonic` about the age of keys.
    """
    keys = None
    if settings.jwks_url is not None:
        # A quarter of the threads stays free for requests whose keys are known.
        waiting_threads = settings.gunicorn_threads * 3 // 4 or 1
        keys = KeySet(
            settings.jwks_url, waiting_threads=waiting_threads, clock=monotonic
        )
    return Verifier(settings, keys, clock=clock)


def user_id() -> str:
    """The verified user of this request."""
    return g.user_id


def local_token() -> local_tokens.LocalToken | None:
    """The token of this request, if it was made here."""
    return g.local_token


def guard() -> None:
    """Refuses a request that may not pass, in the contract's order.

    401 for the token, or 429 if too many requests of the address got it; 429 for too
    many of the user, 400 for a path that is not text, 403 for another user's path.
    """
    if _is_public():
        return
    try:
        g.user_id, g.local_token = _verified()
    except Unauthorized:
        rate_limits.count_address()
        raise
    rate_limits.count_user(g.user_id)
    paths.refuse_undecodable()
    if paths.named_user() not in (None, g.user_id):
        abort(403, "This path belongs to another user.")
    if paths.has_doubled_slash():
        abort(404)


def _verified() -> Verified:
    """The user of the request's token. One that was made here costs a statement."""
    found: Verified = current_app.extensions["verifier"].verify(_bearer_token())
    if found.local:
        local_tokens.check(found.local)
    return found


def _is_public() -> bool:
    public = current_app.extensions["public_paths"]
    return (
        not paths.has_doubled_slash()
        and (request.path.removesuffix("/") or "/") in public
    )


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise errors.no_token()
    return token.strip(" ")
