"""`migrations_sql` applied in order: `flask db upgrade`, `flask db status`.

A file is plain DDL that `psql -f` applies as it stands; it records its own version,
so both ways leave the same state. Here it is sent statement by statement: one ends
with a semicolon at the end of a line.
"""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import click
from flask import Flask
from flask.cli import AppGroup
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError

from todo_service import db
from todo_service.tables import schema_migrations

LOCK = 0x746F646F  # "todo": the advisory lock that one upgrade at a time holds
LOCK_PATIENCE = 600  # seconds
LOCK_POLL = 0.2  # seconds
ALREADY_THERE = {"42P06", "42P07", "42701", "42710"}
LOCK_NOT_AVAILABLE = "55P03"

commands = AppGroup("db", help="The database's schema.")


def init_app(app: Flask) -> None:
    """Add `flask db`."""
    app.cli.add_command(commands)


@dataclass(frozen=True)
class Migration:
    """One file: its version is the number that its name begins with."""

    path: Path

    @property
    def version(self) -> str:
        return self.path.name.partition("_")[0]

    @property
    def transactional(self) -> bool:
        """Whether it is applied as a whole or not at all."""
        return "-- no transaction" not in self._text()

    def statements(self) -> list[str]:
        """What the file says, one statement each, without comments."""
        text = re.sub(r"(^|;)[ \t]*--.*$", r"\1", self._text(), flags=re.M)
        parts = re.split(r";[ \t]*$", text, flags=re.M)
        return [part.strip() for part in parts if part.strip()]

    def _text(self) -> str:
        return self.path.read_text("utf-8")


def released() -> list[Migration]:
    """The files of this release, in order."""
    here = Path(__file__).parent
    installed = here / "migrations_sql"
    folder = installed if installed.is_dir() else here.parent / "migrations_sql"
    return [Migration(path) for path in sorted(folder.glob("[0-9]*_*.sql"))]


def latest() -> str:
    """The schema version that this release needs."""
    return released()[-1].version


@commands.command("upgrade")
def upgrade_command() -> None:
    """Apply what is pending, in order."""
    if not upgrade(db.database()):
        click.echo("Nothing to do: the schema is up to date.")


@commands.command("status")
def status_command() -> None:
    """Say what is applied and what is pending; change nothing."""
    with session(db.database()) as connection:
        applied = _applied(connection)
    known = {migration.version: migration.path.stem for migration in released()}
    for version in sorted(applied | known.keys()):
        state = "applied" if version in applied else "pending"
        click.echo(f"{state}  {known.get(version, f'{version} (of a newer release)')}")


def upgrade(database: db.Database) -> list[Migration]:
    """Apply what is pending and say so; return it.

    Several may be started at once: one works, the others wait for it. Raises a
    `click.ClickException` that says what to do.
    """
    with session(database) as connection, _alone(connection):
        applied = _applied(connection)
        pending = [each for each in released() if each.version not in applied]
        for migration in pending:
            _apply(connection, migration)
            click.echo(f"Applied {migration.path.name}")
        return pending


@contextmanager
def session(database: db.Database) -> Iterator[Connection]:
    """A session past any pooler, without deadlines: an index takes what it takes."""
    engine = db.make_engine(
        database.direct_url,
        connect_seconds=database.connect_seconds,
        statement_seconds=float("inf"),
        pool_size=1,
    )
    try:
        with engine.connect() as connection:
            yield connection
    except DBAPIError as error:
        raise click.ClickException(
            f"The database cannot be used: {db.first_line(error.orig)}."
        ) from None
    finally:
        engine.dispose()


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    """Hold the advisory lock. It ends with the session, so nothing stays behind.

    Polled: a session that waits inside the lock function holds a snapshot, and
    deadlocks with CREATE INDEX CONCURRENTLY.
    """
    deadline = time.monotonic() + LOCK_PATIENCE
    while not connection.scalar(select(func.pg_try_advisory_lock(LOCK))):
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"Another upgrade has been running for {LOCK_PATIENCE} s. Look at it in"
                " pg_stat_activity; once it has ended, run flask db upgrade again."
            )
        time.sleep(LOCK_POLL)
    yield


def _applied(connection: Connection) -> set[str]:
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
    said = db.first_line(error.orig)
    return f"{migration.path.name} was not applied: {said}. {kept} {remedy}"
