"""A real Better Auth server and the service under gunicorn, made to measure."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.e2e import packages, servers
from tests.programs import program

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def node_modules() -> None:
    """Better Auth as package-lock.json has it."""
    packages.install(servers.HERE)


@pytest.fixture(scope="session")
def typescript_client() -> Path:
    """The folder of the typed client, with what it needs, built as its source is."""
    folder = packages.install(ROOT / "clients" / "typescript")
    packages.run("npm", "run", "prepare", folder=folder)
    return folder


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser. In CI its absence is a failure."""
    return program("chromium")


@pytest.fixture
def better_auth(node_modules):
    """Starts Better Auth servers with given options; they end with the test."""
    with ExitStack() as running:
        yield lambda **options: running.enter_context(servers.better_auth(**options))


@pytest.fixture(scope="module")
def url(app, environ, issuer):
    """A service that trusts the module's issuer, and HS256 tokens of the secret."""
    with servers.service(environ, BETTER_AUTH_URL=issuer.url) as url:
        yield url


@pytest.fixture
def service(app, environ):
    """Starts the service with given settings, and answers its URL.

    Its database is the one that `app` has migrated.
    """
    with ExitStack() as running:
        yield lambda **settings: running.enter_context(
            servers.service(environ, **settings)
        )
