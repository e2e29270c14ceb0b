"""Accounts of the service's own, for deployments without an issuer.

People register and log in with an e-mail and a password, and get tokens as an issuer's.
Where accounts are switched off, the paths are unknown paths.
"""

from flask import Flask

from todo_service import identity
from todo_service.accounts import passwords, tokens
from todo_service.accounts.commands import commands
from todo_service.accounts.document import SECTION
from todo_service.accounts.statements import STATEMENTS
from todo_service.accounts.views import blueprint
from todo_service.settings import Settings

__all__ = ["SECTION", "STATEMENTS", "init_app"]


def init_app(app: Flask, settings: Settings) -> None:
    """Mount `/auth`, if accounts are switched on; add `flask accounts` in any case."""
    app.cli.add_command(commands)
    if settings.local_accounts:
        passwords.init_app(app, settings)
        tokens.init_app(app, settings)
        identity.open_paths(app, "/auth/register", "/auth/login")
        app.register_blueprint(blueprint)
