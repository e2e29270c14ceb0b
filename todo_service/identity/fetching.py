"""Fetching a document from a server that may hang, drip, flood or lead astray.

A time-out per socket operation does not end an answer that drips, be it in the body,
the headers or the TLS handshake. So a watch holds on to every connection from its first
moment, and cuts it when the whole fetch has had its time.
"""

import ipaddress
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from todo_service.settings import urls

HEADERS = {"Accept": "application/json", "User-Agent": "todo-service"}
LIMIT = 512 * 1024  # bytes
CONNECT_SECONDS = 1  # an address; a dead IPv6 must leave time for IPv4


def fetch(url: str, *, seconds: float) -> bytes:
    """The body of a 200 answer, at most 512 KiB, within these seconds altogether.

    Redirects are followed within the origin. Raises where anything is amiss.
    """
    with _watch(seconds) as sockets:
        opener = request.build_opener(
            request.ProxyHandler({} if _is_loopback(url) else None),
            _SameOrigin(),
            _HTTP(sockets),
            _HTTPS(sockets),
        )
        asked = request.Request(url, headers=HEADERS)  # noqa: S310 - http(s) by config
        with _open(opener, asked, seconds) as response:
            if response.status != HTTPStatus.OK:
                raise ValueError(f"the answer's status is {response.status}")
            return _body(response)


def _open(opener, asked, seconds):
    try:
        return opener.open(asked, timeout=seconds)
    except HTTPError as error:
        error.close()  # it is an open response as well
        raise


def _body(response: HTTPResponse) -> bytes:
    """Piece by piece: `read(LIMIT)` has no limit where a chunk's size is negative."""
    body = b""
    while piece := response.read1(LIMIT):
        body += piece
        if len(body) > LIMIT:
            raise ValueError(f"the answer is larger than {LIMIT} bytes")
    return body


@contextmanager
def _watch(seconds: float) -> Iterator[list[socket.socket]]:
    """A list of sockets that are cut when the time is up, the later ones too."""
    sockets: list[socket.socket] = []
    done = threading.Event()
    late = time.monotonic() + seconds

    def wait_and_cut():
        done.wait(seconds)
        while not done.wait(0.05):
            _cut(sockets)

    threading.Thread(target=wait_and_cut, daemon=True).start()
    try:
        yield sockets
    finally:
        done.set()
        _cut(sockets)
        for each in sockets:
            each.close()
        if time.monotonic() > late:  # however the cut showed itself
            raise TimeoutError("the answer took too long")


def _cut(sockets: list[socket.socket]) -> None:
    for each in list(sockets):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _watched(kind, sockets, host, **options):
    """A connection whose socket the watch sees before TLS or a proxy does."""
    connection = kind(host, **options)

    def connect(address, timeout, source):
        made = socket.create_connection(address, min(timeout, CONNECT_SECONDS), source)
        made.settimeout(timeout)
        # A duplicate: TLS takes the original away, and cutting either cuts both.
        sockets.append(made.dup())
        return made

    connection._create_connection = connect
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
        fp.close()  # unread: urllib would read it to its end, however far that is
        if urls.origin(newurl) != urls.origin(req.full_url):
            raise URLError("redirected to another origin")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _is_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
