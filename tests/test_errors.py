"""Every answer's frame: one shape of error, CORS, caching, a request id, a log line."""

import logging
import re
import socket
from base64 import urlsafe_b64encode
from functools import partial

import pytest

from tests.client import Client
from todo_service import create_app
from todo_service.web.json_bodies import BODY_BYTES

NOWHERE = "0190f3a0-0000-7000-8000-000000000000"
PROBLEM = "application/problem+json"
FRONT_END = "http://localhost:3000"
MAY_BE_SENT = "authorization content-type if-match if-none-match idempotency-key"
MAY_BE_READ = (
    "ETag Link Location Retry-After WWW-Authenticate Idempotency-Replayed X-Request-ID"
    " RateLimit-Limit RateLimit-Remaining RateLimit-Reset"
)
TEXT = {"content_type": "text/plain"}


def words(header: str) -> set[str]:
    return set(header.lower().replace(",", " ").split())


def preflight(client, path, *, origin=FRONT_END, asking=MAY_BE_SENT):
    """What a browser asks before a request that is not a simple one."""
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": ",".join(asking.split()),
    }
    return client.options(path, headers=asked)


@pytest.fixture(params=[False, True], ids=["production", "debug"])
def crashing(request, environ, app, token_of):
    """Alice at an application with a bug in one route."""
    app = create_app(environ)
    app.debug = request.param

    @app.get("/api/crash")
    def crash():
        raise RuntimeError("SELECT pin FROM tasks")

    return Client(app, user_id="alice", token=token_of("alice"))


@pytest.fixture
def cut_off(environ, token_of):
    """Alice at an application whose database's port is closed."""
    with socket.socket() as bound:  # never listens
        bound.bind(("127.0.0.1", 0))
        url = f"postgresql://joe:pass-word@127.0.0.1:{bound.getsockname()[1]}/todo"
        app = create_app(environ | {"DATABASE_URL": url})
        yield Client(app, user_id="alice", token=token_of("alice"))


ERRORS = [
    pytest.param("GET", "", {"headers": {"Authorization": ""}}, 401, id="401"),
    pytest.param("GET", "", {"headers": {"Authorization": "Bearer x"}}, 401, id="bad"),
    pytest.param("GET", "/api/bob/tasks", {}, 403, id="403"),
    pytest.param("GET", "/nowhere", {}, 404, id="404-route"),
    pytest.param("GET", NOWHERE, {}, 404, id="404-task"),
    pytest.param("DELETE", "", {}, 405, id="405"),
    pytest.param("POST", "", {"data": b"x" * (BODY_BYTES + 1)}, 413, id="413"),
    pytest.param("POST", "", {"data": b"{}"} | TEXT, 415, id="415"),
    pytest.param("POST", "", {"json": {}}, 400, id="400"),
]
each_error = pytest.mark.parametrize(("method", "path", "options", "status"), ERRORS)


@each_error
def test_an_error_has_one_shape_and_one_key(alice, method, path, options, status):
    answer = alice.open(path, method=method, **options)

    assert answer.status_code == status
    assert answer.content_type == "application/json"
    assert answer.json == {"error": answer.json["error"]}
    assert re.fullmatch(r"[\w :'\-/,.]{10,150}\.", answer.json["error"])


@each_error
def test_a_client_that_asks_gets_the_same_error_as_problem_json(
    alice, method, path, options, status
):
    plain = alice.open(path, method=method, **options).json["error"]
    options = options | {"headers": options.get("headers", {}) | {"Accept": PROBLEM}}

    answer = alice.open(path, method=method, **options)

    assert answer.status_code == status
    assert answer.content_type == PROBLEM
    invalid = {"errors": answer.json["errors"]} if status == 400 else {}
    assert answer.json == invalid | {
        "type": "about:blank",
        "title": answer.status.partition(" ")[2].title(),
        "status": status,
        "detail": plain,
        "instance": answer.headers["X-Request-ID"],
    }


def test_a_validation_problem_lists_each_field(alice):
    sent = {"title": " ", "tags": ["a", 1]}

    answer = alice.post("", json=sent, headers={"Accept": PROBLEM}).json

    assert [each["field"] for each in answer["errors"]] == ["title", "tags.1"]
    assert all(set(each) == {"field", "message"} for each in answer["errors"])


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        (PROBLEM, PROBLEM),
        (f"text/html, {PROBLEM};q=0.3", PROBLEM),
        (f"{PROBLEM}, application/json;q=0.9, */*;q=0.8", PROBLEM),
        ("Application/Problem+JSON", PROBLEM),
        (f"{PROBLEM}; charset=utf-8", PROBLEM),
        (f"{PROBLEM};q=0.5, application/json", "application/json"),
        (f"{PROBLEM};q=0", "application/json"),
        ("application/*", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "application/json"),
        (";;,=", "application/json"),
    ],
)
def test_problem_json_goes_to_clients_that_name_and_prefer_it(alice, accept, kind):
    assert alice.get("/x", headers={"Accept": accept}).content_type == kind


