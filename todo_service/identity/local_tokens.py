"""Tokens of local accounts: how they are marked, and what they say of themselves.

The mark is the header's `kid`. A token with it has to be one that the service made and
has not revoked. Only the accounts know that, so they bring the check. Where accounts
are switched off nobody knows, and no such token is good.
"""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import UUID

from flask import Flask, current_app

from todo_service import errors
from todo_service.identity.strictness import RefusedError

KID = "local"
# Beyond these PostgreSQL cannot store the number. No token of ours comes near.
HIGHEST_GENERATION = 2**31 - 1
LAST_EXPIRY = 2**40


class LocalToken(NamedTuple):
    """A token that says that it was made here; its signature is good."""

    user_id: str
    jti: str
    generation: int
    expires_at: int


Check = Callable[[LocalToken], None]


def read(claims: dict[str, Any]) -> LocalToken:
    """The token with these claims. Raises `RefusedError` if it cannot be ours."""
    try:
        return LocalToken(
            user_id=claims["sub"],
            jti=str(UUID(claims.get("jti"))),
            generation=_whole(claims.get("generation"), HIGHEST_GENERATION),
            expires_at=_whole(claims["exp"], LAST_EXPIRY),
        )
    except (AttributeError, TypeError, ValueError):
        raise RefusedError("The token was not made here.", "not_ours") from None


def check_by(app: Flask, check: Check) -> None:
    """Let this function check such tokens. It raises 401 for one that is not good."""
    app.extensions["local_tokens"] = check


def check(token: LocalToken) -> None:
    """Raises 401 if the token is not good any more, or if nobody can tell."""
    current_app.extensions.get("local_tokens", _refuse)(token)


def _refuse(token: LocalToken) -> None:
    raise errors.bad_token("Accounts are switched off here.", "accounts_off")


def _whole(value: Any, highest: int) -> int:
    if type(value) is not int or not 0 < value <= highest:
        raise ValueError("not a number of ours")
    return value
