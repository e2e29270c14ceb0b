"""The door: who is asking, or 401; whose path it is, or 403.

One hook stands before every request, also where no route matches. Every path that is
not in the public list needs a token.
"""

from flask import Flask, abort, current_app, g, request

from todo_service import errors
from todo_service.identity.keys import KeySet
from todo_service.identity.tokens import Verifier
from todo_service.settings import Settings
from todo_service.web import paths

PUBLIC = frozenset({"/health", "/health/ready"})


def init_app(app: Flask, settings: Settings) -> None:
    """Close every path that is not public."""
    keys = _issuer_keys(settings)
    app.extensions["verifier"] = Verifier(settings, keys)
    app.before_request(_guard)


def user_id() -> str:
    """The verified user of this request."""
    return g.user_id


def _guard() -> None:
    """Check in the contract's order: 401, then a path that is no text, then 403."""
    if _is_public():
        return
    g.user_id = current_app.extensions["verifier"].user_id(_bearer_token())
    paths.refuse_undecodable()
    if paths.named_user() not in (None, g.user_id):
        abort(403, "This path belongs to another user.")
    if paths.has_doubled_slash():
        abort(404)


def _is_public() -> bool:
    return not paths.has_doubled_slash() and request.path.removesuffix("/") in PUBLIC


def _bearer_token() -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        raise errors.no_token()
    return token.strip(" ")


def _issuer_keys(settings: Settings) -> KeySet | None:
    if settings.jwks_url is None:
        return None
    # A quarter of the threads stays free for requests whose keys are known.
    return KeySet(settings.jwks_url, waiting=settings.gunicorn_threads * 3 // 4 or 1)
