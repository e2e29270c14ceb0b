"""Logging in: what a token costs, and that a refusal tells nothing."""

import logging
import unicodedata
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from werkzeug.exceptions import ServiceUnavailable

from tests.accounts.conftest import EMAIL, PASSWORD
from tests.waiting import until
from todo_service.accounts import passwords
from todo_service.accounts.turns import Turns
from todo_service.database.tables import accounts

OLD = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
REFUSAL = {"error": "The e-mail address or the password is wrong."}


@pytest.fixture
def stored(database):
    """What the database has in a column of Carol's account."""

    def stored(column):
        with database.connect() as connection:
            found = connection.exec_driver_sql(f"SELECT {column} FROM accounts")
            return found.scalar_one()

    return stored


@pytest.fixture
def crowded(app, monkeypatch):
    """All threads that may hash do, and all that may wait for that wait."""
    nobody = Turns(at_once=0, waiting=0)
    monkeypatch.setitem(app.extensions, "hashing_turns", nobody)


class Watched(Turns):
    """Turns that note how many connections are held when one is taken."""

    def __init__(self, pool):
        super().__init__(at_once=1, waiting=0)
        self.held = []
        self._pool = pool

    def take(self):
        self.held.append(self._pool.checkedout())
        return super().take()


@pytest.fixture
def watched(app, database, monkeypatch):
    """The application's turns, watched."""
    watched = Watched(database.pool)
    monkeypatch.setitem(app.extensions, "hashing_turns", watched)
    return watched


def test_a_login_is_answered_like_the_registration(registered, log_in):
    answer = log_in()

    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    token = answer.json["access_token"]
    assert answer.json == registered.json | {"access_token": token}
    assert token != registered.json["access_token"]


@pytest.mark.parametrize("email", ["CAROL@example.com", "carol@EXAMPLE.com"])
def test_an_email_is_found_in_any_case(registered, log_in, email):
    assert log_in(email).json["user"] == registered.json["user"]


@pytest.mark.parametrize("password", [PASSWORD.upper(), PASSWORD + " ", "x"])
def test_a_password_is_compared_exactly(registered, log_in, password):
    assert log_in(password=password).status_code == 401


def test_an_accent_is_one_password_however_a_keyboard_sends_it(register, log_in):
    register(password="père noël")

    assert log_in(password=unicodedata.normalize("NFD", "père noël")).status_code == 200
    assert log_in(password="pere noel").status_code == 401


def test_a_refusal_is_the_same_for_everybody(registered, register, log_in, run):
    register("dora@example.com")
    run("accounts", "deactivate", "dora@example.com")

    refusals = [
        log_in("nobody@example.com"),
        log_in(password="wrong horse"),
        log_in("dora@example.com"),
        log_in("dora@example.com", "wrong horse"),
    ]

    for answer in refusals:
        assert (answer.status_code, answer.json) == (401, REFUSAL)
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.headers["Cache-Control"] == "no-store"
    names = [sorted(answer.headers.keys()) for answer in refusals]
    assert names == [names[0]] * 4


@pytest.mark.parametrize(
    ("email", "password"),
    [
        pytest.param("", "x", id="empty"),
        pytest.param("carol", "x", id="no-address"),
        pytest.param("ca\0rol@example.com", PASSWORD, id="nul"),
        pytest.param(EMAIL, "x\0", id="nul-in-password"),
        pytest.param(EMAIL, "x" * 100_000, id="endless-password"),
        pytest.param("x" * 100_000, "x", id="endless-email"),
        pytest.param("\u0300" * 40_000, "\u0300" * 20_000, id="marks"),
        pytest.param("' OR 1=1 --", "' OR 1=1 --", id="sql"),
        pytest.param("%@example.com", PASSWORD, id="pattern"),
    ],
)
def test_any_two_strings_that_are_no_accounts_are_a_401(
    registered, log_in, email, password
):
    answer = log_in(email, password)

    assert (answer.status_code, answer.json) == (401, REFUSAL)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"password": "x"}, "email: Missing data for required field."),
        ({"email": "x"}, "password: Missing data for required field."),
        ({"email": "x", "password": ""}, "password: Shorter than minimum length 1."),
        ({"email": 1, "password": "x"}, "email: Not a valid string."),
        ({"email": None, "password": "x"}, "email: Field may not be null."),
        ({"email": "x", "password": ["x"]}, "password: Not a valid string."),
        ({"email": "x", "password": "x", "otp": 1}, "otp: Unknown field."),
    ],
)
def test_what_is_not_two_strings_is_a_400(anyone, body, error):
    answer = anyone.post("/auth/login", json=body)

    assert (answer.status_code, answer.json) == (400, {"error": error})


