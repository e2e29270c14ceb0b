"""An issuer, a clock that the tests move, and the door between them."""

from functools import cache

import pytest

from tests.identity.issuer import Issuer
from todo_service import create_app, identity
from todo_service.identity import keys as key_rules
from todo_service.identity.keys import KeySet
from todo_service.settings import load

SECRET = "a secret of the tests, long enough for HS256"
THREADS = 16
# Longer than anything takes here, also on a busy machine; shorter than a fetch that
# nobody ends.
PATIENCE_SECONDS = 30


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now=0.0):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def issuer():
    issuer = Issuer()
    yield issuer
    issuer.close()


@pytest.fixture
def keys(issuer, clock):
    """The issuer's keys, on the tests' clock."""
    return KeySet(issuer.url, waiting_threads=8, clock=clock)


@pytest.fixture
def long_deadline(monkeypatch):
    """A fetch from an issuer that hangs ends only when the test lets it go."""
    monkeypatch.setattr(key_rules, "FETCH_SECONDS", 3 * PATIENCE_SECONDS)


class Door:
    """The application as a client sees it, without a database.

    A token that is accepted gets a 404: there is nothing at the path.
    """

    def __init__(self, clock, **environ):
        everything = {
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "GUNICORN_THREADS": str(THREADS),
            "RATE_LIMIT": "",
            "AUTH_RATE_LIMIT": "",
            **environ,
        }
        self.clock = clock
        self.wall = Clock(1_800_000_000.0)
        self.settings = load(everything)
        self.app = _application(tuple(everything.items()))
        self.restart()

    def restart(self):
        """A worker that knows nothing yet, on the tests' clocks."""
        self.verifier = identity.make_verifier(
            self.settings, clock=self.wall, monotonic=self.clock
        )
        self.app.extensions["verifier"] = self.verifier

    def get(self, path, token=None, **headers):
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.app.test_client().get(path, headers=headers)

    def knock(self, token):
        """The status for a token, at a path where nothing is."""
        return self.get("/nothing", token).status_code


@cache
def _application(environ):
    """The application with these settings, shared: its verifier is all that changes."""
    return create_app(dict(environ))


OPEN = 404


@pytest.fixture
def door(issuer, clock):
    """A service that trusts the issuer and nothing else."""
    return Door(
        clock, JWKS_URL=issuer.url, JWT_ISSUER=issuer.origin, JWT_AUDIENCE=issuer.origin
    )


@pytest.fixture
def secret_door(clock):
    """A service that trusts its secret and nothing else."""
    return Door(clock, BETTER_AUTH_SECRET=SECRET)


@pytest.fixture
def double_door(issuer, clock):
    """A service that trusts both."""
    return Door(clock, BETTER_AUTH_URL=issuer.origin, BETTER_AUTH_SECRET=SECRET)
