"""Opaque tokens that clients carry from one answer to the next request.

A token names a place in one user's data: a page's end, a point in time. It needs no
secret, because the owner's equality is in every statement; a digest of what it was
made under tells an altered or foreign one from a good one.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as BadBase64
from hashlib import sha256
from typing import Any

import orjson

DIGEST_BYTES = 12


def seal(place: list, *context: Any) -> str:
    """A token for a place, good only where the same context is given again."""
    body = orjson.dumps(place)
    return urlsafe_b64encode(_digest(body, context) + body).decode().rstrip("=")


def unseal(token: str, *context: Any) -> list:
    """The place that a token names. Raises `ValueError` for one not made here."""
    try:
        raw = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (BadBase64, ValueError):
        raise ValueError("not base64") from None
    digest, body = raw[:DIGEST_BYTES], raw[DIGEST_BYTES:]
    place = orjson.loads(body) if digest == _digest(body, context) else None
    if place is None or seal(place, *context) != token:
        raise ValueError("not made here, or under something else")
    return place


def fingerprint(*context: Any) -> str:
    """A short digest of anything that JSON can say."""
    return sha256(orjson.dumps(context, option=orjson.OPT_SORT_KEYS)).hexdigest()[:24]


def _digest(body: bytes, context: tuple) -> bytes:
    return sha256(body + fingerprint(*context).encode()).digest()[:DIGEST_BYTES]
