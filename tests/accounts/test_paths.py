"""The paths below `/auth`: open, closed, and in which order they refuse."""

import pytest

from tests.accounts.conftest import EMAIL, PASSWORD
from tests.client import Client
from tests.test_contract import PREFLIGHT, TOO_LARGE

PATHS = [
    ("POST", "/auth/register"),
    ("POST", "/auth/login"),
    ("POST", "/auth/logout"),
    ("GET", "/auth/me"),
    ("POST", "/auth/password"),
    ("DELETE", "/auth/me"),
]
PUBLIC = PATHS[:2]


@pytest.mark.parametrize(("method", "path"), PATHS)
def test_where_accounts_are_off_the_paths_are_unknown(
    switched_off, token_of, method, path
):
    anyone = Client(switched_off)
    alice = Client(switched_off, token=token_of("alice"))

    for client, status in ((anyone, 401), (alice, 404)):
        answer = client.open(path, method=method, json={})
        assert answer.status_code == status
        assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(("method", "path"), PATHS)
@pytest.mark.parametrize("slash", ["", "/"])
def test_two_paths_are_open_and_the_others_need_a_token(anyone, method, path, slash):
    answer = anyone.open(path + slash, method=method, json={})

    assert answer.status_code == (400 if (method, path) in PUBLIC else 401)


@pytest.mark.parametrize(("method", "path"), PUBLIC)
def test_an_open_path_does_not_look_at_tokens(anyone, method, path):
    answer = anyone.open(
        path, method=method, json={}, headers={"Authorization": "Bearer x"}
    )

    assert answer.status_code == 400


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        pytest.param("GET", "/auth/login", {}, 405, id="method"),
        pytest.param("HEAD", "/auth/register", {}, 405, id="head"),
        pytest.param("POST", "/auth/login?x=%ff", {"json": {}}, 400, id="query"),
        pytest.param("POST", "/auth/login", {"data": b"{}"}, 415, id="type"),
        pytest.param("POST", "/auth/login", TOO_LARGE, 413, id="size"),
        pytest.param("POST", "/auth/login", {"json": []}, 400, id="no-object"),
        pytest.param("POST", "//auth/login", {"json": {}}, 401, id="two-slashes"),
        pytest.param("POST", "/auth//login", {"json": {}}, 401, id="slashes-within"),
        pytest.param("POST", "/Auth/login", {"json": {}}, 401, id="case"),
        pytest.param("POST", "/auth/login/x", {"json": {}}, 401, id="below"),
        pytest.param("POST", "/auth/login%00", {"json": {}}, 401, id="nul"),
        pytest.param("GET", "/auth", {}, 401, id="nothing"),
    ],
)
def test_without_a_token_the_first_check_that_fails_answers(
    anyone, method, path, sent, status
):
    answer = anyone.open(path, method=method, **sent)

    assert answer.status_code == status
    assert (answer.status_code != 405) or "POST" in answer.headers["Allow"]


@pytest.mark.parametrize(
    ("method", "path", "sent", "status"),
    [
        pytest.param("GET", "/auth/me", {}, 200, id="good"),
        pytest.param("GET", "/auth/me/", {}, 200, id="slash"),
        pytest.param("HEAD", "/auth/me", {}, 200, id="head"),
        pytest.param("GET", "/auth/me?x=%ff", {}, 400, id="query"),
        pytest.param("GET", "/auth/logout", {}, 405, id="method"),
        pytest.param("PUT", "/auth/me", {}, 405, id="another-method"),
        pytest.param("GET", "/auth/nothing", {}, 404, id="nothing"),
        pytest.param("POST", "/auth/password", {"data": b"{}"}, 415, id="type"),
        pytest.param("POST", "/auth/password", TOO_LARGE, 413, id="size"),
        pytest.param("POST", "/auth/password", {"json": {}}, 400, id="fields"),
        pytest.param("DELETE", "/auth/me", {}, 415, id="no-body"),
        pytest.param("DELETE", "/auth/me", {"json": {"password": ""}}, 400, id="empty"),
        pytest.param("DELETE", "/auth/me", {"json": {"password": 1}}, 400, id="number"),
        pytest.param("DELETE", "/auth/me", {"json": {"password": "x"}}, 403, id="403"),
    ],
)
def test_with_a_token_the_first_check_that_fails_answers(
    carol, method, path, sent, status
):
    answer = carol.open(path, method=method, **sent)

    assert answer.status_code == status
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-ID"]


def test_an_account_is_read_as_it_was_registered(carol, registered):
    answer = carol.get("/auth/me")

    assert answer.json == registered.json["user"]
    assert carol.head("/auth/me").data == b""


def test_a_page_of_an_allowed_origin_may_read_every_answer(carol, registered):
    origin = {"Origin": PREFLIGHT["Origin"]}

    preflight = carol.options("/auth/login", headers=PREFLIGHT)
    refused = carol.post("/auth/login", json={}, headers=origin)

    assert preflight.status_code == 204
    for answer in (preflight, refused):
        allowed = answer.headers["Access-Control-Allow-Origin"]
        assert allowed == PREFLIGHT["Origin"]


def test_an_error_is_a_problem_if_the_client_asks_for_it(anyone, registered):
    answer = anyone.post(
        "/auth/register",
        json={"email": EMAIL, "password": PASSWORD},
        headers={"Accept": "application/problem+json"},
    )

    assert answer.mimetype == "application/problem+json"
    assert (answer.json["status"], answer.json["title"]) == (409, "Conflict")