@pytest.mark.parametrize(
    ("credentials", "challenge"),
    [
        ("", "Bearer"),
        ("Basic YTpi", "Bearer"),
        ("bearerx a.b.c", "Bearer"),
        ("Bearer a.b.c", 'Bearer error="invalid_token"'),
        ("bEARER x", 'Bearer error="invalid_token"'),
    ],
)
def test_a_401_says_what_is_wanted_and_whether_the_token_is_bad(
    anyone, credentials, challenge
):
    answer = anyone.get("/api/tasks", headers={"Authorization": credentials})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == challenge


@pytest.mark.parametrize(
    "header",
    [
        b'{"alg": ["EdDSA"]}',
        b'{"alg": {}}',
        b'{"alg": "EdDSA", "kid": []}',
        b"[" * 5000,
    ],
    ids=["alg-list", "alg-object", "kid-list", "nested"],
)
def test_a_token_whose_header_is_odd_json_is_a_401(environ, header):
    app = create_app(environ | {"BETTER_AUTH_URL": "http://127.0.0.1:9"})
    token = f"{urlsafe_b64encode(header).decode().rstrip('=')}.e30.x"

    assert Client(app, user_id="alice", token=token).get("").status_code == 401


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("", {"get", "head", "post", "options"}),
        (NOWHERE, {"get", "head", "put", "patch", "delete", "options"}),
        (f"{NOWHERE}/complete", {"patch", "options"}),
        ("/health", {"get", "head", "options"}),
    ],
)
def test_a_405_names_the_allowed_methods(alice, path, allowed):
    answer = alice.open(path, method="TRACE")

    assert answer.status_code == 405
    assert words(answer.headers["Allow"]) == allowed


@pytest.mark.parametrize(
    ("method", "path", "message"),
    [
        ("GET", "/nowhere", "There is nothing at this path."),
        ("GET", "/api/tasks/no-uuid", "There is nothing at this path."),
        ("DELETE", "/api/tasks", "This path does not support this method."),
        ("POST", "/api/tasks", "The body is too large."),
    ],
)
def test_an_error_of_the_framework_is_one_short_sentence(alice, method, path, message):
    answer = alice.open(path, method=method, data=b"x" * 200_000)

    assert answer.json == {"error": message}


def test_an_error_names_twenty_fields_at_most(alice):
    sent = {f"unknown {number}": 1 for number in range(5_000)}

    plain = alice.post("", json=sent)
    problem = alice.post("", json=sent, headers={"Accept": PROBLEM})

    assert plain.json["error"].count("; ") == 19
    assert len(problem.json["errors"]) == 20


def test_an_error_is_short_however_long_an_unknown_name_is(alice):
    sent = {"title": "Milk"} | {f"{n:02}{'x' * 6_000}": 1 for n in range(20)}

    plain = alice.post("", json=sent)
    problem = alice.post("", json=sent, headers={"Accept": PROBLEM})

    assert len(plain.data) < 20 * 250
    assert {len(each["field"]) for each in problem.json["errors"]} == {200}


@pytest.mark.parametrize(
    ("length", "kind"), [(1024, PROBLEM), (1025, "application/json")]
)
def test_an_accept_header_counts_up_to_1024_characters(alice, length, kind):
    accept = PROBLEM + "," + "a/b" + " " * length

    answer = alice.get("/x", headers={"Accept": accept[: length - 1] + ","})

    assert answer.content_type == kind


def test_a_bug_is_logged_with_its_request_id_and_not_shown(crashing, log):
    answer = crashing.get("/api/crash", headers={"Origin": FRONT_END})

    assert answer.status_code == 500
    assert answer.json == {"error": "Internal server error"}
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    [crash] = [line for line in log() if line["level"] == "ERROR"]
    assert crash["request_id"] == answer.headers["X-Request-ID"]
    assert "RuntimeError: SELECT pin FROM tasks" in crash["exception"]


def test_problem_json_about_a_bug_tells_no_detail(crashing):
    answer = crashing.get("/api/crash", headers={"Accept": PROBLEM})

    assert (answer.status_code, answer.content_type) == (500, PROBLEM)
    assert answer.json["detail"] == "Internal server error"


