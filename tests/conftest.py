"""A real PostgreSQL for every test, and the people who use the service."""

import atexit
import json
import logging
import os
import secrets
import shutil
import tempfile
from pathlib import Path

import jwt
import pytest
from sqlalchemy import URL, create_engine, delete, text

from tests.client import Client
from todo_service import create_app
from todo_service.database import embedded, migrations
from todo_service.database.tables import users
from todo_service.settings import urls

SECRET = "a secret of the tests, long enough for HS256"


@pytest.fixture(scope="session")
def server() -> URL:
    """A PostgreSQL server on which databases may be made."""
    given = os.environ.get("TEST_DATABASE_URL")
    if given:
        return urls.postgres(given)
    # Under the system's own folder: a socket's path must be short. It goes when the
    # server has stopped, which registers itself later and so is called earlier.
    folder = Path(tempfile.mkdtemp(prefix="todo"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    url = embedded.start(folder)
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        # Statements have deadlines: a disk that is slow for a moment fails no test.
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()
    return url


@pytest.fixture(scope="session")
def make_database(server):
    """Makes empty databases, in TEST_TIME_ZONE if that is set; drops them after."""
    made = []
    engine = create_engine(server, isolation_level="AUTOCOMMIT")

    def make() -> URL:
        name = f"todo_test_{secrets.token_hex(6)}"
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
            zone = os.environ.get("TEST_TIME_ZONE")
            if zone:
                connection.execute(
                    text(f"ALTER DATABASE {name} SET timezone = '{zone}'")
                )
        made.append(name)
        return server.set(database=name)

    yield make
    with engine.connect() as connection:
        for name in made:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    engine.dispose()


@pytest.fixture(scope="session")
def environ(make_database) -> dict[str, str]:
    """Settings as production has them, on a database of the tests' own."""
    return {
        "DATABASE_URL": make_database().render_as_string(hide_password=False),
        "BETTER_AUTH_SECRET": SECRET,
        "LOG_LEVEL": "DEBUG",
        # No test meets the limit unless it is about it.
        "RATE_LIMIT": "1000000 per minute",
        "AUTH_RATE_LIMIT": "1000000 per minute",
    }


@pytest.fixture(scope="session")
def app(environ):
    """The application on a migrated database."""
    app = create_app(environ)
    migrations.upgrade(app.extensions["database"])
    yield app
    app.extensions["database"].engine.dispose()
    app.extensions["database"].probe.dispose()


@pytest.fixture
def database(app):
    """The application's engine, on a database without users before and after."""
    engine = app.extensions["database"].engine
    with engine.connect() as connection:
        connection.execute(delete(users))
    return engine


@pytest.fixture
def token_of():
    """Makes tokens as an HS256 front end would; claims may be added or replaced."""

    def make(user_id, **claims) -> str:
        everything = {"sub": user_id, "exp": 4102444800} | claims
        return jwt.encode(everything, SECRET, "HS256")

    return make


@pytest.fixture
def anyone(app, database):
    """A client without a token."""
    return Client(app)


@pytest.fixture
def alice(app, database, token_of):
    """A client with Alice's token; its paths are relative to her tasks."""
    return Client(app, user_id="alice", token=token_of("alice"))


@pytest.fixture
def bob(app, database, token_of):
    """The same for Bob."""
    return Client(app, user_id="bob", token=token_of("bob"))


@pytest.fixture
def make_client(environ, token_of):
    """Makes clients of Alice's with an application of their own, on given settings."""
    made = []

    def make(**settings):
        app = create_app(environ | settings)
        made.append(app)
        return Client(app, user_id="alice", token=token_of("alice"))

    yield make
    for app in made:
        app.extensions["database"].engine.dispose()
        app.extensions["database"].probe.dispose()


@pytest.fixture
def log(app, caplog):
    """The lines logged so far, as the service writes them."""
    caplog.set_level("INFO", "todo_service")  # another application may have set less
    handler, own = caplog.handler, caplog.handler.formatter
    handler.setFormatter(logging.getLogger("todo_service").handlers[0].formatter)
    yield lambda: [json.loads(line) for line in caplog.text.splitlines()]
    handler.setFormatter(own)


@pytest.fixture
def milk(alice):
    """A task of Alice's, as the answer that created it."""
    return alice.post("", json={"title": "Buy milk"})
