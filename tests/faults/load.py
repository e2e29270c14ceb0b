"""Clients that write all the time, and note what they were told."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import jwt
import orjson

from tests.conftest import SECRET

PAUSE_SECONDS = 0.02  # after a 503; real clients wait for as long as it says


@dataclass
class Reply:
    """An answer; the names of its headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Line:
    """A user's kept connection. http.client would cost more than the service does."""

    def __init__(self, url: str, user: str):
        address = urlsplit(url)
        self._socket = socket.create_connection((address.hostname, address.port), 60)
        token = jwt.encode({"sub": user, "exp": 4102444800}, SECRET, "HS256")
        self._head = f"Host: test\r\nAuthorization: Bearer {token}\r\n"

    def send(self, method: str, path: str, body: Any = None, header: str = "") -> Reply:
        """The answer to a request below the user's tasks."""
        payload = b"" if body is None else orjson.dumps(body)
        head = f"{method} /api/tasks{path} HTTP/1.1\r\n{self._head}"
        if header:
            head += f"{header}\r\n"
        if payload:
            head += "Content-Type: application/json\r\n"
        head += f"Content-Length: {len(payload)}\r\n\r\n"
        self._socket.sendall(head.encode() + payload)
        return self._reply()

    def close(self) -> None:
        self._socket.close()

    def _reply(self) -> Reply:
        received = b""
        while b"\r\n\r\n" not in received:
            received += self._more()
        head, _, body = received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        headers = {name.lower(): value for name, _, value in pairs}
        while len(body) < int(headers["content-length"]):
            body += self._more()
        return Reply(int(first.split()[1]), headers, body)

    def _more(self) -> bytes:
        some = self._socket.recv(65536)
        assert some, "the service hung up"
        return some


@dataclass
class Book:
    """What the clients of one user know."""

    created: dict[str, str] = field(default_factory=dict)  # titles: acknowledged ids
    tried: set[str] = field(default_factory=set)  # titles
    toggled: dict[str, bool] = field(default_factory=dict)  # ids: completed
    tags: Counter[str] = field(default_factory=Counter)  # acknowledged ETags
    changes: int = 0  # those that happened, besides creates
    unknown: int = 0  # those of which nobody knows
    acknowledged: int = 0
    wrong: list[Reply] = field(default_factory=list)


class Writer(threading.Thread):
    """A client that writes until `enough` is true.

    A `careful` one repeats every change in a way that makes it happen once. Others also
    send changes that cannot be repeated safely.
    """

    def __init__(
        self, url: str, user: str, book: Book, enough: Callable[[], bool], careful: bool
    ):
        super().__init__()
        self._line = Line(url, user)
        self._book = book
        self._enough = enough
        self._careful = careful

    def run(self) -> None:
        """Create and change tasks in every way."""
        guarded, blind = self._create_once("guarded"), self._create_once("blind")
        self._book.toggled[guarded] = False
        tag = "*"
        number = 0
        while not self._enough():
            number += 1
            self._create(str(number))
            self._create_once(f"{number}, with a key")
            tag = self._toggle(guarded, tag)
            self._read_back(guarded, tag)
            if not self._careful:
                self._change(f"/{blind}/complete")
                self._change(f"/{blind}/complete", {"completed": True})
        self._line.close()

    def _create(self, title: str, header: str = "") -> Reply:
        title = f"{self.name}: {title}"
        self._book.tried.add(title)
        reply = self._send("POST", "", {"title": title}, header)
        if reply.status == 201:
            self._book.created[title] = orjson.loads(reply.body)["id"]
        return reply

    def _create_once(self, title: str) -> str:
        """Create a task, by as many requests with one key as it takes; its id."""
        key = f"Idempotency-Key: {self.name}-{title.replace(' ', '')}"
        while (reply := self._create(title, key)).status != 201:
            pass
        return orjson.loads(reply.body)["id"]

    def _toggle(self, task: str, tag: str) -> str:
        """Toggle a task once: if the version has moved, an earlier try did it."""
        while True:
            guard = f"If-Match: {tag}"
            reply = self._send("PATCH", f"/{task}/complete", None, guard)
            if reply.status in (200, 412):
                self._book.toggled[task] = not self._book.toggled[task]
                self._book.changes += 1
                return reply.headers["etag"]

    def _read_back(self, task: str, tag: str) -> None:
        """Read a task that nobody else changes."""
        reply = self._line.send("GET", f"/{task}")
        if not _is_unavailable(reply) and reply.headers.get("etag") != tag:
            self._book.wrong.append(reply)

    def _change(self, path: str, body: Any = None) -> None:
        if self._send("PATCH", path, body).status == 200:
            self._book.changes += 1
        else:
            self._book.unknown += 1

    def _send(self, *request: Any) -> Reply:
        """Send a write once, and note the answer."""
        reply = self._line.send(*request)
        if reply.status in (200, 201):
            self._book.acknowledged += 1
            if "idempotency-replayed" not in reply.headers:
                self._book.tags[reply.headers["etag"]] += 1
        elif _is_unavailable(reply):
            time.sleep(PAUSE_SECONDS)
        elif reply.status != 412:
            self._book.wrong.append(reply)
        return reply


def _is_unavailable(reply: Reply) -> bool:
    return reply.status == 503 and "retry-after" in reply.headers
