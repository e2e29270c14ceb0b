"""Reads JWK sets (RFC 7517): an issuer's document becomes keys that verify.

- A key verifies one algorithm: its `alg`, or what its type and curve imply.
- These keys are left out: secret and private ones, weak ones, RSA keys that are too
  large, and keys that `use` or `key_ops` keeps from verifying.
- A member that is null counts as absent.
- A key that cannot be read does not spoil the others. A set must have a usable key.
"""

from collections.abc import Iterable, Iterator
from typing import Any

import jwt

from todo_service.identity import strictness

# The algorithms as tokens name them. RFC 9864 calls EdDSA with Ed25519 `Ed25519`.
ALGORITHMS = {"EdDSA", "Ed25519", "ES256", "ES512", "RS256", "PS256"}
RSA_BITS_AT_MOST = 8192  # A larger key takes too long to verify with.


def parse(document: bytes) -> list[jwt.PyJWK]:
    """The keys of a set that may verify. Raises `ValueError` if there are none."""
    listed = strictness.json_object(document).get("keys")
    if not isinstance(listed, list):
        raise ValueError("the answer is not a JWK set")
    keys = [key for jwk in listed if isinstance(jwk, dict) for key in _usable(jwk)]
    if not keys:
        raise ValueError("the JWK set has no key that can be used")
    return keys


def pick(
    keys: Iterable[jwt.PyJWK], kid: str | None, algorithm: str
) -> jwt.PyJWK | None:
    """The key that a token's header names; None if no key fits.

    Keys that share a `kid` are told apart by the algorithm. A token without `kid` gets
    the only key of its algorithm. A key of another algorithm may be returned: PyJWT
    then refuses the token, and no new set is fetched for it.
    """
    if kid is None:
        fitting = [key for key in keys if key.algorithm_name == algorithm]
        return fitting[0] if len(fitting) == 1 else None
    named = [key for key in keys if key.key_id == kid]
    fitting = [key for key in named if key.algorithm_name == algorithm]
    return next(iter(fitting or named), None)


def _usable(jwk: dict[str, Any]) -> Iterator[jwt.PyJWK]:
    """The key under each name of its algorithm; nothing if it must not be used."""
    jwk = {name: value for name, value in jwk.items() if value is not None}
    key = _read(jwk) if _may_verify(jwk) else None
    if key and key.algorithm_name in ALGORITHMS and _is_sound(key):
        yield key
        if jwk.get("crv") == "Ed25519":
            # PyJWT does not know the algorithm's second name.
            namesake = jwt.PyJWK(jwk, "EdDSA")
            namesake.algorithm_name = "Ed25519"
            yield namesake


def _may_verify(jwk: dict[str, Any]) -> bool:
    operations = jwk.get("key_ops", ["verify"])
    return (
        isinstance(jwk.get("alg", ""), str)
        and jwk.get("use", "sig") == "sig"
        and isinstance(operations, list)
        and "verify" in operations
        and "d" not in jwk  # Anyone can sign with a private key that is published.
        and (jwk.get("alg") != "Ed25519" or jwk.get("crv") == "Ed25519")
    )


def _read(jwk: dict[str, Any]) -> jwt.PyJWK | None:
    algorithm = jwk.get("alg")
    try:
        key = jwt.PyJWK(jwk, "EdDSA" if algorithm == "Ed25519" else algorithm)
        key.Algorithm.prepare_key(key.key)  # Refuses the curve of another algorithm.
    except Exception:
        # A bad key makes PyJWT and cryptography raise almost anything: KeyError …
        return None
    return key


def _is_sound(key: jwt.PyJWK) -> bool:
    bits = key.key.key_size if key.key_type == "RSA" else 0
    return bits <= RSA_BITS_AT_MOST and not key.Algorithm.check_key_length(key.key)
