"""`flask purge`: removes for good what nobody can use any more."""

import click
from flask import Flask

from todo_service import database
from todo_service.accounts.purge import purge_gone, purge_tokens
from todo_service.database.sessions import session
from todo_service.settings import Settings
from todo_service.tasks.purge import purge as purge_trash


def init_app(app: Flask, settings: Settings) -> None:
    """Add the command."""

    @app.cli.command("purge")
    def purge_command() -> None:
        """Empty the trash of what was deleted more than TRASH_DAYS ago.

        Also forget revoked tokens that have expired, and finish deletions of accounts
        that were interrupted.
        """
        days = settings.trash_days
        with session(database.current()) as connection:
            trash = purge_trash(connection, days)
            click.echo(f"Removed {trash} tasks that were deleted over {days} days ago.")
            click.echo(f"Removed {purge_tokens(connection)} expired revocations.")
            click.echo(f"Removed {purge_gone(connection)} tasks of deleted accounts.")