def test_a_login_renews_a_hash_of_other_parameters(
    registered, log_in, stored, database
):
    with database.connect() as connection:
        connection.execute(update(accounts).values(password_hash=OLD.hash(PASSWORD)))

    assert log_in(password="wrong horse").status_code == 401
    assert "m=1024,t=1,p=1" in stored("password_hash")

    answer = log_in()
    renewed = stored("password_hash")
    assert answer.status_code == 200
    assert renewed.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert log_in().status_code == 200
    assert stored("password_hash") == renewed


def test_nobodys_hash_costs_what_everybodys_does(registered, stored):
    real, nobodys = stored("password_hash"), passwords.NOBODYS_HASH

    assert not passwords.is_outdated(nobodys)
    assert len(nobodys) == len(real)
    assert nobodys.rpartition("p=1")[0] == real.rpartition("p=1")[0]


def test_no_connection_is_held_while_a_password_is_hashed(
    watched, carol, register, log_in
):
    change = {"current_password": PASSWORD, "new_password": "another horse"}

    register("dora@example.com")
    log_in()
    log_in("nobody@example.com")
    carol.post("/auth/password", json=change)
    carol.delete("/auth/me", json={"password": PASSWORD})

    # A change checks one password and hashes another.
    assert watched.held == [0] * 6


def test_whoever_waits_for_a_turn_gets_it_and_the_next_one_is_refused():
    turns = Turns(at_once=1, waiting=1)
    with ThreadPoolExecutor(2) as pool:
        with turns.take():
            hashing = [pool.submit(taken, turns) for _ in range(2)]
            until(lambda: any(each.done() for each in hashing))
            (refused,) = (each for each in hashing if each.done())
            assert isinstance(refused.exception(), ServiceUnavailable)
        (waited,) = (each for each in hashing if each is not refused)
        assert waited.result() == "taken"


def taken(turns):
    """Take a turn, as soon as there is one."""
    with turns.take():
        return "taken"


def test_who_would_wait_too_long_for_a_hash_is_told_at_once(
    carol, registered, register, log_in, crowded
):
    change = {"current_password": PASSWORD, "new_password": "another horse"}

    refusals = [
        log_in(),
        log_in("nobody@example.com"),
        register("dora@example.com"),
        carol.post("/auth/password", json=change),
        carol.delete("/auth/me", json={"password": PASSWORD}),
    ]

    for answer in refusals:
        assert answer.status_code == 503
        assert answer.headers["Retry-After"]
        assert answer.headers["Cache-Control"] == "no-store"
    assert carol.get("").status_code == 200


def test_a_text_that_is_too_long_for_a_password_costs_no_hash(
    carol, registered, log_in, crowded
):
    endless = "x" * 100_000

    assert log_in(password=endless).status_code == 401
    assert log_in("nobody@example.com", endless).status_code == 401
    assert carol.delete("/auth/me", json={"password": endless}).status_code == 403


@pytest.mark.parametrize(
    ("cores", "workers", "threads", "at_once", "waiting"),
    [(8, 2, 16, 4, 4), (2, 2, 16, 1, 4), (1, 4, 16, 1, 4), (3, 2, 3, 1, 0)],
)
def test_a_worker_hashes_on_its_share_of_the_cores(
    make_client, monkeypatch, cores, workers, threads, at_once, waiting
):
    monkeypatch.setattr("todo_service.settings.cores.available", lambda: cores)
    client = make_client(
        LOCAL_ACCOUNTS="true",
        WEB_CONCURRENCY=str(workers),
        GUNICORN_THREADS=str(threads),
    )

    turns = client.application.extensions["hashing_turns"]
    assert (turns.at_once, turns.waiting) == (at_once, waiting)


def test_no_log_has_an_email_or_a_password(carol, registered, register, log_in, caplog):
    caplog.set_level(logging.DEBUG)
    new = "another horse"

    register()
    register("not an address", "short")
    log_in()
    log_in(password="wrong horse")
    log_in("nobody@example.com")
    carol.post("/auth/password", json={"current_password": "x", "new_password": new})
    carol.delete("/auth/me", json={"password": PASSWORD})

    said = "\n".join(str(vars(record)) for record in caplog.records)
    assert "/auth/login" in said
    for secret in (EMAIL, PASSWORD, "wrong horse", "short", "nobody@", new, "$argon2"):
        assert secret not in said
