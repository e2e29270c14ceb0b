"""Sessions: one connection of its own for a command of ops."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from todo_service.database import faults
from todo_service.database.engines import Database, make_engine


@contextmanager
def session(database: Database) -> Iterator[Connection]:
    """A session past any pooler, without deadlines: an index may take hours.

    Raises a `click.ClickException` if the database cannot be used.
    """
    engine = make_engine(
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
            f"The database cannot be used: {faults.first_line(error.orig)}."
        ) from None
    finally:
        engine.dispose()
