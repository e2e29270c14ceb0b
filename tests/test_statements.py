"""What a request costs the database: one round trip; a refused one costs nothing."""

import pytest

from tests.client import Client
from tests.proxy import CountingProxy
from todo_service import create_app

TASK = {"title": "x"}
KEY = {"Idempotency-Key": "k"}
SEEN, STALE = {"If-None-Match": '"1"'}, {"If-Match": '"9"'}
NEW = {"json": TASK, "headers": {"If-None-Match": "*"}}
NOBODYS = "01890000-0000-7000-8000-000000000000"
FEW = [{"id": NOBODYS[:-2] + f"{n:02}"} for n in range(100)]
BATCH = {"json": {"change": [TASK | each for each in FEW]}}

# Method, path below Alice's tasks ({} is a task of hers), what else is sent, status.
WORK = [
    pytest.param("GET", "", {}, 200, id="list"),
    pytest.param("GET", "?offset=9", {}, 200, id="empty-page"),
    pytest.param("POST", "", {"json": TASK}, 201, id="create"),
    pytest.param("GET", "{}", {}, 200, id="read"),
    pytest.param("PUT", "{}", {"json": TASK}, 200, id="put"),
    pytest.param("PATCH", "{}", {"json": TASK}, 200, id="patch"),
    pytest.param("PATCH", "{}/complete", {}, 200, id="toggle"),
    pytest.param("PATCH", "{}/complete", {"json": {"completed": True}}, 200, id="set"),
    pytest.param("PATCH", "{}/toggle-status", {}, 200, id="alias"),
    pytest.param("DELETE", "{}", {}, 200, id="delete"),
    pytest.param("POST", "{}/restore", {}, 200, id="restore-nothing-deleted"),
    pytest.param("GET", "changes", {}, 200, id="changes"),
    pytest.param("GET", "summary", {}, 200, id="summary"),
    pytest.param("POST", "", {"json": TASK, "headers": KEY}, 201, id="create-with-key"),
    pytest.param("GET", "{}", {"headers": SEEN}, 304, id="seen"),
    pytest.param("PATCH", "{}", {"json": TASK, "headers": STALE}, 412, id="412"),
    pytest.param("DELETE", "{}", {"headers": STALE}, 412, id="delete-412"),
    pytest.param("PUT", NOBODYS, NEW, 201, id="create-by-id"),
    pytest.param("POST", "batch", BATCH, 200, id="batch"),
    *(
        pytest.param("POST", "batch", {"json": {kind: FEW}}, 200, id=f"batch-{kind}")
        for kind in ("delete", "restore")
    ),
    pytest.param(
        "POST", "batch", {"json": {"create": [TASK] * 100}}, 200, id="batch-create"
    ),
    pytest.param("GET", NOBODYS, {}, 404, id="read-nothing"),
    pytest.param("PATCH", NOBODYS, {"json": TASK}, 404, id="change-nothing"),
    pytest.param("PATCH", f"{NOBODYS}/complete", {}, 404, id="complete-nothing"),
    pytest.param("DELETE", NOBODYS, {}, 404, id="delete-nothing"),
]
PREFLIGHT = {
    "Origin": "http://localhost:3000",
    "Access-Control-Request-Method": "POST",
}
REFUSED = [
    pytest.param("GET", "", {"headers": {"Authorization": "x"}}, 401, id="401"),
    pytest.param("GET", "/api/bob/tasks", {}, 403, id="403"),
    pytest.param("GET", "not-an-id", {}, 404, id="404-of-a-route"),
    pytest.param("PUT", "", {}, 405, id="405"),
    pytest.param("POST", "", {"data": b"x" * 131_073}, 413, id="413"),
    pytest.param("POST", "", {"data": b"{}"}, 415, id="415"),
    pytest.param("POST", "", {"json": {}}, 400, id="400"),
    pytest.param("POST", "batch", {"json": {}}, 400, id="400-of-a-batch"),
    pytest.param("GET", "?x=1", {}, 400, id="400-of-a-query"),
    pytest.param("OPTIONS", "", {}, 200, id="options"),
    pytest.param("OPTIONS", "", {"headers": PREFLIGHT}, 204, id="preflight"),
    pytest.param("GET", "/health", {}, 200, id="health"),
]


