"""Fetching a document from a server that may hang, drip, flood or lead astray.

A time-out per socket operation does not end a body that drips, so a watch cuts the
connection when the whole fetch has had its time.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from urllib import request
from urllib.error import URLError
from urllib.parse import urlsplit

from todo_service import urls

HEADERS = {"Accept": "application/json", "User-Agent": "todo-service"}
LIMIT = 512 * 1024  # bytes

FAILURES = (OSError, ValueError, HTTPException)


def fetch(url: str, *, seconds: float) -> bytes:
    """The body of a 200 answer, at most 512 KiB, within these seconds altogether.

    Redirects are followed within the origin. Raises one of `FAILURES`.
    """
    with _watch(seconds) as sockets:
        opener = request.build_opener(
            request.ProxyHandler({} if _is_loopback(url) else None),
            _SameOrigin(),
            _HTTP(sockets),
            _HTTPS(sockets),
        )
        asked = request.Request(url, headers=HEADERS)  # noqa: S310 - http(s) by config
        with opener.open(asked, timeout=seconds) as response:
            body = response.read(LIMIT + 1)
    if len(body) > LIMIT:
        raise ValueError(f"the answer is larger than {LIMIT} bytes")
    return body


@contextmanager
def _watch(seconds: float) -> Iterator[list[socket.socket]]:
    """A list of sockets that are cut when the time is up, the later ones too."""
    sockets: list[socket.socket] = []
    done = threading.Event()
    late = time.monotonic() + seconds

    def cut():
        done.wait(seconds)
        while not done.wait(0.05):
            for each in sockets:
                with suppress(OSError):
                    # The plain socket's: TLS would send its own farewell, and wait.
                    socket.socket.shutdown(each, socket.SHUT_RDWR)

    threading.Thread(target=cut, daemon=True).start()
    try:
        yield sockets
        if time.monotonic() > late:
            raise TimeoutError("the answer took too long")
    finally:
        done.set()


def _watched(kind, sockets, host, **options):
    """A connection that shows its socket to the watch as soon as it has one."""
    connection = kind(host, **options)
    connect = connection.connect

    def connect_in_sight():
        connect()
        sockets.append(connection.sock)

    connection.connect = connect_in_sight
    return connection


class _HTTP(request.HTTPHandler):
    def __init__(self, sockets):
        super().__init__()
        self._sockets = sockets

    def http_open(self, req):
        return self.do_open(partial(_watched, HTTPConnection, self._sockets), req)


class _HTTPS(request.HTTPSHandler):
    def __init__(self, sockets):
        super().__init__()
        self._sockets = sockets

    def https_open(self, req):
        return self.do_open(partial(_watched, HTTPSConnection, self._sockets), req)


class _SameOrigin(request.HTTPRedirectHandler):
    """An issuer may move its keys, not lend its name to another server."""

    def redirect_request(self, req, fp, code, msg, headers, newurl):
        if urls.origin(newurl) != urls.origin(req.full_url):
            raise URLError("redirected to another origin")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
