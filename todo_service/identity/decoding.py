"""Decodes tokens with PyJWT, which verifies the signature, the issuer, the audience."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
from jwt.types import Options

from todo_service.identity import strictness

# `strictness` checks the times and `sub`. Nothing reads `jti`.
OPTIONS: Options = {
    "require": ["exp", "sub"],
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_sub": False,
    "verify_jti": False,
}
MESSAGES = {
    jwt.InvalidIssuerError: "The token is another issuer's.",
    jwt.InvalidAudienceError: "The token is for another audience.",
}

log = logging.getLogger(__name__)

Claims = dict[str, Any]
Decode = Callable[[str, jwt.PyJWK], Claims]


def decoder(issuer: str | None, audience: list[str]) -> Decode:
    """How to decode tokens that must name this issuer and one of this audience.

    None and an empty list demand nothing.
    """
    # PyJWT would refuse a token with `aud` where no audience is set.
    pyjwt = strictness.StrictJWT({**OPTIONS, "verify_aud": bool(audience)})
    return partial(_decode, pyjwt, issuer=issuer, audience=audience or None)


def _decode(
    pyjwt: jwt.PyJWT,
    token: str,
    key: jwt.PyJWK,
    *,
    issuer: str | None,
    audience: list[str] | None,
) -> Claims:
    try:
        return pyjwt.decode(
            token, key, [key.algorithm_name], issuer=issuer, audience=audience
        )
    except jwt.InvalidTokenError:
        raise
    except Exception as error:
        # A token must not cause a 500, even if it finds a bug in PyJWT or in
        # cryptography. The log keeps the trace of the bug.
        log.exception("PyJWT failed on a token")
        raise jwt.InvalidTokenError from error


def message(error: jwt.InvalidTokenError) -> str:
    """What the answer says to a token that is refused."""
    if isinstance(error, strictness.RefusedError):
        return str(error)
    if isinstance(error, jwt.MissingRequiredClaimError):
        return f"The token has no {error.claim}."
    return MESSAGES.get(type(error), "The token is not valid.")