@pytest.fixture(scope="module")
def proxied(environ, server, app):
    """The application behind a counting proxy, and the proxy."""
    url = app.extensions["database"].url
    proxy = CountingProxy(server)
    through = proxy.url(url).render_as_string(hide_password=False)
    # One connection, so that after the first request it is the steady state.
    app = create_app(environ | {"DATABASE_URL": through, "DB_POOL_SIZE": "2"})
    yield app, proxy
    app.extensions["database"].engine.dispose()
    proxy.close()


@pytest.fixture
def steady(proxied, token_of, milk):
    """Alice behind the proxy, her one connection open; and the count of round trips."""
    app, proxy = proxied
    alice = Client(app, user_id="alice", token=token_of("alice"))
    alice.get("")
    return alice, proxy


@pytest.mark.parametrize(("method", "path", "sent", "status"), REFUSED)
def test_what_is_refused_or_needs_no_data_costs_no_round_trip(
    steady, method, path, sent, status
):
    alice, proxy = steady
    before = proxy.trips

    answer = alice.open(path, method=method, **sent)

    assert (answer.status_code, proxy.trips) == (status, before)


@pytest.mark.parametrize(("method", "path", "sent", "status"), WORK)
def test_a_request_is_one_round_trip(steady, milk, method, path, sent, status):
    alice, proxy = steady
    before = proxy.trips

    answer = alice.open(path.format(milk.json["id"]), method=method, **sent)

    assert (answer.status_code, proxy.trips - before) == (status, 1)


@pytest.mark.parametrize("sort", ["-created_at", "title"])
def test_the_first_request_of_a_kind_is_one_round_trip_too(
    proxied, token_of, milk, sort
):
    """It prepares its statement and executes it in one message."""
    app, proxy = proxied
    app.extensions["database"].engine.dispose()
    alice = Client(app, user_id="alice", token=token_of("alice"))
    alice.get(milk.json["id"])
    before = proxy.trips

    assert alice.get(f"?sort={sort}").status_code == 200
    assert proxy.trips - before == 1


def test_a_list_that_was_seen_is_one_round_trip(steady):
    alice, proxy = steady
    tag = alice.get("").headers["ETag"]
    before = proxy.trips

    assert alice.get("", headers={"If-None-Match": tag}).status_code == 304
    assert proxy.trips - before == 1


def test_a_list_that_has_changed_is_one_round_trip(steady):
    alice, proxy = steady
    tag = alice.get("").headers["ETag"]
    alice.post("", json=TASK)
    before = proxy.trips

    assert alice.get("", headers={"If-None-Match": tag}).status_code == 200
    assert proxy.trips - before == 1


def test_restoring_is_one_round_trip(steady, milk):
    alice, proxy = steady
    alice.delete(milk.location)
    before = proxy.trips

    assert alice.post(f"{milk.location}/restore").status_code == 200
    assert proxy.trips - before == 1


def test_a_replayed_idempotency_key_takes_two_round_trips(steady):
    alice, proxy = steady
    alice.post("", json=TASK, headers=KEY)
    before = proxy.trips

    assert alice.post("", json=TASK, headers=KEY).status_code == 201
    assert proxy.trips - before == 2


def test_a_create_under_an_id_that_is_taken_takes_two_round_trips(steady, milk):
    alice, proxy = steady
    before = proxy.trips

    assert alice.put(milk.location, **NEW).status_code == 412
    assert proxy.trips - before == 2


@pytest.mark.parametrize(("free", "trips"), [(0, 2), (9, 3)])
def test_a_batch_that_meets_ids_that_are_taken_takes_few_round_trips(
    steady, milk, free, trips
):
    """It is undone, reads which they are, and sends the rest, if there is a rest."""
    alice, proxy = steady
    items = [TASK | {"id": milk.json["id"]}, *[TASK] * free]
    before = proxy.trips

    assert alice.post("batch", json={"create": items}).status_code == 200
    assert proxy.trips - before == trips
