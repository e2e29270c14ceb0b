"""`/metrics`: what is counted, under which labels, and that clients choose no label."""

from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from sqlalchemy import select

from tests.client import Client
from tests.identity.issuer import Issuer
from tests.test_conventions import STATEMENTS
from tests.waiting import until
from todo_service import create_app
from todo_service.database.tables import users
from todo_service.tasks import purge

ON = {"METRICS_ENABLED": "true"}


@pytest.fixture
def alice(make_client, database):
    """Alice, where metrics are switched on."""
    return make_client(**ON, DB_POOL_SIZE="2")


@pytest.fixture
def anyone(alice):
    """Somebody without a token, at the same service."""
    return Client(alice.application)


def scrape(client) -> dict[str, float]:
    """Every series by its name and labels, with its value."""
    lines = client.get("/metrics").text.splitlines()
    series = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
    return {name: float(value) for name, value in series}


def requests(method: str, route: str, status: int) -> str:
    labels = f'method="{method}",route="{route}",status="{status}"'
    return f"todo_http_requests_total{{{labels}}}"


LIST = "/api/<user:user_id>/tasks"


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_path_is_public_where_metrics_are_switched_on(anyone, method):
    answer = anyone.open("/metrics", method=method)

    assert answer.status_code == 200
    assert answer.content_type == "text/plain; version=0.0.4; charset=utf-8"


def test_the_path_is_an_unknown_one_where_metrics_are_off(make_client):
    client = make_client()

    answers = [Client(client.application).get("/metrics"), client.get("/metrics")]

    assert [answer.status_code for answer in answers] == [401, 404]


def test_nothing_listens_where_metrics_are_off(make_client):
    assert make_client().application.extensions["database"].ran == []


def test_requests_are_counted_by_method_template_and_status(alice, anyone):
    alice.get("")
    alice.get("")
    anyone.get("/api/alice/tasks")

    counted = scrape(alice)
    assert counted[requests("GET", LIST, 200)] == 2
    assert counted[requests("GET", LIST, 401)] == 1
    labels = f'method="GET",route="{LIST}"'
    assert counted[f"todo_http_request_duration_seconds_count{{{labels}}}"] == 3
    slowest = f'todo_http_request_duration_seconds_bucket{{le="+Inf",{labels}}}'
    assert counted[slowest] == 3


def test_statements_are_counted_by_their_names(alice):
    alice.post("", json={"title": "Buy milk"})

    name = 'todo_statement_duration_seconds_count{statement="INSERT_NEW_TASK"}'
    assert scrape(alice)[name] == 1


@pytest.mark.parametrize("name", STATEMENTS.keys() - vars(purge).keys())
def test_every_statement_of_a_request_has_its_own_name(name):
    called = STATEMENTS[name].get_execution_options().get("name")

    if name.startswith("list: "):
        assert called in ("SELECT_PAGE", "SELECT_USUAL_PAGE")
    elif name != "SET_ACTIVE":  # a command's
        assert called == name


def test_what_clients_choose_makes_no_series(alice, anyone):
    def send(number):
        alice.open("", method=f"BREW{number}", headers={"X-Request-ID": f"r-{number}"})
        alice.get(f"/nowhere/{number}")
        alice.get(f"?q=word-{number}")
        alice.get(f"{uuid4()}")
        anyone.get(f"/api/user-{number}/tasks")
        anyone.get("", headers={"Authorization": f"Bearer x{number}"})
        return scrape(alice).keys()

    send(0)
    before = send(1)
    for number in range(2, 20):
        after = send(number)

    assert after == before


def test_refusals_are_counted_by_their_reason(make_client, database):
    alice = make_client(**ON, RATE_LIMIT="1 per hour")
    alice.get("")
    alice.get("")
    Client(alice.application).get("/api/tasks")

    counted = scrape(alice)
    assert counted['todo_http_refusals_total{reason="limit_of_user"}'] == 1
    assert counted['todo_http_refusals_total{reason="no_token"}'] == 1
    assert counted[requests("GET", LIST, 429)] == 1


def test_a_database_that_is_away_is_counted_by_that_reason(environ, token_of):
    nowhere = {"DATABASE_URL": "postgresql://u@127.0.0.1:1/x"}
    app = create_app(environ | ON | nowhere)
    alice = Client(app, user_id="alice", token=token_of("alice"))

    assert alice.get("").status_code == 503

    counted = scrape(alice)
    assert counted['todo_http_refusals_total{reason="database_away"}'] == 1
    assert counted["todo_pool_requests_waiting"] == 0


def test_connections_in_use_and_requests_that_wait_are_shown(alice, database):
    alice.post("", json={"title": "Buy milk"})
    alice_row = select(users).where(users.c.id == "alice").with_for_update()

    def create(_):
        own = Client(alice.application, user_id="alice", token=alice.token)
        return own.post("", json={"title": "Tea"}).status_code

    def pool() -> tuple[float, float]:
        counted = scrape(alice)
        in_use = counted["todo_pool_connections_in_use"]
        return in_use, counted["todo_pool_requests_waiting"]

    locking = database.execution_options(isolation_level="READ COMMITTED")
    with ThreadPoolExecutor(2) as threads:
        with locking.begin() as connection:
            connection.execute(alice_row)
            created = threads.map(create, range(2))
            # Alice's share is one connection of two.
            until(lambda: pool() == (1, 1))
        assert list(created) == [201, 201]

    assert pool() == (0, 0)
    assert scrape(alice)["todo_pool_connections_limit"] == 2


def test_fetches_of_keys_are_counted_and_dated(environ):
    issuer = Issuer()
    settings = {
        "JWKS_URL": issuer.url,
        "JWT_ISSUER": issuer.origin,
        "JWT_AUDIENCE": issuer.origin,
    }
    client = Client(create_app(environ | ON | settings))
    fetches = 'todo_jwks_fetches_total{result="%s"}'
    before = scrape(client)
    assert (before[fetches % "good"], before[fetches % "bad"]) == (0, 0)

    client.get("/api/tasks", headers={"Authorization": f"Bearer {issuer.token()}"})

    until(lambda: scrape(client)[fetches % "good"] == 1)
    assert scrape(client)["todo_jwks_fetched_timestamp_seconds"] > 1.7e9
    issuer.close()


def test_a_fetch_that_failed_is_counted_as_bad(environ):
    issuer = Issuer()
    settings = {"BETTER_AUTH_URL": "http://127.0.0.1:1"}
    client = Client(create_app(environ | ON | settings))

    client.get("/api/tasks", headers={"Authorization": f"Bearer {issuer.token()}"})

    until(lambda: scrape(client)['todo_jwks_fetches_total{result="bad"}'] == 1)
    assert scrape(client)["todo_jwks_fetched_timestamp_seconds"] == 0
    issuer.close()
