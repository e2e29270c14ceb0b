"""How often one address, and one user, may try a password."""

import pytest

from tests.accounts.conftest import EMAIL, PASSWORD
from tests.client import Client
from todo_service.accounts.turns import Turns
from todo_service.settings import load

WRONG = {"email": "nobody@example.com", "password": "wrong horse"}
CHANGE = {"current_password": "wrong horse", "new_password": "another horse"}


@pytest.fixture
def limited(make_client, registered):
    """Carol's client of a service that lets three tries an hour pass."""
    app = make_client(LOCAL_ACCOUNTS="true", AUTH_RATE_LIMIT="3 per hour").application
    return Client(app, token=registered.json["access_token"])


def log_in(client, address="192.0.2.1", body=WRONG):
    return client.post(
        "/auth/login", json=body, environ_overrides={"REMOTE_ADDR": address}
    )


def register(client, address="192.0.2.1"):
    body = {"email": EMAIL, "password": PASSWORD}
    return client.post(
        "/auth/register", json=body, environ_overrides={"REMOTE_ADDR": address}
    )


def test_registrations_and_logins_of_an_address_are_limited_together(limited):
    passed = [register(limited), log_in(limited), log_in(limited, body={})]
    refused = [log_in(limited), register(limited), log_in(limited, body={})]

    assert [answer.status_code for answer in passed] == [409, 401, 400]
    for answer in refused:
        assert answer.status_code == 429
        assert answer.headers["Retry-After"] == answer.headers["RateLimit-Reset"]
        assert answer.headers["RateLimit-Limit"] == "3"
        assert answer.headers["Cache-Control"] == "no-store"
    assert passed[-1].headers["RateLimit-Remaining"] == "0"
    assert log_in(limited, "192.0.2.2").status_code == 401


def test_tries_of_a_user_are_limited_together(limited, alice):
    passed = [
        limited.post("/auth/password", json=CHANGE),
        limited.delete("/auth/me", json={"password": "wrong horse"}),
        limited.post("/auth/password", json={}),
    ]
    refused = [
        limited.post("/auth/password", json=CHANGE),
        limited.delete("/auth/me", json={"password": PASSWORD}),
    ]

    assert [answer.status_code for answer in passed] == [403, 403, 400]
    assert [answer.status_code for answer in refused] == [429, 429]
    bearer = {"Authorization": f"Bearer {alice.token}"}
    another = limited.post("/auth/password", json=CHANGE, headers=bearer)
    assert another.status_code == 404


def test_a_limit_on_passwords_is_none_on_anything_else(limited):
    for _ in range(3):
        limited.post("/auth/password", json=CHANGE)
        log_in(limited)

    assert limited.get("/auth/me").status_code == 200
    assert limited.get("/api/tasks").status_code == 200
    assert limited.get("/auth/login").status_code == 405
    assert limited.post("/auth/logout").status_code == 200


def test_a_429_costs_no_hash(limited, monkeypatch):
    for _ in range(3):
        log_in(limited)
        limited.delete("/auth/me", json={"password": "wrong horse"})
    nobody = Turns(at_once=0, waiting=0)
    monkeypatch.setitem(limited.application.extensions, "hashing_turns", nobody)

    # Whatever hashed would be a 503.
    assert log_in(limited, "192.0.2.2").status_code == 503
    assert log_in(limited).status_code == 429
    assert register(limited).status_code == 429
    deleted = limited.delete("/auth/me", json={"password": PASSWORD})
    assert deleted.status_code == 429


def test_an_empty_limit_is_none(make_client, database):
    client = make_client(LOCAL_ACCOUNTS="true", AUTH_RATE_LIMIT="")

    answers = [log_in(client, body={}) for _ in range(12)]

    assert {answer.status_code for answer in answers} == {400}
    assert "RateLimit-Limit" not in answers[0].headers


def test_by_default_ten_tries_a_minute_pass(environ, make_client, database):
    default = load({n: each for n, each in environ.items() if "RATE" not in n})
    client = make_client(LOCAL_ACCOUNTS="true", AUTH_RATE_LIMIT=default.auth_rate_limit)

    statuses = [log_in(client, body={}).status_code for _ in range(11)]

    assert statuses == [400] * 10 + [429]
