"""The two servers of an end-to-end test, as processes that end with their block."""

import json
import os
import select
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from socket import create_connection
from subprocess import PIPE, Popen, TimeoutExpired
from urllib.parse import urlencode, urlsplit

from tests.conftest import SECRET
from tests.e2e.client import Client
from tests.ports import free_port

HERE = Path(__file__).parent
PATIENCE = 30  # seconds for a server to start, or to stop


@dataclass(frozen=True)
class BetterAuth:
    """A Better Auth server that runs; `url` is what BETTER_AUTH_URL has to be."""

    url: str
    port: int
    stop: Callable[[], None]

    @property
    def base(self) -> str:
        """Where its endpoints are."""
        return self.url if urlsplit(self.url).path else f"{self.url}/api/auth"

    def rotate(self, **how: str) -> None:
        """Have it sign with a new key from now on: `alg`, `drop`."""
        test = Client(f"http://127.0.0.1:{self.port}/test")
        assert test.post(f"/rotate?{urlencode(how)}").status == 200


@contextmanager
def better_auth(**options: str) -> Iterator[BetterAuth]:
    """Run better_auth.mjs, whose first lines say what the options are."""
    defaults = {"PORT": "0", "BETTER_AUTH_SECRET": SECRET}
    environ = os.environ | defaults | options
    command = ["node", "better_auth.mjs"]
    with running(command, cwd=HERE, env=environ, stdout=PIPE) as process:
        assert process.stdout
        assert select.select([process.stdout], [], [], PATIENCE)[0], "no line came"
        ready = json.loads(process.stdout.readline())
        yield BetterAuth(**ready, stop=lambda: _stop(process))


@contextmanager
def service(environ: dict[str, str], **settings: str) -> Iterator[str]:
    """Run gunicorn with these settings and nothing else; its URL."""
    port = free_port()
    environ = environ | settings | {"PORT": str(port)}
    command = [sys.executable, "-m", "gunicorn", "wsgi:app"]
    with running(command, cwd=HERE.parent.parent, env=environ) as process:
        url = f"http://127.0.0.1:{port}"
        _wait_until_it_answers(process, lambda: _assert_healthy(url))
        yield url


@contextmanager
def listening(command: list[str], url: str, **options) -> Iterator[None]:
    """Run a server that listens at the URL."""
    address = urlsplit(url)
    with running(command, **options) as process:
        _wait_until_it_answers(
            process,
            lambda: create_connection((address.hostname, address.port)).close(),
        )
        yield


@contextmanager
def running(command: list[str], **options) -> Iterator[Popen]:
    """Run a process that ends with the block."""
    with Popen(command, text=True, **options) as process:
        try:
            yield process
        finally:
            _stop(process)


def _stop(process: Popen) -> None:
    """SIGTERM, and a failure if that does not end it."""
    process.terminate()
    try:
        process.wait(PATIENCE)
    except TimeoutExpired:
        process.kill()
        raise


def _assert_healthy(url: str) -> None:
    assert Client(url).get("/health").status == 200


def _wait_until_it_answers(process: Popen, ask: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, f"{process.args!r} stopped: its output says why"
        with suppress(ConnectionError):
            ask()
            return
        time.sleep(0.05)
    raise TimeoutError(f"{process.args!r} did not answer")
