"""Ends the HTTP connections of a fetch at its deadline.

A time-out applies to one socket operation. It does not end an answer that comes a byte
at a time, in the body, the headers or the TLS handshake. So a thread knows every socket
of a fetch from its creation, and shuts it down at the deadline.
"""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from typing import Any
from urllib import request

# For each address: if IPv6 does not answer, there must be time left for IPv4.
CONNECT_SECONDS = 1


@contextmanager
def handlers(seconds: float) -> Iterator[tuple[request.BaseHandler, ...]]:
    """Handlers for urllib's opener, whose connections end when the time is up.

    Raises `TimeoutError` if it is.
    """
    sockets: list[socket.socket] = []
    done = threading.Event()
    deadline = time.monotonic() + seconds

    watch = partial(_shut_down_at_deadline, sockets, done, seconds)
    threading.Thread(target=watch, daemon=True).start()
    try:
        yield _HTTP(sockets), _HTTPS(sockets)
    finally:
        done.set()
        _shut_down(sockets)
        for each in sockets:
            each.close()
        if time.monotonic() > deadline:
            # A socket that is shut down causes many errors. They all mean this one.
            raise TimeoutError("the answer took too long")


def _shut_down_at_deadline(
    sockets: list[socket.socket], done: threading.Event, seconds: float
) -> None:
    """Also shuts down the sockets that are opened after the deadline."""
    done.wait(seconds)
    while not done.wait(0.05):
        _shut_down(sockets)


def _shut_down(sockets: list[socket.socket]) -> None:
    for each in list(sockets):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


def _watched(
    kind: type[HTTPConnection], sockets: list[socket.socket], host: str, **options: Any
) -> HTTPConnection:
    """A connection whose socket joins the list before TLS or a proxy uses it."""
    connection = kind(host, **options)

    def connect(
        address: tuple[str, int], timeout: float, source: tuple[str, int] | None
    ) -> socket.socket:
        connect_seconds = min(timeout, CONNECT_SECONDS)
        opened = socket.create_connection(address, connect_seconds, source)
        opened.settimeout(timeout)
        # TLS detaches the original, so the list gets a duplicate. Shutting down either
        # one ends the connection of both.
        sockets.append(opened.dup())
        return opened

    # `http.client` has no public way to replace it.
    connection._create_connection = connect  # type: ignore[attr-defined]
    return connection


class _HTTP(request.HTTPHandler):
    def __init__(self, sockets: list[socket.socket]):
        super().__init__()
        self._sockets = sockets

    def http_open(self, req: request.Request) -> HTTPResponse:
        return self.do_open(partial(_watched, HTTPConnection, self._sockets), req)


class _HTTPS(request.HTTPSHandler):
    def __init__(self, sockets: list[socket.socket]):
        super().__init__()
        self._sockets = sockets

    def https_open(self, req: request.Request) -> HTTPResponse:
        return self.do_open(partial(_watched, HTTPSConnection, self._sockets), req)
