"""Rate limits: counts requests by their user, or by their address if they have no user.

`RATE_LIMIT` holds for each user. A request whose authentication fails has no user: it
counts against its address, and so cannot use up what others behind the same proxy have.
`AUTH_RATE_LIMIT` holds for requests that try a password, which cost more.
"""

from flask import Flask, Response, current_app, g

from todo_service.settings import Settings
from todo_service.web.rate_limits import addresses
from todo_service.web.rate_limits.limiter import Limiter
from todo_service.web.rate_limits.memory_windows import MemoryWindows
from todo_service.web.rate_limits.redis_windows import RedisWindows


def init_app(app: Flask, settings: Settings) -> None:
    """Make the limiters; say in every counted answer what its limit leaves."""
    addresses.init_app(app, settings)
    url = settings.rate_limit_storage_url
    redis = RedisWindows(url) if url else None
    limits = {
        "user": settings.rate_limit,
        "address": settings.rate_limit,
        "password of user": settings.auth_rate_limit,
        "password of address": settings.auth_rate_limit,
    }
    app.extensions["rate_limits"] = {
        name: Limiter(name, limit, redis or MemoryWindows())
        for name, limit in limits.items()
    }
    app.after_request(_add_headers)


def count_user(user_id: str, requests: int = 1) -> None:
    """Counts this request as so many of the user's. Raises 429 beyond the limit."""
    _limiter("user").count(user_id, requests)


def count_address() -> None:
    """Counts this request as one of its address's. Raises 429 beyond the limit."""
    _limiter("address").count(addresses.of_request())


def count_password_of_user(user_id: str) -> None:
    """Counts this request as one of the user's that tries a password, else 429."""
    _limiter("password of user").count(user_id)


def count_password_of_address() -> None:
    """Counts this request as one of its address's that tries a password, else 429."""
    _limiter("password of address").count(addresses.of_request())


def _limiter(name: str) -> Limiter:
    return current_app.extensions["rate_limits"][name]


def _add_headers(response: Response) -> Response:
    standing = g.get("rate_limit")
    if standing:
        response.headers.add("RateLimit-Limit", standing.limit)
        response.headers.add("RateLimit-Remaining", standing.remaining)
        response.headers.add("RateLimit-Reset", standing.reset)
    return response
