"""The service with accounts of its own, and Carol, who has one."""

import pytest

from tests.client import Client
from todo_service import create_app

EMAIL = "carol@example.com"
PASSWORD = "correct horse battery staple"


@pytest.fixture(scope="session")
def app(environ, app):
    """The application with accounts, on a migrated database."""
    app = create_app(environ | {"LOCAL_ACCOUNTS": "true"})
    yield app
    app.extensions["database"].engine.dispose()


@pytest.fixture(scope="session")
def switched_off(environ, app):
    """The application without accounts, on the same database."""
    app = create_app(environ)
    yield app
    app.extensions["database"].engine.dispose()


@pytest.fixture
def register(anyone):
    """Registers somebody; gives the answer."""

    def register(email=EMAIL, password=PASSWORD, **more):
        body = {"email": email, "password": password} | more
        return anyone.post("/auth/register", json=body)

    return register


@pytest.fixture
def log_in(anyone):
    """Logs somebody in; gives the answer."""

    def log_in(email=EMAIL, password=PASSWORD):
        return anyone.post("/auth/login", json={"email": email, "password": password})

    return log_in


@pytest.fixture
def registered(register):
    """The answer to Carol's registration."""
    return register()


@pytest.fixture
def carol(app, registered):
    """A client with Carol's token."""
    return Client(
        app,
        user_id=registered.json["user"]["id"],
        token=registered.json["access_token"],
    )


@pytest.fixture
def run(app, database):
    """Runs a flask command; gives its result."""

    def run(*args):
        return app.test_cli_runner().invoke(args=args)

    return run
