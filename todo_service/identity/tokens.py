"""Tokens: a JWT becomes the id of its user, or is refused. No third outcome.

The key decides the algorithm, never the token: the secret verifies HS256 and nothing
else, a JWK its own algorithm and nothing else (RFC 8725, 3.1). What a token's header
says of keys (`jwk`, `jku`, `x5u`, `x5c`) is not looked at.
"""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any

import jwt

from todo_service import errors
from todo_service.identity import claims, jwks, jws
from todo_service.identity.keys import KeySet
from todo_service.settings import Settings
from todo_service.web import base64url

REMEMBERED = 60  # seconds at most, and never past the token's `exp`
REMEMBERED_TOKENS = 10_000


class Verifier:
    """Turns tokens into user ids, and remembers for a minute which it has verified."""

    def __init__(
        self,
        settings: Settings,
        keys: KeySet | None,
        *,
        clock: Callable[[], float] = time.time,
    ):
        self._keys = keys
        self._clock = clock
        self._leeway = settings.jwt_leeway
        self._secret = _secret_key(settings.better_auth_secret)
        self._of_secret = claims.Expected(settings.jwt_issuer, settings.jwt_audience)
        self._of_issuer = claims.Expected(settings.jwks_issuer, settings.jwks_audience)
        self._remembered: dict[bytes, tuple[str, float]] = {}

    def user_id(self, token: str) -> str:
        """The user whom a token is for: 401 where it does not verify.

        503 where that cannot be known, because the issuer's keys cannot be had.
        """
        text = token.encode()
        # By a digest of the exact text: two spellings of one token are two tokens.
        digest = sha256(text).digest()
        user_id, until = self._remembered.get(digest, ("", 0.0))
        if self._clock() < until:
            if self._keys:
                self._keys.refresh_if_old()
            return user_id
        verified = self._verified(text)
        self._remember(digest, verified["sub"], verified["exp"])
        return verified["sub"]

    def _verified(self, text: bytes) -> dict[str, Any]:
        try:
            token = jws.parse(text)
            key, expected = self._trust(token.header)
            said = jws.json_object(token.payload) if key.signed(token) else None
        except ValueError:
            said = None
        if said is None:
            raise errors.bad_token("The token is not valid.")
        claims.check(said, expected, now=self._clock(), leeway=self._leeway)
        return said

    def _trust(self, header: dict[str, Any]) -> tuple[jwks.Key, claims.Expected]:
        """The key that has to have signed, and whom the token then has to name."""
        algorithm = header["alg"]
        if algorithm == "HS256" and self._secret:
            return self._secret, self._of_secret
        key = self._keys.find(header.get("kid"), algorithm) if self._keys else None
        if not key:
            raise errors.bad_token("The token's key is not known.")
        return key, self._of_issuer

    def _remember(self, digest: bytes, user_id: str, expires: float) -> None:
        if len(self._remembered) >= REMEMBERED_TOKENS:
            self._remembered = {}
        until = min(self._clock() + REMEMBERED, expires)
        self._remembered[digest] = (user_id, until)


def _secret_key(secret: str | None) -> jwks.Key | None:
    if secret is None:
        return None
    encoded = base64url.encode(secret.encode()).decode()
    jwk = jwt.PyJWK({"kty": "oct", "k": encoded}, "HS256")
    return jwks.Key(None, "HS256", jwk)
