"""Passwords: hashes them, and checks them against hashes, with Argon2id.

Hashing takes long on purpose. It never happens while a database connection is held, and
only a few threads do it at once: see `turns`.
"""

import unicodedata

from argon2 import PasswordHasher, Type
from argon2.exceptions import VerifyMismatchError
from flask import Flask, current_app

from todo_service.accounts.schemas import LONGEST_PASSWORD
from todo_service.accounts.turns import Turns
from todo_service.settings import Settings, cores

# OWASP's Password Storage Cheat Sheet: 19 MiB of memory, two passes, one lane.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)
# For whoever has no account: checking it takes as long, and no password is known.
NOBODYS_HASH = f"$argon2id$v=19$m=19456,t=2,p=1${'A' * 22}${'A' * 43}"


def init_app(app: Flask, settings: Settings) -> None:
    """Give each worker process its share of the cores, and some threads to wait."""
    app.extensions["hashing_turns"] = Turns(
        at_once=max(1, cores.available() // settings.web_concurrency),
        waiting=settings.gunicorn_threads // 4,
    )


def hashed(password: str) -> str:
    """A new hash, with its salt and parameters. 503 if too many threads hash."""
    with _turns().take():
        return HASHER.hash(_spelled(password))


def matches(password: str, password_hash: str) -> bool:
    """True if the hash is this password's. 503 if too many threads hash.

    A text that is too long for a password matches nothing, and costs no hash.
    """
    if len(password) > LONGEST_PASSWORD:
        return False
    with _turns().take():
        try:
            return HASHER.verify(password_hash, _spelled(password))
        except VerifyMismatchError:
            return False


def is_outdated(password_hash: str) -> bool:
    """True if the hash was made with other parameters than today's."""
    return HASHER.check_needs_rehash(password_hash)


def _turns() -> Turns:
    return current_app.extensions["hashing_turns"]


def _spelled(password: str) -> str:
    """The password in one spelling: keyboards differ in how they send an accent.

    Equivalent characters become one, others stay (NFC, as RFC 8265, 4.2 says).
    """
    return unicodedata.normalize("NFC", password)
