"""JWK sets (RFC 7517): an issuer's document becomes keys that verify.

- A key verifies one algorithm: its `alg`, else what its type and curve imply.
- Left out: keys that `use` or `key_ops` keep from verifying, secret and private ones,
  weak ones, and those too large to verify with. Members that are null count as absent.
- A key that cannot be read costs no other. A set without a usable key is no set.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import jwt

from todo_service.identity import jws

# The names that tokens use for it: RFC 9864 gives EdDSA on Ed25519 a second one.
ALGORITHMS = {"EdDSA", "Ed25519", "ES256", "ES512", "RS256", "PS256"}
RSA_BITS = 8192  # at most: what verifies costs time


@dataclass(frozen=True, slots=True)
class Key:
    """A key that verifies one algorithm and nothing else (RFC 8725, 3.1)."""

    kid: str | None
    algorithm: str
    jwk: jwt.PyJWK

    def signed(self, token: jws.Parts) -> bool:
        """Whether this key made the token's signature, by its own algorithm."""
        return token.header["alg"] == self.algorithm and self.jwk.Algorithm.verify(
            token.signed, self.jwk.key, token.signature
        )


def parse(document: bytes) -> list[Key]:
    """The keys of a set that may verify. Raises `ValueError` where there are none."""
    listed = jws.json_object(document).get("keys")
    if not isinstance(listed, list):
        raise ValueError("the answer is not a JWK set")
    keys = [key for jwk in listed if isinstance(jwk, dict) for key in _usable(jwk)]
    if not keys:
        raise ValueError("the JWK set has no key that can be used")
    return keys


def pick(keys: Iterable[Key], kid: str | None, algorithm: str) -> Key | None:
    """By `kid`, the algorithm deciding between namesakes; without, the only one."""
    if kid is None:
        fitting = [key for key in keys if key.algorithm == algorithm]
        return fitting[0] if len(fitting) == 1 else None
    named = [key for key in keys if key.kid == kid]
    fitting = [key for key in named if key.algorithm == algorithm]
    return next(iter(fitting or named), None)


def _usable(jwk: dict[str, Any]) -> Iterator[Key]:
    """The key under each name of its algorithm; nothing if it must not be used."""
    jwk = {name: value for name, value in jwk.items() if value is not None}
    key = _read(jwk) if _may_verify(jwk) else None
    if key and key.algorithm in ALGORITHMS and _is_sound(key.jwk):
        yield key
        if jwk.get("crv") == "Ed25519":
            yield replace(key, algorithm="Ed25519")


def _may_verify(jwk):
    operations = jwk.get("key_ops", ["verify"])
    return (
        isinstance(jwk.get("alg", ""), str)
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and "d" not in jwk  # a private key that was published proves nothing any more
        and (jwk.get("alg") != "Ed25519" or jwk.get("crv") == "Ed25519")
    )


def _read(jwk):
    kid, algorithm = jwk.get("kid"), jwk.get("alg")
    try:
        read = jwt.PyJWK(jwk, "EdDSA" if algorithm == "Ed25519" else algorithm)
        read.Algorithm.prepare_key(read.key)  # refuses another algorithm's curve
    except Exception:  # Whatever it makes the libraries raise: KeyError, TypeError …
        return None
    return Key(kid if isinstance(kid, str) else None, read.algorithm_name, read)


def _is_sound(jwk):
    bits = jwk.key.key_size if jwk.key_type == "RSA" else 0
    return bits <= RSA_BITS and not jwk.Algorithm.check_key_length(jwk.key)
