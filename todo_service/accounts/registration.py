"""Registers accounts: a new user, and the e-mail that is theirs."""

from uuid import uuid4

from flask import abort
from sqlalchemy import Row

from todo_service import database
from todo_service.accounts import queries
from todo_service.database.faults import KeyTakenError

# Two random ids that are equal do not happen. An id can be taken on purpose: whoever
# signs tokens chooses the users' ids in them.
ATTEMPTS = 3


def register(email: str, password_hash: str, name: str | None) -> Row:
    """The new account. Raises 409 if the e-mail is taken, also by a request of now.

    An id that a user has already is not given out: another one is tried.
    """
    account = {"address": email, "new_hash": password_hash, "new_name": name}
    try:
        for _ in range(ATTEMPTS):
            parameters = account | {"owner": str(uuid4())}
            if row := database.fetch_one(queries.INSERT_ACCOUNT, parameters):
                return row
    except KeyTakenError:
        abort(409, "This e-mail address has an account already.")
    raise RuntimeError("Every random id was taken.")
