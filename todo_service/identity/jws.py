"""Compact JWS (RFC 7515): a token's text becomes its parts, or is malformed.

Strict where libraries are lenient: three parts, base64url in its one spelling (no
padding, no stray character, no loose bits), a header that is a JSON object. Headers
that change what the signature covers (`crit`, `b64`) are refused: we know no extension.
"""

import json
from typing import Any, NamedTuple

from todo_service.web import base64url


class Parts(NamedTuple):
    """What a token says, none of it verified yet."""

    header: dict[str, Any]
    payload: bytes
    signature: bytes
    signed: bytes


def parse(token: bytes) -> Parts:
    """The parts of a token. Raises `ValueError` where it is malformed."""
    header, payload, signature = token.split(b".")
    return Parts(
        _checked(json_object(base64url.decode(header))),
        base64url.decode(payload),
        base64url.decode(signature),
        token.rpartition(b".")[0],
    )


def json_object(text: bytes) -> dict[str, Any]:
    """A JSON object; of a name given twice the last counts (RFC 7515, 4).

    Raises `ValueError` for anything else. A lone surrogate passes: JavaScript makes
    them by cutting a user's name, which must not cost that user the door.
    """
    try:
        found = JSON.decode(text.decode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("not a JSON object")
    return found


def _refuse(constant):
    raise ValueError(f"{constant} is not JSON")


JSON = json.JSONDecoder(parse_constant=_refuse)


def _checked(header: dict[str, Any]) -> dict[str, Any]:
    if "crit" in header or "b64" in header:
        raise ValueError("an extension that is not supported")
    if not isinstance(header.get("alg"), str):
        raise ValueError("alg is not text")
    if not isinstance(header.get("kid", ""), str):
        raise ValueError("kid is not text")
    return header
