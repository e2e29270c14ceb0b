"""Which statements are sent a second time, and that nothing happens twice by that."""

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial

import psycopg2
import pytest
from sqlalchemy import text

from tests.proxy import CountingProxy
from tests.waiting import wait_for_a_blocked_statement
from todo_service.database import retries
from todo_service.tasks import queries

KEY = {"Idempotency-Key": "a-key"}
LOST = pytest.mark.parametrize("lost", ["statement", "answer"])
TERMINATE_THE_BLOCKED = text(
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


@pytest.fixture
def line(app, server):
    """The line to PostgreSQL: it loses statements, or answers."""
    proxy = CountingProxy(server)
    yield proxy
    proxy.close()


@pytest.fixture
def remote(make_client, app, line, milk):
    """Alice at an application behind that line, with a connection made."""
    url = line.url(app.extensions["database"].url)
    remote = make_client(DATABASE_URL=url.render_as_string(hide_password=False))
    assert remote.get("").status_code == 200
    return remote


READS = {
    "task": lambda alice, milk: alice.get(milk.location),
    "list": lambda alice, milk: alice.get(""),
    "filtered-list": lambda alice, milk: alice.get("?q=milk"),
    "changes": lambda alice, milk: alice.get("changes"),
}


@LOST
@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_a_read_whose_connection_breaks_is_sent_again(line, remote, milk, read, lost):
    line.lose(lost)

    assert read(remote, milk).status_code == 200


def test_a_read_that_breaks_twice_is_a_503(line, remote, milk, caplog):
    line.lose("answer", times=2)

    answer = remote.get(milk.location)

    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert remote.get(milk.location).status_code == 200
    said = [each.getMessage() for each in caplog.records if each.levelname == "WARNING"]
    assert [each.partition(" (")[0].partition(":")[0] for each in said] == [
        "Sending a statement again",
        "The database cannot be reached.",
    ]
    assert "SELECT" not in caplog.text


@LOST
@pytest.mark.parametrize("headers", [{}, KEY], ids=["no-key", "key"])
def test_a_create_whose_connection_breaks_happens_once(
    line, remote, alice, headers, lost
):
    line.lose(lost)

    answer = remote.post("", json={"title": "Tea"}, headers=headers)

    assert answer.status_code == 201
    assert "Idempotency-Replayed" not in answer.headers
    assert alice.get(answer.headers["Location"]).json == answer.json
    assert alice.get("").json["total"] == 2
    assert alice.post("", json={"title": "next"}).json["version"] == 3


def test_a_key_whose_create_was_sent_again_is_a_key_like_any_other(line, remote):
    line.lose("answer")
    first = remote.post("", json={"title": "Tea"}, headers=KEY)

    again = remote.post("", json={"title": "Tea"}, headers=KEY)
    other = remote.post("", json={"title": "Coffee"}, headers=KEY)

    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert other.status_code == 409


def test_a_create_that_breaks_twice_is_a_503_and_happened_once(line, remote, alice):
    line.lose("answer", times=2)

    answer = remote.post("", json={"title": "Tea"}, headers=KEY)

    assert answer.status_code == 503
    assert alice.get("").json["total"] == 2
    assert remote.post("", json={"title": "Tea"}, headers=KEY).status_code == 201
    assert alice.get("").json["total"] == 2


def test_nothing_is_sent_again_after_a_long_wait():
    broken = psycopg2.OperationalError("server closed the connection unexpectedly")
    now = time.monotonic()
    allowed = partial(retries.allowed, queries.SELECT_TASK, broken, broke=True)

    assert allowed(since=now)
    assert not allowed(since=now - retries.SOON_SECONDS)


CHANGES = {
    "change": lambda alice, milk: alice.patch(milk.location, json={"title": "x"}),
    "toggle": lambda alice, milk: alice.patch(f"{milk.location}/complete"),
    "set": lambda alice, milk: alice.patch(
        f"{milk.location}/complete", json={"completed": True}
    ),
    "delete": lambda alice, milk: alice.delete(milk.location),
    "restore": lambda alice, milk: alice.post(f"{milk.location}/restore"),
}


@LOST
@pytest.mark.parametrize("change", CHANGES)
def test_no_other_write_is_sent_again(line, remote, alice, milk, change, lost):
    if change == "restore":
        alice.delete(milk.location)
    before = alice.post("", json={"title": "before"}).json["version"]
    line.lose(lost)

    assert CHANGES[change](remote, milk).status_code == 503

    after = alice.post("", json={"title": "after"}).json["version"]
    assert after - before - 1 == (lost == "answer")


@contextmanager
def held(database, lock):
    """A lock that others wait for, until the block ends."""
    with database.connect() as connection:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql(lock)
        try:
            yield connection
        finally:
            connection.exec_driver_sql("ROLLBACK")


@pytest.mark.parametrize(
    ("ask", "status"),
    [
        pytest.param(READS["task"], 200, id="read"),
        pytest.param(lambda a, milk: a.post("", json={"title": "x"}), 201, id="create"),
        pytest.param(CHANGES["toggle"], 503, id="toggle"),
    ],
)
def test_a_backend_that_is_terminated_under_the_statement(
    make_client, database, milk, ask, status
):
    alice = make_client()
    with ThreadPoolExecutor(1) as thread:
        with held(database, "LOCK TABLE users, tasks") as observer:
            answer = thread.submit(ask, alice, milk)
            wait_for_a_blocked_statement(database)
            assert observer.scalar(TERMINATE_THE_BLOCKED) == 1
        assert answer.result().status_code == status
    assert alice.get(milk.location).json == milk.json


def test_a_deadlock_is_tried_again(make_client, database, milk):
    alice = make_client()
    with ThreadPoolExecutor(1) as thread:
        with held(database, "SELECT FROM tasks FOR UPDATE") as other:
            answer = thread.submit(CHANGES["toggle"], alice, milk)
            wait_for_a_blocked_statement(database)
            # The other side of the deadlock waits until PostgreSQL has ended ours. It
            # gets a table's lock then. For a row's it would race with our second try.
            other.exec_driver_sql("SET LOCAL deadlock_timeout = '1min'")
            other.exec_driver_sql("LOCK TABLE users IN EXCLUSIVE MODE")
        assert answer.result().status_code == 200
    assert alice.get(milk.location).json["version"] == 2


def test_a_serialization_failure_is_tried_again(make_client, database, milk):
    name = database.url.database
    strict = f"ALTER DATABASE {name} SET default_transaction_isolation"
    with database.connect() as connection:
        connection.exec_driver_sql(f"{strict} = 'repeatable read'")
    alice = make_client()
    try:
        with ThreadPoolExecutor(1) as thread, database.connect() as other:
            other.exec_driver_sql("BEGIN")
            other.exec_driver_sql("UPDATE users SET last_change = last_change + 1")
            answer = thread.submit(CHANGES["toggle"], alice, milk)
            wait_for_a_blocked_statement(database)
            other.exec_driver_sql("COMMIT")
        assert answer.result().json["version"] == 3
    finally:
        with database.connect() as connection:
            connection.exec_driver_sql(strict.replace("SET", "RESET"))
