"""`flask db`: what ops do with the database."""

import click
from flask.cli import AppGroup
from sqlalchemy import Update, update

from todo_service import database
from todo_service.database import migrations
from todo_service.database.recount import recount
from todo_service.database.sessions import session
from todo_service.database.tables import users

# More numbers than were ever given out in the time that a restore loses.
LOST_NUMBERS = 2**32

commands = AppGroup("db", help="The database's schema and counters.")


@commands.command("upgrade")
def upgrade_command() -> None:
    """Apply what is pending, in order."""
    if not migrations.upgrade(database.current()):
        click.echo("Nothing to do: the schema is up to date.")


@commands.command("status")
def status_command() -> None:
    """Say what is applied and what is pending; change nothing."""
    with session(database.current()) as connection:
        applied = migrations.applied(connection)
    known = {each.version: each.path.stem for each in migrations.released()}
    for version in sorted(applied | known.keys()):
        state = "applied" if version in applied else "pending"
        click.echo(f"{state}  {known.get(version, f'{version} (of a newer release)')}")


@commands.command("restored")
def restored_command() -> None:
    """Run this after the database went back to an earlier moment.

    Moves every user's counter on, so that no sync token and no ETag of the lost time
    is taken for a present one.
    """
    with session(database.current()) as connection:
        moved = connection.execute(move_every_counter()).rowcount
    click.echo(f"Moved the counters of {moved} users.")


@commands.command("recount")
def recount_command() -> None:
    """Set the numbers behind `total` right after rows were edited by hand."""
    with session(database.current()) as connection:
        corrected = recount(connection)
    click.echo(f"Corrected the numbers of {corrected} users.")


def move_every_counter() -> Update:
    """Past every number that clients may hold, with everything before it purged."""
    moved = users.c.last_change + LOST_NUMBERS
    return update(users).values(last_change=moved, purged_through=moved)
