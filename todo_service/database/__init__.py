"""The database: run one statement for a request, or say that it is away.

A request is one statement in one transaction and one round trip. The statement is a
constant; its parameters come with the call, `owner` among them: see `docs/design.md`.
"""

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from flask import Flask, current_app
from sqlalchemy import Executable, Result, Row
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from todo_service.database import faults
from todo_service.database.engines import Database
from todo_service.settings import Settings

Parameters = Mapping[str, Any]
Found = TypeVar("Found")

log = logging.getLogger(__name__)


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its database; nothing is connected yet."""
    app.extensions["database"] = Database(settings, Path(app.instance_path))


def current() -> Database:
    """The current application's database."""
    return current_app.extensions["database"]


def fetch_one(
    statement: Executable,
    parameters: Parameters,
    *,
    if_taken: Executable | None = None,
) -> Row | None:
    """The statement's one row, or None. 503 if the database is away.

    If a unique key is taken, the statement changed nothing, and the answer is the row
    of `if_taken`. If that row has gone meanwhile, the statement runs once more.
    """
    try:
        return _run(statement, parameters, Result.one_or_none)
    except faults.KeyTakenError:
        if if_taken is None:
            raise
        return fetch_one(if_taken, parameters) or fetch_one(statement, parameters)


def fetch_all(statement: Executable, parameters: Parameters) -> list[Row]:
    """All rows of the statement. 503 if the database is away."""
    return list(_run(statement, parameters, Result.all))


def warm_up(app: Flask) -> None:
    """Make the first connection now: its round trips would slow a user's request."""
    try:
        with app.extensions["database"].engine.connect():
            pass
    except (DBAPIError, PoolTimeoutError) as error:
        log.warning("Starting without the database: %s", faults.first_line(error))


def _run(
    statement: Executable, parameters: Parameters, read: Callable[[Result[Any]], Found]
) -> Found:
    try:
        with current().engine.connect() as connection:
            return read(connection.execute(statement, parameters))
    except (DBAPIError, PoolTimeoutError) as error:
        raise faults.explained(error) from None
