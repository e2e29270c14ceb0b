"""One user's share of a worker's connections: held, waited for, and given back."""

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import select
from werkzeug.exceptions import ServiceUnavailable

from tests.client import Client
from tests.waiting import until, wait_for_a_blocked_statement
from todo_service.database import fetch_all
from todo_service.database.shares import Shares
from todo_service.database.tables import users

pytestmark = pytest.mark.once

PATIENCE = 10


def make(connections=1, waiting=1, seconds=PATIENCE):
    return Shares(connections=connections, waiting=waiting, seconds=seconds)


def nobody(shares):
    """True if nothing is kept about anybody."""
    return not shares._held and not shares._queues


def waits(shares):
    return len(shares._queues.get("alice", ()))


def test_a_user_holds_a_number_of_connections_and_the_next_is_refused_at_once():
    shares = make(connections=2, waiting=0)

    with shares.of("alice"), shares.of("alice"):
        with pytest.raises(ServiceUnavailable) as refused, shares.of("alice"):
            pass
        with shares.of("bob"), shares.of("bob"):
            assert refused.value.retry_after

    assert nobody(shares)


def test_a_connection_that_is_given_back_goes_to_who_has_waited_longest():
    shares, order = make(waiting=3), []

    def wait(number):
        with shares.of("alice"):
            order.append(number)

    with ThreadPoolExecutor(3) as threads, shares.of("alice"):
        for number in range(3):
            threads.submit(wait, number)
            until(lambda so_many=number + 1: waits(shares) == so_many)
        with pytest.raises(ServiceUnavailable), shares.of("alice"):
            pass

    assert order == [0, 1, 2]
    assert nobody(shares)


def test_waiting_ends_after_its_time_and_is_forgotten():
    shares = make(seconds=0.05)

    with shares.of("alice"):
        for _ in range(3):
            with pytest.raises(ServiceUnavailable), shares.of("alice"):
                pass
        assert waits(shares) == 0

    assert nobody(shares)


@pytest.mark.parametrize("error", [RuntimeError, SystemExit, GeneratorExit])
def test_any_exception_gives_the_connection_back(error):
    shares = make()

    with suppress(error), shares.of("alice"):
        raise error

    assert nobody(shares)


def test_an_exception_while_waiting_gives_nothing_away(monkeypatch):
    shares = make()
    queue_up = shares._queue_up

    class Interrupted:
        def acquire(self, timeout):
            raise KeyboardInterrupt

        def release(self):
            pass

    def interrupted(owner):
        queue_up(owner)
        turn = Interrupted()
        shares._queues[owner][-1] = turn
        return turn

    monkeypatch.setattr(shares, "_queue_up", interrupted)
    with shares.of("alice"):
        with pytest.raises(KeyboardInterrupt), shares.of("alice"):
            pass
        assert waits(shares) == 0

    assert nobody(shares)


def test_no_turn_is_lost_and_no_limit_passed_under_contention():
    """Threads come and go, some fail, some time out just when their turn comes."""
    shares = make(connections=2, waiting=5, seconds=0.001)
    owners, active = ["alice", "bob"], {"alice": 0, "bob": 0}
    counting, most, served = threading.Lock(), [0], [0]

    def work(seed):
        chance = random.Random(seed)
        for _ in range(300):
            owner = chance.choice(owners)
            with suppress(ServiceUnavailable, ZeroDivisionError), shares.of(owner):
                with counting:
                    active[owner] += 1
                    served[0] += 1
                    most[0] = max(most[0], active[owner])
                threading.Event().wait(chance.choice([0, 0.0005, 0.001]))
                with counting:
                    active[owner] -= 1
                if chance.random() < 0.3:
                    raise ZeroDivisionError

    with ThreadPoolExecutor(16) as threads:
        list(threads.map(work, range(16)))

    assert most[0] == 2
    assert served[0] > 100
    assert nobody(shares)


@pytest.fixture
def busy(make_client, database, milk):
    """Alice on a worker with 4 connections and 8 threads; she holds hers, and waits."""
    alice = make_client(DB_POOL_SIZE="4", GUNICORN_THREADS="8", DB_POOL_TIMEOUT="0.5")
    toggle = f"{milk.json['id']}/complete"
    with database.connect() as connection, ThreadPoolExecutor(4) as threads:
        connection.exec_driver_sql("BEGIN")
        connection.exec_driver_sql("SELECT FROM users FOR UPDATE")
        holding = [threads.submit(alice.patch, toggle) for _ in range(2)]
        wait_for_a_blocked_statement(database)
        shares = alice.application.extensions["database"].shares
        until(lambda: shares._held.get("alice") == 2)
        yield alice, threads, shares
        connection.exec_driver_sql("ROLLBACK")
        assert [each.result().status_code for each in holding] == [200, 200]
        assert nobody(shares)


def test_a_user_at_the_limit_gets_a_503_and_all_others_are_served(busy, token_of):
    alice, threads, shares = busy
    bob = Client(alice.application, user_id="bob", token=token_of("bob"))

    waiting = [threads.submit(alice.get, "") for _ in range(2)]
    until(lambda: waits(shares) == 2)
    refused = alice.get("")

    assert bob.post("", json={"title": "Tea"}).status_code == 201
    for answer in [refused, *(each.result() for each in waiting)]:
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert "too many requests at once" in answer.json["error"]


def test_statements_of_nobody_have_one_share(make_client, database):
    """A login looks for an e-mail: before it there is no user."""
    app = make_client(DB_POOL_SIZE="2", GUNICORN_THREADS="1").application
    statement = select(users.c.id)

    with app.app_context(), app.extensions["database"].shares.of(None):
        with pytest.raises(ServiceUnavailable):
            fetch_all(statement, {})

        assert fetch_all(statement, {"owner": "alice"}) == []


def test_who_waits_is_served_when_a_connection_is_free(make_client):
    alice = make_client(DB_POOL_SIZE="2", GUNICORN_THREADS="16")

    with ThreadPoolExecutor(5) as threads:
        found = list(threads.map(lambda _: alice.get("").status_code, range(100)))

    assert set(found) == {200}
