"""The door: which paths are open to whom, and in which order it refuses."""

import re
from urllib.parse import quote, unquote_to_bytes

import pytest
from werkzeug.exceptions import MethodNotAllowed

from tests.identity.conftest import SECRET
from tests.identity.forging import compact, signer
from tests.identity.issuer import FOR_EVER

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"]
TASK = "01234567-89ab-7def-8123-456789abcdef"


def token_of(user_id):
    claims = {"sub": user_id, "exp": FOR_EVER}
    return compact({"alg": "HS256"}, claims, signer("HS256", SECRET.encode()))


@pytest.fixture
def ask(secret_door):
    """Asks as a user, or as nobody; what has no answer without a database is a 503."""
    client = secret_door.app.test_client()

    def ask(path, user_id=None, method="GET", **options):
        headers = {"Authorization": f"Bearer {token_of(user_id)}"} if user_id else {}
        # The bytes as a server passes them on: the client would repair them.
        sent = unquote_to_bytes(re.split("[?#]", path)[0]).decode("latin-1")
        return client.open(
            path,
            method=method,
            headers=headers,
            environ_overrides={"PATH_INFO": sent},
            **options,
        )

    return ask


def routes(app):
    """A path of every rule."""
    values = {"user_id": "alice", "task_id": TASK}
    for rule in app.url_map.iter_rules():
        yield re.sub(r"<\w+:(\w+)>", lambda variable: values[variable[1]], rule.rule)


# Without a token


def test_every_route_but_the_public_ones_is_closed(secret_door, ask):
    public = secret_door.app.extensions["public_paths"]
    closed = {path for path in routes(secret_door.app) if path not in public}
    assert closed

    for path in closed:
        for method in METHODS:
            answer = ask(path, method=method)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_the_public_list_is_what_the_contract_says(secret_door):
    everything = set(routes(secret_door.app))
    public = secret_door.app.extensions["public_paths"]

    assert everything >= public  # public only while it is there
    contract = ("/health", "/auth/register", "/auth/login", "/openapi.json")
    below = (*contract, "/docs", "/metrics")
    assert [path for path in public if not path.startswith(below)] == ["/"]


def test_public_paths_are_open_to_anyone(ask):
    assert ask("/health").status_code == 200
    assert ask("/health/").status_code == 200
    assert ask("/health", "alice").status_code == 200
    assert ask("/health", method="DELETE").status_code == 405


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "/.",
        "/api",
        "/api/",
        "/api/nothing",
        "/api/alice",
        "/auth/me",
        "/auth/login",
        "/docs/x",
        "/docs/../api/tasks",
        "/Docs",
        "//docs",
        "/metrics",
        "/openapi.json/x",
        "/static/x",
        "/favicon.ico",
        "/robots.txt",
        "/Health",
        "/health/x",
        "/health/ready/x",
        "/health//",
        "/health/../api/tasks",
        "/health%2F..%2Fapi/tasks",
        "/health;x",
        "/health%00",
        "/healthy",
        "/api/tasks/health",
        "/api/tasks?/health",
        "/api/tasks#/health",
        "/%61pi/tasks",
        "/\xff",
        "/%ff%fe",
    ],
)
def test_every_path_that_is_not_public_is_closed(ask, path):
    for method in METHODS:
        assert ask(path, method=method).status_code == 401, method


def test_no_header_that_renames_the_request_opens_a_path(secret_door):
    client = secret_door.app.test_client()
    for header in ("X-HTTP-Method-Override", "X-Original-URL", "X-Forwarded-Prefix"):
        answer = client.get("/api/tasks", headers={header: "/health"})
        assert answer.status_code == 401


def test_401_comes_before_every_other_refusal(ask):
    assert ask("/api/bob/tasks").status_code == 401
    assert ask("/api/%ff/tasks").status_code == 401
    assert ask("/api/tasks", method="PUT").status_code == 401
    assert ask("/api/tasks", method="POST", data=b"x" * 200_000).status_code == 401
    assert ask("/api/tasks", method="POST", data=b"{", json=None).status_code == 401


# With another user's


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    "below", ["", "/", f"/{TASK}", f"/{TASK}/complete", "/no/such/route", "/%2F"]
)
def test_another_users_tasks_are_403_whether_or_not_a_route_matches(ask, method, below):
    answer = ask(f"/api/bob/tasks{below}", "alice", method)

    assert answer.status_code == 403
    if method != "HEAD":
        assert answer.json == {"error": "This path belongs to another user."}


def test_403_comes_before_headers_and_body(ask):
    for body in (b"x" * 200_000, b"{", b""):
        assert ask("/api/bob/tasks", "alice", "POST", data=body).status_code == 403


