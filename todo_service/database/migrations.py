"""Migrations: the files of `migrations_sql`, applied in order.

A file is plain DDL that `psql -f` applies as it stands. It records its own version, so
both ways leave the same state. The runner sends it statement by statement; a statement
ends with a semicolon at the end of a line.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from todo_service.database import faults
from todo_service.database.engines import Database
from todo_service.database.sessions import session
from todo_service.database.tables import schema_migrations

ADVISORY_LOCK = 0x746F646F  # "todo" in ASCII; one upgrade at a time holds it
LOCK_TIMEOUT_SECONDS = 600
LOCK_POLL_SECONDS = 0.2
ALREADY_THERE = {"42P06", "42P07", "42701", "42710"}
LOCK_NOT_AVAILABLE = "55P03"


@dataclass(frozen=True)
class Migration:
    """One file of `migrations_sql`."""

    path: Path

    @property
    def version(self) -> str:
        """The number that the file's name begins with, as text: `0001`."""
        return self.path.name.partition("_")[0]

    @property
    def transactional(self) -> bool:
        """True if the file is applied as a whole or not at all."""
        return "-- no transaction" not in self._text()

    def statements(self) -> list[str]:
        """The file's statements in order, without comments."""
        text = re.sub(r"(^|;)[ \t]*--.*$", r"\1", self._text(), flags=re.M)
        parts = re.split(r";[ \t]*$", text, flags=re.M)
        return [part.strip() for part in parts if part.strip()]

    def _text(self) -> str:
        return self.path.read_text("utf-8")


def released() -> list[Migration]:
    """The files of this release, in order."""
    here = Path(__file__).parent.parent
    installed = here / "migrations_sql"
    folder = installed if installed.is_dir() else here.parent / "migrations_sql"
    return [Migration(path) for path in sorted(folder.glob("[0-9]*_*.sql"))]


def latest() -> str:
    """The schema version that this release needs."""
    return released()[-1].version


def upgrade(database: Database) -> list[Migration]:
    """Apply what is pending, print each name, return what was applied.

    Several upgrades may start at once: one works, the others wait for it. Raises a
    `click.ClickException` that says what to do.
    """
    with session(database) as connection, _exclusive(connection):
        done = applied(connection)
        pending = [each for each in released() if each.version not in done]
        for migration in pending:
            _apply(connection, migration)
            click.echo(f"Applied {migration.path.name}")
        return pending


@contextmanager
def _exclusive(connection: Connection) -> Iterator[None]:
    """Hold the advisory lock. It ends with the session, so nothing stays behind.

    The lock is polled. A session that waits inside the lock function holds a snapshot,
    and CREATE INDEX CONCURRENTLY waits for that snapshot: a deadlock.
    """
    deadline = time.monotonic() + LOCK_TIMEOUT_SECONDS
    while not connection.scalar(select(func.pg_try_advisory_lock(ADVISORY_LOCK))):
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"Another upgrade has been running for {LOCK_TIMEOUT_SECONDS} s. Look"
                " at it in pg_stat_activity; after it has ended, run flask db upgrade"
                " again."
            )
        time.sleep(LOCK_POLL_SECONDS)
    yield


def applied(connection: Connection) -> set[str]:
    """The versions that the database has, those of newer releases included."""
    if connection.scalar(select(func.to_regclass(schema_migrations.name))) is None:
        return set()
    return set(connection.scalars(select(schema_migrations.c.version)))


def _apply(connection: Connection, migration: Migration) -> None:
    try:
        for statement in migration.statements():
            connection.exec_driver_sql(
                statement, execution_options={"no_parameters": True}
            )
    except DBAPIError as error:
        raise click.ClickException(_advice(migration, error)) from None


def _advice(migration: Migration, error: DBAPIError) -> str:
    """What happened, what became of the file, what to do."""
    code = getattr(error.orig, "pgcode", None)
    if code == LOCK_NOT_AVAILABLE:
        remedy = "Its table is in use: run flask db upgrade again at a quieter moment."
    elif code in ALREADY_THERE:
        remedy = (
            "Part of it, or all, was applied by hand. If all of it is there, add"
            f" version '{migration.version}' to schema_migrations; else drop that part."
            " Then run flask db upgrade again."
        )
    else:
        remedy = "Mend the cause, then run flask db upgrade again."
    kept = "Nothing of it was kept." if migration.transactional else "It starts over."
    said = faults.first_line(error.orig)
    return f"{migration.path.name} was not applied: {said}. {kept} {remedy}"
