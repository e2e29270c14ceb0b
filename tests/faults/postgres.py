"""A PostgreSQL server of a test's own, to be stopped, killed and frozen."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import psycopg2
from sqlalchemy import URL, Connection, create_engine

from tests.ports import free_port
from tests.waiting import until

# Crashes of the server lose nothing that it has written; only the machine's would.
SETTINGS = {
    "fsync": "off",
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "32MB",
}
PATIENCE = 30  # seconds


class Postgres:
    """A server that always listens on the same port of 127.0.0.1.

    `programs` is the folder of PostgreSQL's programs. They do not run as root: there
    the server runs as `user`.
    """

    def __init__(self, programs: Path, folder: Path, user: str, **settings: str):
        self._programs = programs
        self._user = user if os.geteuid() == 0 else None
        self.data = folder / "data"
        self.settings = SETTINGS | {"unix_socket_directories": str(folder)} | settings
        self.port = free_port()
        self.url = URL.create(
            "postgresql+psycopg2",
            username="postgres",
            host="127.0.0.1",
            port=self.port,
            database="postgres",
        )
        self._process: subprocess.Popen | None = None
        if self._user:
            subprocess.run(["chown", self._user, folder], check=True)
        self._initialize()

    def start(self) -> None:
        """Start the server; it may still recover when this returns."""
        options = [f"-c{name}={value}" for name, value in self.settings.items()]
        with (self.data.parent / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    str(self._programs / "postgres"),
                    f"-D{self.data}",
                    f"-p{self.port}",
                    *options,
                ],
                cwd=self.data.parent,  # the present one may be closed to the user
                user=self._user,
                stdout=log,
                stderr=log,
            )

    def wait(self) -> None:
        """Until the server lets clients in."""
        late = time.monotonic() + PATIENCE
        while True:
            try:
                self.driver_connection().close()
                return
            except psycopg2.OperationalError:
                assert time.monotonic() < late, (self.data.parent / "log").read_text()
                time.sleep(0.01)

    def stop(self) -> None:
        """Shut down; statements under way are ended (`pg_ctl stop -m fast`)."""
        assert self._process
        self._process.send_signal(signal.SIGINT)
        self._process.wait(PATIENCE)

    def kill(self) -> None:
        """Kill every process of the server at once, as if its machine had gone."""
        self.freeze()
        family = self._family()
        for each in family:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        assert self._process
        self._process.wait(PATIENCE)
        until(lambda: all(map(_is_dead, family)))

    def kill_a_backend(self) -> None:
        """Kill one client's backend: the server ends all and recovers by itself."""
        with self.connect() as connection:
            backend = connection.exec_driver_sql(
                "SELECT pid FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' ORDER BY pid LIMIT 1"
            ).scalar_one()
            os.kill(backend, signal.SIGKILL)

    def freeze(self) -> None:
        """Stop every process; connections stay, and new ones are accepted."""
        for each in self._family():
            with suppress(psutil.NoSuchProcess):
                each.suspend()

    def thaw(self) -> None:
        """Undo `freeze`."""
        for each in self._family():
            each.resume()

    def driver_connection(self) -> psycopg2.extensions.connection:
        """A connection as the driver makes it."""
        return psycopg2.connect(host="127.0.0.1", port=self.port, user="postgres")

    @contextmanager
    def connect(self, database: str = "postgres") -> Iterator[Connection]:
        """A connection in autocommit."""
        url = self.url.set(database=database)
        engine = create_engine(url, isolation_level="AUTOCOMMIT")
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()

    def end(self) -> None:
        """Stop the server for good, whatever state a test has left it in."""
        if self._process and self._process.poll() is None:
            self.kill()

    def _family(self) -> list[psutil.Process]:
        """The first process, which makes the others, and those."""
        assert self._process
        first = psutil.Process(self._process.pid)
        return [first, *first.children(recursive=True)]

    def _initialize(self) -> None:
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8"]
        self._run("initdb", f"--pgdata={self.data}", *options)

    def _run(self, program: str, *options: str) -> None:
        subprocess.run(
            [self._programs / program, *options],
            check=True,
            cwd=self.data.parent,
            user=self._user,
            stdout=subprocess.DEVNULL,
        )


class Standby(Postgres):
    """A server that follows another one, which has to run while this one is made."""

    def __init__(self, primary: Postgres, programs: Path, folder: Path, user: str):
        self._primary = primary
        super().__init__(programs, folder, user)

    def _initialize(self) -> None:
        where = f"host=127.0.0.1 port={self._primary.port} user=postgres"
        options = ["--write-recovery-conf", "--checkpoint=fast"]
        self._run("pg_basebackup", f"--pgdata={self.data}", f"-d{where}", *options)


def _is_dead(process: psutil.Process) -> bool:
    """True for a zombie too: nobody may have asked for its end yet."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
