"""A real Redis for the tests, which can be stopped, killed and brought back."""

import signal
import subprocess
from pathlib import Path

from tests.ports import free_port, is_open
from tests.programs import program
from tests.waiting import until


class RedisServer:
    """A Redis on a port of its own, which keeps nothing on disk."""

    def __init__(self, folder: Path):
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}"
        self._folder = folder
        self._command = [
            program("redis-server"),
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
        ]
        self.start()

    def start(self) -> None:
        """Start, with nothing counted; return when it answers."""
        self._process = subprocess.Popen(
            [*self._command, "--save", ""],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
        )
        until(lambda: is_open(self.port))

    def kill(self) -> None:
        """End it at once: its port is closed from now on."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """From now on connections are accepted and nothing is answered."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Answer again."""
        self._process.send_signal(signal.SIGCONT)
