"""Safe retries: what makes two requests the same one."""

import re
from hashlib import sha256

import orjson
from flask import abort, request

VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")


def idempotency_key() -> str | None:
    """The request's key, or None; 400 for one that is none."""
    key = request.headers.get("Idempotency-Key")
    if key is not None and not VISIBLE_ASCII.fullmatch(key):
        abort(400, "Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return key


def digest(values: dict) -> bytes:
    """Of a body as it is after validation, defaults filled in."""
    return sha256(orjson.dumps(values, option=orjson.OPT_SORT_KEYS)).digest()
