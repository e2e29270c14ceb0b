"""What a token must say of itself, once its signature is known to be good.

- `exp` is required, `nbf` and `iat` count where present; all are numbers (RFC 7519, 2).
- `iss` and `aud` are required where something is expected of them.
- `sub` is the user: 1 to 255 characters that can be stored as text.

Anything else is the front end's business.
"""

from math import isfinite
from typing import Any, NamedTuple

from todo_service import errors

USER_ID_LENGTH = 255


class Expected(NamedTuple):
    """Whom a token has to name; None and [] leave it free."""

    issuer: str | None
    audience: list[str]


def check(
    claims: dict[str, Any], expected: Expected, *, now: float, leeway: float
) -> None:
    """Raise a 401 unless all of it holds."""
    _check_times(claims, now, leeway)
    if expected.issuer and claims.get("iss") != expected.issuer:
        raise errors.bad_token("The token is another issuer's.")
    if expected.audience and not _is_for(claims.get("aud"), expected.audience):
        raise errors.bad_token("The token is for another audience.")
    if not _storable(claims.get("sub")):
        raise errors.bad_token("The token's sub must be 1 to 255 characters of text.")


def _check_times(claims, now, leeway):
    exp, nbf, iat = claims.get("exp"), claims.get("nbf", 0), claims.get("iat", 0)
    if not all(map(_is_time, (exp, nbf, iat))):
        raise errors.bad_token("The token's exp, nbf and iat must be numbers.")
    if exp <= now - leeway:
        raise errors.bad_token("The token has expired.")
    if max(nbf, iat) > now + leeway:
        raise errors.bad_token("The token is not valid yet.")


def _is_time(value):
    # By type: to isinstance, True is an int.
    return type(value) is int or (type(value) is float and isfinite(value))


def _is_for(aud, audience):
    """Whether a string, or a list of them, names one of ours (RFC 7519, 4.1.3)."""
    named = aud if isinstance(aud, list) else [aud]
    if not all(isinstance(each, str) for each in named):
        return False
    return not set(named).isdisjoint(audience)


def _storable(user_id):
    if not isinstance(user_id, str) or not 0 < len(user_id) <= USER_ID_LENGTH:
        return False
    # Neither a NUL nor a lone surrogate, which encoding leaves out.
    return "\0" not in user_id and user_id.encode(errors="ignore").decode() == user_id
