"""Tokens of accounts: makes them, and checks that they still hold."""

from typing import Any
from uuid import uuid4

from flask import Flask, current_app
from sqlalchemy import Row

from todo_service import database, errors
from todo_service.accounts import queries
from todo_service.identity import local_tokens, minting
from todo_service.identity.local_tokens import LocalToken
from todo_service.settings import Settings


def init_app(app: Flask, settings: Settings) -> None:
    """Check every token that says that it was made here."""
    app.extensions["account_settings"] = settings
    local_tokens.check_by(app, check)


def check(token: LocalToken) -> None:
    """Raises 401 if the token was revoked, or its account is inactive or deleted."""
    parameters = {
        "owner": token.user_id,
        "generation": token.generation,
        "jti": token.jti,
    }
    if not database.fetch_one(queries.SELECT_IF_GOOD, parameters):
        raise errors.bad_token("The token was revoked.", "revoked")


def answer(account: Row) -> dict[str, Any]:
    """What a client gets that has just proved who it is: a new token, and the user."""
    settings: Settings = current_app.extensions["account_settings"]
    token = minting.mint(
        settings,
        account.id,
        seconds=settings.access_token_ttl,
        kid=local_tokens.KID,
        jti=str(uuid4()),
        generation=account.token_generation,
    )
    return {
        "access_token": token,
        "token_type": "bearer",
        "expires_in": settings.access_token_ttl,
        "user": user(account),
    }


def user(account: Row) -> dict[str, Any]:
    """What clients see of an account."""
    return {name: getattr(account, name) for name in queries.PUBLIC}


def revoke(token: LocalToken) -> None:
    """End a token before it expires, for all workers at once.

    The row stays until no worker accepts the token: the service allows a leeway after
    `exp`, and PostgreSQL's clock may be ahead by another.
    """
    settings: Settings = current_app.extensions["account_settings"]
    parameters = {
        "owner": token.user_id,
        "jti": token.jti,
        "kept_until": token.expires_at + 2 * settings.jwt_leeway,
    }
    database.fetch_one(queries.INSERT_REVOKED, parameters)
