"""What ops do about tasks: `flask purge`, `flask db restored`."""

import sys

import click
from flask import Flask
from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Update,
    delete,
    exists,
    func,
    select,
    update,
)

from todo_service import db, migrations
from todo_service.config import Settings
from todo_service.tables import tasks, users
from todo_service.tasks.change import locked

BATCH = 500
# More numbers than were ever given out in the time that a restore loses.
LOST_NUMBERS = 2**32


def init_app(app: Flask, settings: Settings) -> None:
    """Add the commands."""

    @app.cli.command("purge")
    def purge_command() -> None:
        """Remove for good what was deleted more than TRASH_DAYS ago."""
        days = settings.trash_days
        with migrations.session(db.database()) as session:
            removed = purge(session, days)
        click.echo(f"Removed {removed} tasks that were deleted over {days} days ago.")

    @migrations.commands.command("restored")
    def restored_command() -> None:
        """Run this after the database went back to an earlier moment.

        Moves every user's counter on, so that no sync token and no ETag of the lost
        time is taken for a present one.
        """
        with migrations.session(db.database()) as session:
            moved = session.execute(move_every_counter()).rowcount
        click.echo(f"Moved the counters of {moved} users.")


def purge(session: Connection, days: int) -> int:
    """Empty the trash of what is older than these days; return how many went.

    Safe while the service runs: a batch locks its user, then its tasks, as every
    write does.
    """
    removed, user_id = 0, ""
    while user_id := session.scalar(next_user(user_id, days)):
        batch = BATCH
        while batch == BATCH:
            batch = session.scalar(delete_batch(user_id, days))
            removed += batch
            if sys.stderr.isatty():
                click.echo(f"\r{removed} removed", nl=False, err=True)
    return removed


def next_user(after: str, days: int) -> Select:
    """The first user behind this one with something to purge; null if there is none."""
    return select(func.min(tasks.c.user_id)).where(tasks.c.user_id > after, _old(days))


def delete_batch(user_id: str, days: int) -> Select:
    """Remove a batch of a user's old trash, raise the purge mark; how many went."""
    owner = locked(select(users.c.id).where(users.c.id == user_id), "owner")
    doomed = locked(
        select(tasks.c.user_id, tasks.c.id, tasks.c.version)
        .join_from(owner, tasks, tasks.c.user_id == owner.c.id)
        .where(tasks.c.user_id == user_id, _old(days))
        .limit(BATCH),
        "doomed",
        of=tasks,
        delete=True,
    )
    gone = (
        delete(tasks)
        .where(
            tasks.c.user_id == user_id,
            tasks.c.user_id == doomed.c.user_id,
            tasks.c.id == doomed.c.id,
        )
        .returning(doomed.c.version)
        .cte("gone")
    )
    highest = select(func.max(gone.c.version)).scalar_subquery()
    marked = (
        update(users)
        .values(purged_through=func.greatest(users.c.purged_through, highest))
        .where(users.c.id == user_id, exists(select(gone)))
        .returning(users.c.id)
        .cte("marked")
    )
    return select(func.count()).select_from(gone).add_cte(marked)


def move_every_counter() -> Update:
    """Past every number that clients may hold, with all that was before purged."""
    moved = users.c.last_change + LOST_NUMBERS
    return update(users).values(last_change=moved, purged_through=moved)


def _old(days: int) -> ColumnElement[bool]:
    age = func.make_interval(0, 0, 0, days)
    return tasks.c.deleted_at < func.now() - age