def test_a_database_that_is_away_is_a_503_and_no_secret(cut_off, caplog):
    answers = [cut_off.get(""), cut_off.post("", json={"title": "Tea"})]

    for answer in answers:
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
        assert answer.json == {"error": "The database cannot be reached."}
    assert "pass-word" not in caplog.text


@pytest.mark.parametrize("sane", ["a", "A-z_0.9", "x" * 128])
def test_a_sane_request_id_is_kept(anyone, sane):
    for path in ("/health", "/nowhere"):
        answer = anyone.get(path, headers={"X-Request-ID": sane})

        assert answer.headers["X-Request-ID"] == sane


@pytest.mark.parametrize("mad", ["", "x" * 129, "a b", "a,b", "é", "a/b", "{}", "a\t"])
def test_any_other_request_id_is_replaced(anyone, mad):
    header = {"HTTP_X_REQUEST_ID": mad}
    ids = {
        anyone.get("/health", environ_overrides=header).headers["X-Request-ID"]
        for _ in range(2)
    }

    assert len(ids) == 2
    assert all(re.fullmatch(r"[0-9a-f-]{36}", each) for each in ids)


@pytest.mark.parametrize("path", ["/health", "/health/ready", "", "/api/tasks", "milk"])
def test_head_answers_as_get_does_without_the_body(alice, milk, path):
    path = milk.location if path == "milk" else path
    got, head = alice.get(path), alice.head(path)

    assert (head.status_code, head.data) == (200, b"")
    for answer in (got, head):
        for name in ("X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset"):
            answer.headers.remove(name)
    assert set(head.headers) == set(got.headers)


@pytest.mark.parametrize("path", ["/health", "/health/ready", "", "/api/tasks", "milk"])
def test_a_trailing_slash_is_the_same_resource(alice, milk, path):
    path = {"milk": milk.location, "": alice.tasks}.get(path, path)

    answer = alice.get(f"{path}/")

    assert (answer.status_code, answer.json) == (200, alice.get(path).json)


def test_a_trailing_slash_is_the_same_resource_for_writers_too(alice, milk):
    created = alice.post(f"{alice.tasks}/", json={"title": "Tea"})
    toggled = alice.patch(f"{milk.location}/complete/")

    assert created.location == f"{alice.tasks}/{created.json['id']}"
    assert toggled.json["completed"]


@each_error
def test_an_error_carries_the_cors_headers(alice, method, path, options, status):
    headers = options.get("headers", {}) | {"Origin": FRONT_END}

    answer = alice.open(path, method=method, **options | {"headers": headers})

    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    readable = answer.headers["Access-Control-Expose-Headers"]
    assert words(readable) == words(MAY_BE_READ)
    assert "Origin" in answer.vary
    assert "Access-Control-Allow-Credentials" not in answer.headers


OTHERS = [
    "http://localhost:30001",
    "https://localhost:3000",
    "http://localhost",
    "null",
]
OTHERS += [
    "http://localhost",
    "http://localhost:3000.evil.com",
    "http://evil.com/http://localhost:3000",
]


@pytest.mark.parametrize("origin", OTHERS)
def test_another_origin_is_not_let_in(alice, origin):
    answers = [
        alice.get("", headers={"Origin": origin}),
        preflight(alice, "", origin=origin),
    ]

    for answer in answers:
        assert not [name for name in dict(answer.headers) if "Allow-Origin" in name]


@pytest.mark.parametrize("origin", ["http://::3000", "http://1:30001", "http://1:3000"])
def test_a_configured_origin_matches_only_itself(environ, origin):
    app = create_app(environ | {"CORS_ORIGINS": "http://[::1]:3000"})
    ask = partial(Client(app).get, "/health")

    theirs = ask(headers={"Origin": origin}).headers
    ours = ask(headers={"Origin": "http://[::1]:3000"}).headers

    assert "Access-Control-Allow-Origin" not in theirs
    assert ours["Access-Control-Allow-Origin"] == "http://[::1]:3000"


@pytest.mark.parametrize(("origins", "allowed"), [("*", "*"), (FRONT_END, None)])
def test_a_star_and_nothing_else_lets_any_origin_in(environ, origins, allowed):
    client = Client(create_app(environ | {"CORS_ORIGINS": origins}))
    origin = "https://anywhere.example"

    for answer in (
        preflight(client, "/api/tasks", origin=origin),
        client.get("/nowhere", headers={"Origin": origin}),
    ):
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_a_refused_origin_is_logged_once_by_its_name(make_client, caplog):
    client = make_client()

    for _ in range(3):
        client.get("/health", headers={"Origin": "http://localhost:9999"})
        client.get("/health", headers={"Origin": FRONT_END})

    told = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert told == ["CORS_ORIGINS does not list the origin http://localhost:9999"]


