"""Tokens: a JWT becomes the id of its user, or is refused. No third outcome.

The key decides the algorithm, never the token: the secret verifies HS256 and nothing
else, a JWK its own algorithm and nothing else (RFC 8725, 3.1). What a token's header
says of keys (`jwk`, `jku`, `x5u`, `x5c`) is not looked at.
"""

import time
from base64 import urlsafe_b64encode
from collections.abc import Iterable
from hashlib import sha256

import jwt

from todo_service import errors
from todo_service.config import Settings
from todo_service.identity.keys import KeySet

USER_ID_LENGTH = 255
REMEMBERED = 60  # seconds at most, and never past the token's `exp`
REMEMBERED_TOKENS = 10_000


class Verifier:
    """Turns tokens into user ids, and remembers for a minute which it has verified."""

    def __init__(self, settings: Settings, keys: KeySet | None):
        self._settings = settings
        self._keys = keys
        self._secret = _secret_key(settings.better_auth_secret)
        self._remembered: dict[bytes, tuple[str, float]] = {}

    def user_id(self, token: str) -> str:
        """The user whom a token is for: 401 where it does not verify.

        503 where that cannot be known, because the issuer's keys cannot be had.
        """
        # By a digest of the exact text: two spellings of one token are two tokens.
        digest = sha256(token.encode()).digest()
        user_id, until = self._remembered.get(digest, ("", 0.0))
        if time.time() < until:
            if self._keys:
                self._keys.refresh_if_old()
            return user_id
        claims = self._verified(token)
        self._remember(digest, claims)
        return claims["sub"]

    def _verified(self, token: str) -> dict:
        try:
            # The header alone, to find the key; `decode` reads it again, and checks.
            header = jwt.get_unverified_header(token.partition(".")[0] + "..")
            key, issuer, audience = self._trust(header)
            claims = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=issuer,
                audience=audience or None,
                leeway=self._settings.jwt_leeway,
                options={
                    "require": _required(issuer, audience),
                    "verify_aud": bool(audience),
                },
            )
        except jwt.ExpiredSignatureError:
            raise errors.bad_token("The token has expired.") from None
        except jwt.PyJWTError:
            raise errors.bad_token("The token is not valid.") from None
        _check_claims(claims)
        return claims

    def _trust(self, header: dict) -> tuple[jwt.PyJWK, str | None, list[str]]:
        """The key that has to have signed, and whom the token then has to name."""
        settings = self._settings
        if header.get("alg") == "HS256" and self._secret:
            return self._secret, settings.jwt_issuer, settings.jwt_audience
        key = self._keys and self._keys.find(header.get("kid"), header.get("alg"))
        if not key:
            raise errors.bad_token("The token's key is not known.")
        return key, settings.issuer, settings.audience

    def _remember(self, digest: bytes, claims: dict) -> None:
        if len(self._remembered) >= REMEMBERED_TOKENS:
            self._remembered = {}
        until = min(time.time() + REMEMBERED, claims["exp"])
        self._remembered[digest] = (claims["sub"], until)


def _secret_key(secret: str | None) -> jwt.PyJWK | None:
    if secret is None:
        return None
    encoded = urlsafe_b64encode(secret.encode()).decode().rstrip("=")
    return jwt.PyJWK({"kty": "oct", "k": encoded}, "HS256")


def _required(issuer: str | None, audience: Iterable[str]) -> list[str]:
    optional = {"iss": issuer, "aud": audience}
    return ["exp", "sub", *(claim for claim, wanted in optional.items() if wanted)]


def _check_claims(claims: dict) -> None:
    """What PyJWT lets pass: times as text, a user id that cannot be stored."""
    if any(isinstance(claims.get(name), (str, bool)) for name in ("exp", "nbf", "iat")):
        raise errors.bad_token("The token's times must be numbers.")
    if not _storable(claims["sub"]):
        raise errors.bad_token("The token's sub must be 1 to 255 characters of text.")


def _storable(user_id: str) -> bool:
    if not 0 < len(user_id) <= USER_ID_LENGTH or "\0" in user_id:
        return False
    return user_id.encode(errors="ignore").decode() == user_id
