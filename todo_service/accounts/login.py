"""Who signs in: an e-mail and a password become an account, or a 401.

Unknown e-mail, wrong password and inactive account are one answer, after the same work:
one statement and one hash.
"""

from sqlalchemy import Row

from todo_service import database, errors
from todo_service.accounts import emails, passwords, queries


def log_in(email: str, password: str) -> Row:
    """The active account of this e-mail and password. Raises 401 if there is none.

    The password's hash is renewed if today's parameters are others.
    """
    account = database.fetch_one(queries.SELECT_BY_EMAIL, {"address": _address(email)})
    known_hash = account.password_hash if account else passwords.NOBODYS_HASH
    right = passwords.matches(password, known_hash)
    if not (account and account.is_active and right):
        message = "The e-mail address or the password is wrong."
        error = errors.UnauthenticatedError(message, "Bearer")
        raise errors.because("wrong_password", error)
    if passwords.is_outdated(known_hash):
        _renew(account, password)
    return account


def _address(email: str) -> str | None:
    """The address as it is stored; None, which no account has, if it is not valid."""
    try:
        return emails.canonical(email)
    except ValueError:
        return None


def _renew(account: Row, password: str) -> None:
    parameters = {
        "owner": account.id,
        "old_hash": account.password_hash,
        "new_hash": passwords.hashed(password),
    }
    database.fetch_one(queries.UPDATE_HASH, parameters)
