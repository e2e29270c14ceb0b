"""Tokens as no library would write them."""

import json
from base64 import urlsafe_b64encode

import jwt


def compact(header, payload, sign) -> str:
    """A JWS in three parts; header and payload are objects, or bytes as they stand."""
    signed = f"{encoded(header)}.{encoded(payload)}"
    return f"{signed}.{encoded(sign(signed.encode()))}"


def signer(algorithm, key):
    """Signs bytes, whatever the header will say of it."""
    maker = jwt.get_algorithm_by_name(algorithm)
    return lambda some: maker.sign(some, key)


def encoded(part) -> str:
    """Base64url without padding."""
    if isinstance(part, dict):
        part = {name: value for name, value in part.items() if value is not None}
    some = part if isinstance(part, bytes) else json.dumps(part).encode()
    return urlsafe_b64encode(some).decode().rstrip("=")
