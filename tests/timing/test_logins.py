"""What can be measured of logins from outside: nothing about accounts, no standstill.

These tests take long and depend on no release of PostgreSQL, so CI runs them once.
"""

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations

import pytest

from tests.client import Client as LocalClient
from tests.e2e import servers
from tests.e2e.client import Client
from todo_service import create_app

pytestmark = pytest.mark.alone

PASSWORD = "correct horse battery staple"
TRIES = 250
LOGINS = 50
ROUNDS = 4
READS = 50  # at least, in a round


def auc(some: list[float], others: list[float]) -> float:
    """The chance that one of the first took longer than one of the second.

    0.5: they cannot be told apart. 1 or 0: always.
    """
    longer = sum((a > b) + (a == b) / 2 for a in some for b in others)
    return longer / (len(some) * len(others))


@pytest.fixture(scope="module")
def anyone(environ, app):
    """A client of the service with accounts, without a token."""
    app = create_app(environ | {"LOCAL_ACCOUNTS": "true"})
    yield LocalClient(app)
    app.extensions["database"].engine.dispose()


@pytest.fixture
def accounts(anyone, database):
    """Two accounts, one of which is inactive."""
    for name in ("carol", "inactive"):
        body = {"email": f"{name}@example.com", "password": PASSWORD}
        assert anyone.post("/auth/register", json=body).status_code == 201
    deactivate = ["accounts", "deactivate", "inactive@example.com"]
    assert anyone.application.test_cli_runner().invoke(args=deactivate).exit_code == 0


def durations(client, bodies: dict, tries: int) -> dict[str, list[float]]:
    """How long each login took that was refused, all kinds in one random order."""
    found: dict[str, list[float]] = {kind: [] for kind in bodies}
    kinds = [kind for kind in bodies for _ in range(tries)]
    random.shuffle(kinds)
    for kind in kinds:
        began = time.perf_counter()
        answer = client.post("/auth/login", json=bodies[kind])
        found[kind].append(time.perf_counter() - began)
        assert answer.status_code == 401
    return found


def test_the_time_of_a_refusal_does_not_tell_who_has_an_account(anyone, accounts):
    wrong = "wrong horse battery staple"
    found = durations(
        anyone,
        {
            "wrong password": {"email": "carol@example.com", "password": wrong},
            "unknown": {"email": "nobody@example.com", "password": wrong},
            "inactive": {"email": "inactive@example.com", "password": PASSWORD},
        },
        TRIES,
    )

    areas = {
        pair: auc(*(found[kind] for kind in pair)) for pair in combinations(found, 2)
    }
    assert all(0.4 <= area <= 0.6 for area in areas.values()), areas


def test_a_refusal_without_a_hash_would_be_found(anyone, accounts):
    found = durations(
        anyone,
        {
            "hashed": {"email": "carol@example.com", "password": "wrong horse"},
            "at once": {"email": "carol@example.com", "password": "x" * 129},
        },
        20,
    )

    assert auc(found["hashed"], found["at once"]) > 0.95


@pytest.fixture
def url(environ, database):
    """The service with accounts, as production runs it."""
    with servers.service(environ, LOCAL_ACCOUNTS="true") as url:
        yield url


def read_until(done: threading.Event, tasks: Client) -> list[float]:
    """How long reads take, one after the other, until something else is done."""
    took: list[float] = []
    while len(took) < READS or not done.is_set():
        began = time.perf_counter()
        assert tasks.get().status == 200
        took.append(time.perf_counter() - began)
    return took


def test_a_storm_of_logins_leaves_the_tasks_alive(url):
    body = {"email": "carol@example.com", "password": PASSWORD}
    token = Client(url).post("/auth/register", body).json["access_token"]
    tasks = Client(f"{url}/api/tasks", token=token)
    took: list[float] = []
    statuses: list[int] = []

    with ThreadPoolExecutor(LOGINS + 1) as pool:
        for _ in range(ROUNDS):
            done = threading.Event()
            reading = pool.submit(read_until, done, tasks)
            storm = [
                pool.submit(Client(url).post, "/auth/login", body)
                for _ in range(LOGINS)
            ]
            statuses += [login.result().status for login in storm]
            done.set()
            took += reading.result()

    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= ROUNDS
    assert sorted(took)[len(took) * 99 // 100] < 1
