"""Opaque tokens that clients carry from one answer to the next request.

A token names a place in one user's data: the end of a page, a point in time. It needs
no secret: a forged token reaches no other user's rows, because every statement names
the owner. A digest of the context in which a token was made detects altered and foreign
ones.
"""

from hashlib import sha256
from typing import Any

import orjson

from todo_service.web import base64url

DIGEST_BYTES = 12


def seal(place: list, *context: Any) -> str:
    """A token for a place; only the same context opens it again."""
    body = orjson.dumps(place)
    return base64url.encode(_digest(body, context) + body).decode()


def unseal(token: str, *context: Any) -> list:
    """The place that a token names.

    Raises `ValueError` for a token that was altered, or made in another context.
    """
    place = orjson.loads(base64url.decode(token.encode())[DIGEST_BYTES:])
    if seal(place, *context) != token:
        raise ValueError("not a token of this context")
    return place


def fingerprint(*context: Any) -> str:
    """A short digest of anything that JSON can say."""
    return sha256(orjson.dumps(context, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def _digest(body: bytes, context: tuple) -> bytes:
    return sha256(body + fingerprint(*context).encode()).digest()[:DIGEST_BYTES]
