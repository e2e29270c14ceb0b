"""The service as it runs in production: a gunicorn of its own on a free port."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import jwt
import pytest

from tests.conftest import SECRET
from tests.ports import free_port

ROOT = Path(__file__).parent.parent
GUNICORN = [str(Path(sys.executable).with_name("gunicorn")), "wsgi:app"]
PATIENCE = 15  # seconds
TOKEN = jwt.encode({"sub": "alice", "exp": 4102444800}, SECRET, "HS256").encode()


@dataclass
class Service:
    """A running gunicorn: where it listens, what it has said."""

    process: subprocess.Popen
    port: int
    log: Path

    def connect(self) -> HTTPConnection:
        """A client of HTTP, which connects when it is used."""
        return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def open(self, raw: bytes = b"") -> socket.socket:
        """A connection over which these bytes have gone."""
        there = socket.create_connection(("127.0.0.1", self.port), PATIENCE)
        there.sendall(raw)
        return there

    def get(self, path: str, **headers: str) -> int:
        """The status of one request on a connection of its own."""
        connection = self.connect()
        headers["Authorization"] = f"Bearer {TOKEN.decode()}"
        connection.request("GET", path, headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def send(self, raw: bytes) -> bytes:
        """All that is answered to these bytes, after which the client says no more."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as there:
            with suppress(ConnectionError):  # it may have heard enough, and hung up
                there.sendall(raw)
                there.shutdown(socket.SHUT_WR)
            return everything(there)


def everything(there: socket.socket) -> bytes:
    """What comes until the service ends the connection."""
    answer = b""
    with suppress(ConnectionError):
        while some := there.recv(65536):
            answer += some
    return answer


def statuses(answer: bytes) -> list[int]:
    """The status of each answer in what came back on one connection."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


@contextmanager
def running(
    settings: Mapping[str, str],
    log: Path,
    command: Sequence[str] = GUNICORN,
    folder: Path = ROOT,
) -> Iterator[Service]:
    """The service with these settings. It has to stop well, unless it was killed."""
    port = free_port()
    with log.open("wb") as written:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env=only_ours({**settings, "PORT": str(port)}),
            stderr=written,
            stdout=written,
        )
    try:
        service = Service(process, port, log)
        _wait_for(service)
        yield service
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) in (0, -signal.SIGKILL)
    finally:
        process.kill()
        process.wait()


def only_ours(settings: Mapping[str, str]) -> dict[str, str]:
    """An environment in which nothing but these settings speaks to the service."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | dict(settings)


def _wait_for(service: Service) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and service.process.poll() is None:
        with suppress(OSError):
            assert service.get("/health") == 200
            return
        time.sleep(0.05)
    pytest.fail(f"gunicorn did not start: {service.log.read_text()}")
