"""Opaque tokens that clients carry from one answer to the next request.

A token names a place in one user's data: a page's end, a point in time. It needs no
secret, because the owner's equality is in every statement; a digest of what it was
made under tells an altered or foreign one from a good one.
"""

from hashlib import sha256
from typing import Any

import orjson

from todo_service import base64url

DIGEST_BYTES = 12


def seal(place: list, *context: Any) -> str:
    """A token for a place, good only where the same context is given again."""
    body = orjson.dumps(place)
    return base64url.encode(_digest(body, context) + body).decode()


def unseal(token: str, *context: Any) -> list:
    """The place that a token names. Raises `ValueError` for one not made here."""
    place = orjson.loads(base64url.decode(token.encode())[DIGEST_BYTES:])
    if seal(place, *context) != token:
        raise ValueError("not made here, or under something else")
    return place


def fingerprint(*context: Any) -> str:
    """A short digest of anything that JSON can say."""
    return sha256(orjson.dumps(context, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def _digest(body: bytes, context: tuple) -> bytes:
    return sha256(body + fingerprint(*context).encode()).digest()[:DIGEST_BYTES]
