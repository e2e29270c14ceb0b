"""Verifies tokens: a JWT becomes its user, or a 401.

The key decides the algorithm, never the token: the secret verifies HS256 and nothing
else, a JWK its own algorithm and nothing else (RFC 8725, 3.1). Keys that a token's
header brings along (`jwk`, `jku`, `x5u`, `x5c`) are not used.
"""

import time
from collections.abc import Callable
from hashlib import sha256
from typing import Any, NamedTuple

import jwt
from jwt.algorithms import HMACAlgorithm

from todo_service.identity import decoding, local_tokens, strictness
from todo_service.identity.keys import KeySet
from todo_service.identity.local_tokens import LocalToken
from todo_service.settings import Settings

REMEMBERED_SECONDS = 60
REMEMBERED_TOKENS = 10_000


class Verified(NamedTuple):
    """Whose token it is; `local` if it says that it was made here."""

    user_id: str
    local: LocalToken | None = None


NOTHING = (Verified(""), 0.0)


class Verifier:
    """Turns tokens into users. Remembers verified tokens for a minute."""

    def __init__(
        self,
        settings: Settings,
        keys: KeySet | None,
        *,
        clock: Callable[[], float] = time.time,
    ):
        self.keys = keys
        self._clock = clock
        self._leeway = settings.jwt_leeway
        self._secret = _secret_key(settings.better_auth_secret)
        self._decode_by_secret = decoding.decoder(
            settings.jwt_issuer, settings.jwt_audience
        )
        self._decode_by_jwk = decoding.decoder(
            settings.jwks_issuer, settings.jwks_audience
        )
        # By the digest of a token: its user, and until when it is remembered.
        self.remembered: dict[bytes, tuple[Verified, float]] = {}

    def verify(self, token: str) -> Verified:
        """The user of a token. A token that was made here may still be revoked.

        Raises 401 if the token does not verify, 503 if its key cannot be fetched.
        """
        # The digest of the exact text: another spelling is another token.
        digest = sha256(token.encode()).digest()
        found, until = self.remembered.get(digest, NOTHING)
        if self._clock() < until:
            if self.keys:
                self.keys.refresh_if_old()
            return found
        try:
            found, expires_at = self._read(token)
        except jwt.InvalidTokenError as error:
            raise decoding.refusal(error) from None
        self._remember(digest, found, expires_at)
        return found

    def _read(self, token: str) -> tuple[Verified, float]:
        """The token's user, and its `exp`."""
        header = strictness.read_header(token)
        key, decode = self._choose(header)
        claims = decode(token, key)
        strictness.check_times(claims, now=self._clock(), leeway=self._leeway)
        strictness.check_user_id(claims["sub"])
        # An issuer may call a key of its own by the same name.
        ours = key is self._secret and header.get("kid") == local_tokens.KID
        local = local_tokens.read(claims) if ours else None
        return Verified(claims["sub"], local), claims["exp"]

    def _choose(self, header: dict[str, Any]) -> tuple[jwt.PyJWK, decoding.Decode]:
        """The key that must have signed the token, and how to decode with it."""
        algorithm = header["alg"]
        if algorithm == "HS256" and self._secret:
            return self._secret, self._decode_by_secret
        key = self.keys.find(header.get("kid"), algorithm) if self.keys else None
        if not key:
            raise strictness.RefusedError(
                "The token's key is not known.", "unknown_key"
            )
        return key, self._decode_by_jwk

    def _remember(self, digest: bytes, found: Verified, expires_at: float) -> None:
        """Remembers a token for a minute, and never past its `exp`."""
        if len(self.remembered) >= REMEMBERED_TOKENS:
            self.remembered = {}
        until = min(self._clock() + REMEMBERED_SECONDS, expires_at)
        self.remembered[digest] = (found, until)


def _secret_key(secret: str | None) -> jwt.PyJWK | None:
    if secret is None:
        return None
    return jwt.PyJWK(HMACAlgorithm.to_jwk(secret, as_dict=True), "HS256")
