"""What people do with their accounts, as `docs/contract.md` says."""

from flask import Blueprint, abort
from flask.typing import ResponseReturnValue
from sqlalchemy import Row

from todo_service import database, identity
from todo_service.accounts import deletion, passwords, queries, schemas, tokens
from todo_service.accounts.login import log_in
from todo_service.accounts.registration import register
from todo_service.web import json_bodies, query_strings, rate_limits

REGISTRATION = schemas.Registration()
LOGIN = schemas.Login()
NEW_PASSWORD = schemas.NewPassword()
DELETION = schemas.Deletion()

blueprint = Blueprint("accounts", __name__, url_prefix="/auth")
blueprint.before_request(query_strings.refuse_undecodable)


@blueprint.post("/register")
def create_account() -> ResponseReturnValue:
    """Register, and be logged in at once."""
    rate_limits.count_password_of_address()
    sent = json_bodies.load(REGISTRATION)
    password_hash = passwords.hashed(sent["password"])
    return tokens.answer(register(sent["email"], password_hash, sent["name"])), 201


@blueprint.post("/login")
def create_token() -> ResponseReturnValue:
    """Get a token for an e-mail and a password."""
    rate_limits.count_password_of_address()
    sent = json_bodies.load(LOGIN)
    return tokens.answer(log_in(sent["email"], sent["password"]))


@blueprint.post("/logout")
def revoke_token() -> ResponseReturnValue:
    """End the token of this request."""
    token = identity.local_token()
    if token is None:
        abort(404, "This token was not made here.")
    tokens.revoke(token)
    return {"message": "Logged out"}


@blueprint.get("/me")
def read_account() -> ResponseReturnValue:
    """Read the user's own account."""
    return tokens.user(_account())


@blueprint.post("/password")
def change_password() -> ResponseReturnValue:
    """Set a new password. Every earlier token ends; the answer has a new one."""
    rate_limits.count_password_of_user(identity.user_id())
    sent = json_bodies.load(NEW_PASSWORD)
    parameters = _proved(sent["current_password"])
    parameters["new_hash"] = passwords.hashed(sent["new_password"])
    row = database.fetch_one(queries.UPDATE_PASSWORD, parameters)
    return tokens.answer(_or_403(row))


@blueprint.delete("/me")
def delete_account() -> ResponseReturnValue:
    """Delete the user's own account, and all tasks with it."""
    rate_limits.count_password_of_user(identity.user_id())
    sent = json_bodies.load(DELETION)
    parameters = _proved(sent["password"])
    _or_403(database.fetch_one(deletion.CLOSE_ACCOUNT, parameters))
    deletion.remove_tasks(database.fetch_one, identity.user_id())
    return {"message": "Account deleted"}


def _account() -> Row:
    """The account of the token's user. 404 for a user of an issuer."""
    row = database.fetch_one(queries.SELECT_ACCOUNT, {"owner": identity.user_id()})
    if row is None:
        abort(404, "This user has no account here.")
    return row


def _proved(password: str) -> dict[str, object]:
    """The parameters that pick out the account as long as it has this password.

    Raises 403 if the password is wrong.
    """
    account = _account()
    if not passwords.matches(password, account.password_hash):
        _or_403(None)
    return {"owner": account.id, "generation": account.token_generation}


def _or_403(row: Row | None) -> Row:
    """The row. Raises 403 if there is none: the password was another one."""
    if row is None:
        abort(403, "The password is wrong.")
    return row
