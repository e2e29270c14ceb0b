"""PgBouncer in transaction mode, as a process that ends with its block."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL

from tests.ports import free_port, is_open
from tests.programs import program
from tests.waiting import until

SETTINGS = {
    "listen_addr": "127.0.0.1",
    "unix_socket_dir": "",
    "auth_type": "any",
    "pool_mode": "transaction",
    "default_pool_size": "2",
    "max_client_conn": "100",
    "ignore_startup_parameters": "extra_float_digits",
}


class Pooler:
    """PgBouncer in front of every database of a server; it listens on `port`."""

    def __init__(self, server: URL, folder: Path, **settings: str):
        self.port = free_port()
        self.url = server.set(host="127.0.0.1", port=self.port)
        lines = SETTINGS | {"listen_port": str(self.port)} | settings
        self._file = folder / "pgbouncer.ini"
        self._file.write_text(
            f"[databases]\n* = host={server.host} port={server.port}"
            f" user={server.username}\n[pgbouncer]\n"
            + "".join(f"{name} = {value}\n" for name, value in lines.items())
        )

    def start(self) -> None:
        """Start it, and wait until it listens."""
        command = [program("pgbouncer"), str(self._file)]
        if os.getuid() == 0:  # PgBouncer does not run as root
            command = ["runuser", "-u", "nobody", "--", *command]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        until(lambda: is_open(self.port))

    def stop(self) -> None:
        """End it at once, with every connection."""
        self._process.terminate()
        self._process.wait()


@contextmanager
def pooler(server: URL, **settings: str) -> Iterator[Pooler]:
    """PgBouncer in front of this server, with a folder that its user can read."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        pooler = Pooler(server, folder, **settings)
        pooler.start()
        try:
            yield pooler
        finally:
            pooler.stop()
