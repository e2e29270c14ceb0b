"""`flask accounts`: what ops do with accounts."""

import click
from flask.cli import AppGroup

from todo_service import database
from todo_service.accounts import emails, queries
from todo_service.database.sessions import session

commands = AppGroup("accounts", help="Local accounts.")


@commands.command("deactivate")
@click.argument("email")
def deactivate_command(email: str) -> None:
    """Let an account neither log in nor use a token that it has."""
    _set_active(email, active=False)
    click.echo("The account is inactive: it can neither log in nor use its tokens.")


@commands.command("activate")
@click.argument("email")
def activate_command(email: str) -> None:
    """Let an inactive account log in again."""
    _set_active(email, active=True)
    click.echo("The account is active.")


def _set_active(email: str, *, active: bool) -> None:
    try:
        address = emails.canonical(email)
    except ValueError:
        raise click.ClickException("This is not a valid e-mail address.") from None
    with session(database.current()) as connection:
        parameters = {"address": address, "active": active}
        if connection.execute(queries.SET_ACTIVE, parameters).first() is None:
            raise click.ClickException("No account has this e-mail address.")