@pytest.mark.parametrize(
    ("user_id", "segment"),
    [
        pytest.param("alice", "Alice", id="case"),
        pytest.param("alice", "alice%20", id="a-space-behind"),
        pytest.param("alice", "%20alice", id="a-space-before"),
        pytest.param("alice", "alice%2E", id="a-dot-behind"),
        pytest.param("alice", "alice;x", id="a-parameter"),
        pytest.param("alice", "alice%00", id="a-nul"),
        pytest.param("alice", "", id="nobody"),
        pytest.param("alice", "*", id="everybody"),
        pytest.param("alice", "%25", id="a-wildcard"),
        pytest.param("alice", "%61lice%0A", id="a-line-break"),
        pytest.param("\u00fc", "u%CC%88", id="another-normal-form"),
        pytest.param("\u017f", "s", id="folds-to-the-same"),
        pytest.param("\ufffd", "%EF%BF%BE", id="another-noncharacter"),
        pytest.param("1", "01", id="equal-numbers"),
        pytest.param("1", "%EF%BC%91", id="a-wide-digit"),
        pytest.param("a+b", "a%20b", id="plus-is-no-space"),
        pytest.param("a%2Fb", "a%252fb", id="case-of-an-escape"),
    ],
)
def test_user_ids_are_compared_exactly(ask, user_id, segment):
    answer = ask(f"/api/{segment}/tasks/nothing/at/all", user_id)

    assert answer.status_code == (400 if "%00" in segment else 403)


@pytest.mark.parametrize(
    "user_id",
    [
        *(
            "alice",
            "A",
            "1",
            "a b",
            "a+b",
            "a%b",
            "a%2Fb",
            "a;b",
            "a?b",
            "a#b",
            "a:b@c",
        ),
        *("\u00fc", "u\u0308", "\U0001f469", "\ufffd", "a\nb", "a\\b", "'", '"', "..a"),
        *("api", "health", "null", "<script>", "{user_id}", "~"),
        *("x" * 255, "\U0001f469" * 255),
    ],
    ids=lambda user_id: ascii(user_id)[:20],
)
def test_a_user_of_any_name_may_use_their_own_path(ask, user_id):
    mine = f"/api/{quote(user_id, safe='')}/tasks"

    assert ask(f"{mine}/nothing/at/all", user_id).status_code == 404
    assert ask(mine, user_id, "DELETE").status_code == 405
    assert ask(f"{mine}/nothing/at/all", "somebody else").status_code == 403


def test_an_escaped_path_is_the_same_path(ask):
    assert ask("/api/%61lice/tasks/nothing/at/all", "alice").status_code == 404
    assert ask("/api/%62ob/%74asks", "alice").status_code == 403
    assert ask("/%61pi/bob/tasks", "alice").status_code == 403
    assert ask("/api/bob%2Ftasks", "alice").status_code == 403


def test_a_user_called_tasks_has_the_second_mount_alone(ask):
    for user_id in ("tasks", "alice"):
        assert ask("/api/tasks/tasks", user_id).status_code == 404
        assert ask("/api/tasks/tasks/nothing", user_id).status_code == 404
        assert ask("/api/tasks", user_id, "DELETE").status_code == 405
    assert ask("/api/Tasks/tasks", "tasks").status_code == 403
    assert ask("/api/Tasks/tasks/nothing/at/all", "Tasks").status_code == 404


@pytest.mark.parametrize(
    "path",
    ["//api/bob/tasks", "/api//bob/tasks", "/api/bob//tasks", "/api/./bob/tasks"],
)
def test_a_path_with_odd_slashes_is_nobodys(ask, path):
    assert ask(path, "alice").status_code in (403, 404)
    assert ask(path).status_code == 401


def test_a_path_that_is_not_below_tasks_is_nobodys(ask):
    for path in ("/api/bob", "/api/bob/task", "/api/bob/tasks2", "/api/bob/x/tasks"):
        assert ask(path, "alice").status_code == 404


@pytest.mark.parametrize(
    ("path", "status"),
    [
        pytest.param("/api/%FF/tasks", 400, id="not-utf-8"),
        pytest.param("/api/%C0%AF/tasks", 400, id="overlong"),
        pytest.param("/api/%ED%A0%80/tasks", 400, id="surrogate"),
        pytest.param("/api/a%00/tasks", 400, id="nul"),
        pytest.param("/api/tasks/%FF", 400, id="not-utf-8-below"),
    ],
)
def test_a_path_that_is_no_text_is_a_400_and_not_a_403(ask, path, status):
    assert ask(path, "alice").status_code == status
    assert ask(path).status_code == 401


def test_the_405_names_what_may_be_asked(secret_door, ask):
    answer = ask("/api/tasks", "alice", "DELETE")

    assert answer.status_code == MethodNotAllowed.code
    assert set(answer.headers["Allow"].split(", ")) >= {"GET", "POST"}
