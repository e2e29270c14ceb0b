"""A developer's machine: creates what production must be given.

A secret, kept in the instance folder; a migrated database; a welcome; `flask token`.
"""

import os
import secrets
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from threading import Thread

import click
from flask import Flask
from werkzeug.exceptions import ServiceUnavailable

from todo_service.database import migrations
from todo_service.identity import minting, strictness
from todo_service.settings import Settings

TOKEN_SECONDS = 24 * 60 * 60
DEMO_USER = "alice"
# In double quotes, because the shell of Windows knows no others.
AS_JSON = '-H "Content-Type: application/json"'
REGISTRATION = (
    r'"{\"email\": \"alice@example.com\", \"password\": \"correct horse battery\"}"'
)


def complete(settings: Settings, instance: Path) -> Settings:
    """The settings; in development with a secret, if no secret and no issuer is set."""
    if not settings.development or settings.better_auth_secret or settings.jwks_url:
        return settings
    try:
        return replace(settings, better_auth_secret=_kept_secret(instance / "secret"))
    except OSError as error:
        raise click.ClickException(
            f"The secret of development cannot be kept: {error}. Make this file"
            " yours, or set BETTER_AUTH_SECRET."
        ) from None


def init_app(app: Flask, settings: Settings) -> None:
    """Add `flask token`. Under `flask run`, prepare the database and say hello."""

    @app.cli.command("token")
    @click.argument("user_id")
    def token_command(user_id: str) -> None:
        """Print a token for trying things out, good for a day."""
        click.echo(make_token(settings, user_id))

    running = click.get_current_context(silent=True)
    if running and running.info_name == "run":
        # An exit in the usual way also stops the embedded server.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        _prepare_database(app, settings)
        _announce(app, settings, running.params["host"], running.params["port"])


def make_token(settings: Settings, user_id: str) -> str:
    """A token as a front end with the secret would make it. Only in development."""
    if not settings.development:
        raise click.ClickException("flask token is for APP_ENV=development only.")
    if settings.better_auth_secret is None:
        raise click.ClickException(
            "BETTER_AUTH_SECRET is not set: ask the issuer for a token."
        )
    if not strictness.USER_ID.fullmatch(user_id):
        raise click.ClickException("USER_ID must be 1 to 255 characters of text.")
    return minting.mint(settings, user_id, seconds=TOKEN_SECONDS)


def _prepare_database(app: Flask, settings: Settings) -> None:
    """Migrate the embedded server. Another server is its owner's to migrate."""
    if settings.development and settings.database_url is None:
        migrations.upgrade(app.extensions["database"])


def _announce(app: Flask, settings: Settings, host: str, port: int) -> None:
    """Say once how the service starts; the reloader starts this process twice."""
    if os.environ.get("WERKZEUG_RUN_MAIN") or _answers(host, port):
        return
    if settings.development:
        facts = (app, settings, host, port)
        Thread(target=_welcome, args=facts, daemon=True).start()
    else:
        click.echo("APP_ENV is production: no database, secret or token is created.")


def _welcome(app: Flask, settings: Settings, host: str, port: int) -> None:
    """Wait until the port answers, so that the printed line works at once."""
    while not _answers(host, port):
        time.sleep(0.05)
    where = f"http://{host}:{port}"
    click.echo(f"\nThe Todo service listens on {where} (CTRL+C stops it).")
    click.echo(f"Read and try the API in a browser: {where}/docs")
    if settings.better_auth_secret:
        token = make_token(settings, DEMO_USER)
        # At once, so that whoever reads the output finds both lines or none.
        lines = [f'curl -H "Authorization: Bearer {token}" {where}/api/tasks']
        if settings.local_accounts:
            lines += ["", "Or register, and use the access_token that comes back:", ""]
            lines += [f"curl {AS_JSON} -d {REGISTRATION} {where}/auth/register"]
        click.echo("\n".join(["Try it from another terminal:", "", *lines, ""]))
    _warn_if_not_ready(app)


def _warn_if_not_ready(app: Flask) -> None:
    """Say what is wrong with a database that somebody else has to prepare."""
    try:
        app.extensions["readiness"].schema()
    except ServiceUnavailable as fault:
        click.echo(
            f"It is not ready: {fault.description} Run flask db upgrade: it applies"
            " what is missing, or says what is wrong."
        )


def _answers(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=1):
        return True
    return False


def _kept_secret(path: Path) -> str:
    """The secret in a file, created on first use.

    The file appears whole by a link, so that no other process reads half of it.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, made = tempfile.mkstemp(dir=path.parent)  # mode 0600
        os.write(descriptor, secrets.token_urlsafe(48).encode())
        os.close(descriptor)
        with suppress(FileExistsError):  # another process was quicker
            os.link(made, path)
        os.unlink(made)
    return path.read_text()
