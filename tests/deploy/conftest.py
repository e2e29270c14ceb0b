"""The service as it is deployed: nginx in front, `TRUSTED_PROXIES=1`."""

import shutil
import tempfile
from pathlib import Path

import pytest

from tests.deploy.nginx import nginx
from tests.running import running


@pytest.fixture(scope="module")
def folder():
    """A folder that the worker processes of nginx, who are nobody, can enter."""
    path = Path(tempfile.mkdtemp(prefix="todo"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def settings(environ, app) -> dict[str, str]:
    """One worker with eight threads, so that few connections could stop it."""
    return environ | {
        "WEB_CONCURRENCY": "1",
        "GUNICORN_THREADS": "8",
        "TRUSTED_PROXIES": "1",
    }


@pytest.fixture(scope="module")
def bare(settings, folder):
    """The service itself."""
    with running(settings, folder / "gunicorn") as service:
        yield service


@pytest.fixture(scope="module")
def proxied(bare, folder):
    """The same service, through nginx."""
    with nginx([bare.port], folder) as proxied:
        yield proxied