def test_what_the_log_keeps_of_refused_origins_is_bounded(make_client, caplog):
    client = make_client()

    for number in range(300):
        origin = f"http://{number}.example/{'x' * 1000}"
        client.get("/health", headers={"Origin": origin})

    told = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert len(told) == 100
    assert max(map(len, told)) < 300


@pytest.mark.parametrize("path", ["/api/tasks", "/api/bob/tasks", "/auth/x", "/x//y"])
def test_a_preflight_needs_no_token_and_no_such_path(anyone, path):
    answer = preflight(anyone, path)

    assert 200 <= answer.status_code < 300
    assert answer.headers["Access-Control-Allow-Origin"] == FRONT_END
    assert answer.headers["Access-Control-Max-Age"] == "7200"
    sent = answer.headers["Access-Control-Allow-Headers"]
    assert words(sent) == words(MAY_BE_SENT)
    methods = words(answer.headers["Access-Control-Allow-Methods"])
    assert methods >= {"get", "head", "post", "put", "patch", "delete"}
    assert answer.headers.get("Cache-Control") != "private, no-cache"
    assert "Authorization" not in answer.vary


def test_a_preflight_allows_no_header_but_those_of_the_contract(anyone):
    answer = preflight(anyone, "/api/tasks", asking="x-request-id cookie x-evil")

    assert answer.headers["Access-Control-Allow-Headers"] == "x-request-id"


@each_error
def test_what_is_below_api_is_private(alice, method, path, options, status):
    path = "/api/nowhere" if path == "/nowhere" else path

    answer = alice.open(path, method=method, **options)

    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert "Authorization" in answer.vary


@pytest.mark.parametrize("token", [None, "", "Bearer x"])
def test_what_is_below_auth_is_never_stored(anyone, alice, token):
    client = alice if token is None else anyone

    assert client.get("/auth/nowhere").headers["Cache-Control"] == "no-store"
    assert preflight(client, "/auth/login").headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("method", "path", "route", "status", "user_id"),
    [
        ("POST", "", "/api/<user:user_id>/tasks", 201, "alice"),
        ("GET", "/api/tasks?limit=5", "/api/tasks", 200, "alice"),
        ("GET", f"/api/tasks/{NOWHERE}", "/api/tasks/<uuid:task_id>", 404, "alice"),
        ("GET", "/api/bob/tasks", "/api/<user:user_id>/tasks", 403, "alice"),
        ("GET", "/Secret title", None, 404, "alice"),
        ("GET", "/health", "/health", 200, None),
    ],
)
def test_a_request_is_one_line_in_the_log(
    alice, log, caplog, method, path, route, status, user_id
):
    written = {"title": "Secret title", "description": "Secret words"}
    body = {"json": written} if method == "POST" else {}

    answer = alice.open(path, method=method, headers={"X-Request-ID": "a1"}, **body)

    [line] = log()
    assert answer.status_code == status
    assert line["duration_ms"] > 0
    assert line == {
        "time": line["time"],
        "level": "INFO",
        "message": "request",
        "method": method,
        "route": route,
        "status": status,
        "duration_ms": line["duration_ms"],
        "user_id": user_id,
        "request_id": "a1",
    }
    assert "Secret" not in caplog.text
    assert alice.token not in caplog.text


def test_a_refused_token_is_not_logged(anyone, log, caplog):
    anyone.get("/api/tasks", headers={"Authorization": "Bearer not-a-good-one"})

    [line] = log()
    assert (line["status"], line["user_id"]) == (401, None)
    assert "not-a-good-one" not in caplog.text


@pytest.mark.parametrize("odd", ["\x9b31m", "a\u2028b", "a\nb", "\u202e", "\x7f"])
def test_a_line_of_text_has_no_character_that_a_terminal_obeys(
    make_client, token_of, caplog, odd
):
    client = make_client(LOG_FORMAT="text")
    client.token = token_of(f"eve {odd}")
    formatter = logging.getLogger("todo_service").handlers[0].formatter

    client.get("/api/tasks")

    (record,) = caplog.records
    assert formatter is not None
    line = formatter.format(record)
    assert "eve" in line
    assert line.isprintable()


def test_a_line_of_text_shows_names_as_they_are(make_client, token_of, caplog):
    client = make_client(LOG_FORMAT="text")
    client.token = token_of("Зоя")
    formatter = logging.getLogger("todo_service").handlers[0].formatter

    client.get("/api/tasks")

    assert formatter is not None
    assert "Зоя" in formatter.format(caplog.records[0])
