"""A real Better Auth server and the service under gunicorn, made to measure."""

import shutil
import subprocess
from contextlib import ExitStack

import pytest

from tests.e2e import servers
from tests.programs import give_up


@pytest.fixture(scope="session")
def node_modules() -> None:
    """Better Auth as package-lock.json has it. In CI its absence is a failure."""
    missing = [name for name in ("node", "npm") if not shutil.which(name)]
    if missing:
        give_up(f"Better Auth needs Node.js; not on PATH: {', '.join(missing)}.")
    wanted = servers.HERE / "package-lock.json"
    installed = servers.HERE / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run(["npm", "ci"], cwd=servers.HERE, check=True)


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
