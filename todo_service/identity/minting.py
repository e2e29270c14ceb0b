"""Makes tokens: the service signs them with its secret, as a front end would."""

import time
from typing import Any

import jwt

from todo_service.settings import Settings


def mint(
    settings: Settings,
    user_id: str,
    *,
    seconds: int,
    kid: str | None = None,
    **claims: Any,
) -> str:
    """A token of this user that is good for these seconds; the secret must be set.

    `iss` and `aud` are what the service demands of tokens that its secret signed.
    """
    now = int(time.time())
    everything = {"sub": user_id, "iat": now, "exp": now + seconds, **claims}
    if settings.jwt_issuer:
        everything["iss"] = settings.jwt_issuer
    if settings.jwt_audience:
        everything["aud"] = settings.jwt_audience[0]
    header = {"kid": kid} if kid else None
    return jwt.encode(everything, str(settings.better_auth_secret), "HS256", header)
