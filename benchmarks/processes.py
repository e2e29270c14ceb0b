"""Processes that the benchmark starts, and ends again whatever happens."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parent.parent
PATIENCE_SECONDS = 30


@contextmanager
def running(
    module_and_arguments: Sequence[str], settings: Mapping[str, str], log: Path
) -> Iterator[subprocess.Popen]:
    """`python -m …` in the checkout, with these settings; it ends with the block.

    What it says is in the log. It has a session of its own: so Ctrl-C ends
    this process only, which then ends the other one and everything that it started.
    """
    with log.open("wb") as written:
        process = subprocess.Popen(
            [sys.executable, "-m", *module_and_arguments],
            cwd=ROOT,
            env=_environ(settings),
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        _end(process)


def wait_until_listening(process: subprocess.Popen, port: int, log: Path) -> None:
    """Until something accepts connections there. Raises `SystemExit` with the log."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.05)
    sys.exit(f"{process.args!r} did not start:\n{log.read_text(errors='replace')}")


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


def _environ(settings: Mapping[str, str]) -> dict[str, str]:
    """An environment in which nothing but these settings speaks to the process."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | dict(settings)


def _end(process: subprocess.Popen) -> None:
    """Ask it to stop, then make sure that nothing of its session is left."""
    process.send_signal(signal.SIGTERM)
    with suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE_SECONDS)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
