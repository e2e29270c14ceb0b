"""Idempotency keys: what makes a repeated request the same request."""

import re
from hashlib import sha256
from typing import Any

import orjson
from flask import abort, request
from marshmallow import Schema, fields

VISIBLE_ASCII = re.compile(r"[\x21-\x7e]{1,255}")


def key() -> str | None:
    """The request's `Idempotency-Key`, or None. 400 if the header is not valid."""
    sent = request.headers.get("Idempotency-Key")
    if sent is not None and not VISIBLE_ASCII.fullmatch(sent):
        abort(400, "Idempotency-Key must be 1 to 255 visible ASCII characters.")
    return sent


def digest(schema: Schema, values: dict[str, Any]) -> bytes:
    """A digest of a body that the schema loaded: equal bodies have equal digests.

    A value that equals its field's default counts as left out. So a request that is
    repeated after a release which adds a field still has the digest that it had.
    """
    said = {
        name: value
        for name, value in values.items()
        if value != _default(schema.fields[name])
    }
    return sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


def _default(field: fields.Field) -> Any:
    default = field.load_default
    return default() if callable(default) else default
