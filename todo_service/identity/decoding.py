"""Decodes tokens with PyJWT, which verifies the signature, the issuer, the audience."""

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

import jwt
from jwt.types import Options
from werkzeug.exceptions import HTTPException

from todo_service import errors
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
# What the answer says, and a word for the log.
REFUSALS = {
    jwt.InvalidIssuerError: ("The token is another issuer's.", "other_issuer"),
    jwt.InvalidAudienceError: ("The token is for another audience.", "other_audience"),
    jwt.InvalidSignatureError: ("The token is not valid.", "bad_signature"),
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


def refusal(error: jwt.InvalidTokenError) -> HTTPException:
    """The 401 for a token that is refused."""
    if isinstance(error, strictness.RefusedError):
        return errors.bad_token(str(error), error.reason)
    if isinstance(error, jwt.MissingRequiredClaimError):
        return errors.bad_token(f"The token has no {error.claim}.", "missing_claim")
    message, reason = REFUSALS.get(
        type(error), ("The token is not valid.", "malformed")
    )
    return errors.bad_token(message, reason)
