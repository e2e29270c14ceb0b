"""An issuer, a clock that the tests move, and the door between them."""

import time

import pytest

from tests.identity.issuer import Issuer
from todo_service import create_app, identity
from todo_service.identity.keys import KeySet
from todo_service.identity.tokens import Verifier
from todo_service.settings import load

SECRET = "a secret of the tests, long enough for HS256"
THREADS = 16


class Clock:
    """Stands still until it is moved."""

    def __init__(self, now=0.0):
        self.now = now

    def __call__(self):
        return self.now

    def advance(self, seconds):
        self.now += seconds


def until(condition, seconds=5):
    """Wait for what another thread is about to bring about."""
    late = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < late, "it did not come about"
        time.sleep(0.005)


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
    return KeySet(issuer.url, waiting=8, clock=clock)


class Door:
    """The application as a caller meets it: open is 404, for nothing is there.

    What is behind the door needs a database; the door does not.
    """

    def __init__(self, clock, **environ):
        everything = {
            "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none",
            "GUNICORN_THREADS": str(THREADS),
            **environ,
        }
        self.clock = clock
        self.wall = Clock(1_800_000_000.0)
        self.settings = load(everything)
        self.app = create_app(everything)
        self.restart()

    def restart(self):
        """A worker that knows nothing yet, on the tests' clocks."""
        keys = identity._issuer_keys(self.settings)
        if keys:
            keys._clock = self.clock
        self.verifier = Verifier(self.settings, keys, clock=self.wall)
        self.app.extensions["verifier"] = self.verifier

    def get(self, path, token=None, **headers):
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        return self.app.test_client().get(path, headers=headers)

    def knock(self, token):
        """The status for a token, at a path that is nobody's."""
        return self.get("/nothing", token).status_code


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
