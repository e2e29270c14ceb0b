"""URLs as settings spell them: a database's, an issuer's, a browser origin, Redis.

Each function raises `ValueError` with what the URL must be, never with what it was.
"""

import re
from urllib.parse import SplitResult, urlsplit

import psycopg2
from psycopg2.extensions import parse_dsn
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

# For other drivers: consoles of hosting providers offer them, libpq refuses them.
FOREIGN_PARAMETERS = (
    "connection_limit",
    "pgbouncer",
    "pool_timeout",
    "schema",
    "socket_timeout",
    "statement_cache_size",
)
# Behind a user with a password, perhaps: hosts with a comma between them.
SEVERAL_HOSTS = re.compile(
    r"(?<=://)(?:[^:/]*(?::[^@]*)?@)?(?P<hosts>[^/?@]*,[^/?@]*)(?=[/?]|$)"
)
POSTGRES_PORT = "5432"
# Else each new connection would wait for the first host, also if that one is silent.
ANY_HOST_FIRST = {"load_balance_hosts": "random"}


def postgres(text: str) -> URL:
    """A PostgreSQL URL in any of its spellings, for psycopg2.

    Since SQLAlchemy 2.1 `postgresql://` alone means another driver.
    """
    try:
        url = _with_several_hosts(text)
        known = url.drivername.partition("+")[0] in ("postgres", "postgresql")
    except (ArgumentError, ValueError, psycopg2.ProgrammingError):
        known = False
    if not known:
        raise ValueError("must be like postgresql://user:password@host/database.")
    url = url.difference_update_query(FOREIGN_PARAMETERS)
    try:
        parse_dsn(" ".join(f"{name}=x" for name in url.query))
    except psycopg2.ProgrammingError:
        raise ValueError("has a parameter that libpq does not know.") from None
    return url.set(drivername="postgresql+psycopg2")


def _with_several_hosts(text: str) -> URL:
    """SQLAlchemy's URL, also of libpq's `host1:port1,host2:port2`.

    SQLAlchemy reads that as one host, or with the last port for all. So libpq reads it,
    and the hosts move into the query. Raises what both raise.
    """
    found = SEVERAL_HOSTS.search(text)
    if not found:
        return make_url(text)
    read = parse_dsn("postgresql://" + found["hosts"])
    ports = [port or POSTGRES_PORT for port in read["port"].split(",")]
    if not all(port.isdecimal() for port in ports):
        raise ValueError("A port must be a number.")
    rest = make_url(text[: found.start("hosts")] + text[found.end("hosts") :])
    hosts = {"host": read["host"], "port": ",".join(ports)}
    return rest.set(query={**ANY_HOST_FIRST, **rest.query, **hosts})


def web(text: str) -> str:
    """An absolute http(s) URL without credentials, as it stands."""
    _split(text)
    return text


def origin(text: str) -> str:
    """Scheme, lower-case host, and the port unless it is the scheme's default.

    Better Auth's `iss` and `aud` are the origin of its base URL (WHATWG URL, 4.7).
    """
    parts = _split(text)
    host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else parts.hostname
    default = {"http": 80, "https": 443}[parts.scheme]
    port = "" if parts.port in (None, default) else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def browser_origin(text: str) -> str:
    """What a browser sends as `Origin`: an origin and nothing behind it; or `*`."""
    if text != "*" and origin(text) != text.lower():
        raise ValueError("must be origins like https://app.example.com.")
    return text.lower()


def better_auth_base(text: str) -> str:
    """A Better Auth base URL: an origin, perhaps a path, and no trailing slash."""
    parts = _split(text)
    if parts.query or parts.fragment:
        raise ValueError("must be a base URL like https://app.example.com.")
    return origin(text) + parts.path.rstrip("/")


def better_auth_jwks(base: str) -> str:
    """Where a Better Auth server publishes its keys."""
    return f"{base}/jwks" if urlsplit(base).path else f"{base}/api/auth/jwks"


def redis(text: str) -> str:
    """The URL of a Redis. Its path is the number of a database, or missing."""
    try:
        parts = urlsplit(text)
        named = parts.scheme in ("redis", "rediss") and parts.hostname
        # redis-py would not refuse an unknown parameter before it connects.
        plain = parts.port != 0 and not (parts.query or parts.fragment)
    except ValueError:
        named = plain = False
    if not (named and plain and re.fullmatch(r"/?|/\d+", parts.path)):
        raise ValueError("must be like redis://:password@host:6379/0 or rediss://….")
    return text


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if not good or "@" in parts.netloc:
        raise ValueError("must be an http(s) URL like https://app.example.com.")
    return parts
