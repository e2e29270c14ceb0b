"""How an answer goes to a client: its head together with its body."""

import socket
from typing import Any


class Writer:
    """A client's socket that keeps what is written to it until it is told to send.

    gunicorn sends the head, then the body. A worker that is killed in between leaves a
    proxy with half an answer, and the proxy can no longer ask another replica.
    """

    def __init__(self, sock: socket.socket):
        self._sock = sock
        self._kept: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        # `send` too: with it gunicorn sends `100 Continue`, which must not wait.
        return getattr(self._sock, name)

    def sendall(self, part: bytes) -> None:
        """Keep a part of the answer."""
        self._kept.append(part)

    def send_kept(self) -> None:
        """Send the answer at once. Raises `OSError` if the client has gone."""
        answer = b"".join(self._kept)
        self._kept.clear()  # A slow client's answer is in memory once, not twice.
        self._sock.sendall(answer)
