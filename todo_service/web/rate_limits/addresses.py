"""The address that a request counts for.

Each proxy appends the address of its peer to `X-Forwarded-For`. So with n trusted
proxies the n-th entry from the right is the client's. What stands left of it is the
client's own writing.
"""

import ipaddress
import logging
import threading
from collections.abc import Callable

from flask import Flask, current_app, request

from todo_service.settings import Settings

UNKNOWN = "unknown"
# A customer of a provider has at least this many addresses of IPv6.
IPV6_PREFIX = 64

log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Trust as many proxies as the settings say."""
    app.extensions["trusted_proxies"] = settings.trusted_proxies
    if settings.trusted_proxies == 0:
        app.before_request(_warner())


def of_request() -> str:
    """The client's IP address; of IPv6 its network, since clients have whole ones.

    It is the peer's address if too few proxies have appended theirs, or if what they
    appended is no IP address. A peer without an address (a Unix socket) is `unknown`.
    """
    peer = _network(request.remote_addr or "")
    trusted: int = current_app.extensions["trusted_proxies"]
    if trusted == 0:
        return peer or UNKNOWN
    # Not Werkzeug's ProxyFix: it reads quotes, with which a client can hide what the
    # proxies append, and it reads every request's header, of whatever length.
    entries = request.headers.get("X-Forwarded-For", "").rsplit(",", trusted)
    forwarded = entries[-trusted] if len(entries) >= trusted else ""
    return _network(forwarded.strip()) or peer or UNKNOWN


def _network(text: str) -> str | None:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    if isinstance(address, ipaddress.IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(address), IPV6_PREFIX), strict=False))


def _warner() -> Callable[[], None]:
    """A hook that warns once if a proxy is in front that the settings do not know."""
    first = threading.Lock()

    def warn_once() -> None:
        if "X-Forwarded-For" in request.headers and first.acquire(blocking=False):
            log.warning(
                "X-Forwarded-For has arrived, and TRUSTED_PROXIES is 0: if a proxy is"
                " in front, set it to the number of proxies. Until then all clients"
                " behind it share the limit for failed authentication."
            )

    return warn_once
