"""The service as it runs in production: gunicorn, sockets, signals."""

import json
import os
import re
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

import pytest
from gunicorn.config import Config
from gunicorn.http.errors import ConfigurationProblem, InvalidResponseHeader
from sqlalchemy import create_engine, text

from tests.conftest import SECRET
from tests.running import (
    GUNICORN,
    PATIENCE,
    ROOT,
    TOKEN,
    everything,
    only_ours,
    running,
    statuses,
)
from todo_service.server import Worker, refusals
from todo_service.settings import urls
from todo_service.web.json_bodies import BODY_BYTES

MANY_AT_ONCE = 8
KILL_ALL = text(
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture(scope="module")
def service(environ, app, tmp_path_factory):
    """The service under gunicorn, on a migrated database. It has to stop well."""
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    with running(environ | {"DB_POOL_SIZE": "4"}, log) as service:
        yield service


def request(method, path, *more: bytes, body=b"", token=TOKEN, last=True) -> bytes:
    """A request as it goes over the wire."""
    lines = [b"%s %s HTTP/1.1" % (method, path), b"Host: localhost"]
    lines += [b"Authorization: Bearer " + token, b"Content-Type: application/json"]
    lines += [b"Connection: close"] * last + list(more)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


def get(path, *more: bytes, **options) -> bytes:
    return request(b"GET", path, *more, **options)


def post(*more: bytes, **options) -> bytes:
    return request(b"POST", b"/api/tasks", *more, **options)


def chunked(body: bytes) -> bytes:
    return post(CHUNKED, body=body)


def chunks(*parts: bytes) -> bytes:
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts)


TEA = b'{"title": "Tea"}'
FULL = TEA.ljust(BODY_BYTES)
LENGTH = b"Content-Length: %d" % len(TEA)
CHUNKED = b"Transfer-Encoding: chunked"
END = b"0\r\n\r\n"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        pytest.param(chunks(TEA) + END, 201, id="one-chunk"),
        pytest.param(chunks(TEA[:5], TEA[5:]) + END, 201, id="two-chunks"),
        pytest.param(b"10;ext=1\r\n" + TEA + b"\r\n" + END, 201, id="extension"),
        pytest.param(chunks(FULL) + END, 201, id="fills-the-limit"),
        pytest.param(chunks(FULL, b" ") + END, 413, id="over-the-limit"),
        pytest.param(chunks(*[b" " * 1000] * 200) + END, 413, id="far-over-the-limit"),
        pytest.param(END, 400, id="empty"),
    ],
)
def test_a_chunked_body_is_read_like_any_other(service, body, status):
    assert statuses(service.send(chunked(body))) == [status]


GARBAGE = bytes(range(128, 256)) + b"\r\n\r\n"
BROKEN = {
    "chunk-size-no-number": chunked(b"zz\r\n" + TEA),
    "chunk-size-negative": chunked(b"-5\r\n" + TEA),
    "chunk-size-0x": chunked(b"0x10\r\n" + TEA + b"\r\n" + END),
    "chunk-size-huge": chunked(b"f" * 40 + b"\r\n" + TEA),
    "chunk-size-empty": chunked(b"\r\n" + TEA),
    "chunk-size-line-feed": chunked(b"10\n" + TEA),
    "chunk-too-long": chunked(b"5\r\n" + TEA + b"\r\n" + END),
    "half-a-chunk": chunked(b"10\r\n" + TEA[:5]),
    "half-a-size": chunked(b"10"),
    "no-last-chunk": chunked(chunks(TEA)),
    "trailer-no-colon": chunked(chunks(TEA) + b"0\r\nbad\r\n\r\n"),
    "trailer-name": chunked(chunks(TEA) + b"0\r\nb d: 1\r\n\r\n"),
    "trailer-nul": chunked(chunks(TEA) + b"0\r\na: \0\r\n\r\n"),
    "half-a-trailer": chunked(chunks(TEA) + b"0\r\na: 1"),
    "half-a-body": post(LENGTH, body=TEA[:5]),
    "length-and-chunks": post(LENGTH, CHUNKED, body=chunks(TEA) + END),
    "two-lengths": post(LENGTH, LENGTH, body=TEA),
    "length-plus": post(b"Content-Length: +16", body=TEA),
    "length-negative": post(b"Content-Length: -1", body=TEA),
    "chunked-twice": post(CHUNKED, CHUNKED, body=chunks(TEA) + END),
    "gzip": post(b"Transfer-Encoding: gzip", body=TEA),
    "long-path": get(b"/" + b"a" * 10_000),
    "100-kB-token": get(b"/api/tasks", token=b"x" * 100_000),
    "header-no-colon": get(b"/api/tasks", b"no colon"),
    "header-nul": get(b"/api/tasks", b"X-A: \0"),
    "garbage": GARBAGE,
    "tls": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
}


@pytest.mark.parametrize("raw", BROKEN.values(), ids=BROKEN)
def test_broken_http_is_refused_and_the_service_lives_on(service, raw):
    answer = service.send(raw)

    # A client that has gone away in the middle may get no answer.
    assert all(400 <= status < 500 for status in statuses(answer)), answer
    assert b"<html>" not in answer
    assert service.get("/api/tasks") == 200


REFUSED = {
    "garbage": (GARBAGE, 400),
    "a-lower-case-method": (b"get / HTTP/1.1\r\n\r\n", 400),
    "lines-without-cr": (b"GET /health HTTP/1.1\nHost: x\n\n", 400),
    "a-long-path": (BROKEN["long-path"], 414),
    "an-expectation": (get(b"/health", b"Expect: the-worst"), 417),
    "a-large-field": (get(b"/health", b"X-A: " + b"x" * 10_000), 431),
    "many-fields": (get(b"/health", *[b"X-A: x"] * 1000), 431),
    "a-transfer-coding": (get(b"/health", b"Transfer-Encoding: br"), 501),
    "proxy-protocol": (b"PROXY TCP4 1.1.1.1 2.2.2.2 1 2\r\n" + get(b"/health"), 400),
}


@pytest.mark.parametrize(("raw", "status"), REFUSED.values(), ids=REFUSED)
def test_what_the_http_server_refuses_has_the_shape_of_every_error(
    service, raw, status
):
    head, _, body = service.send(raw).partition(b"\r\n\r\n")

    assert statuses(head) == [status]
    assert b"Content-Type: application/json" in head
    assert b"Content-Length: %d" % len(body) in head
    [request_id] = re.findall(rb"X-Request-ID: ([\w-]+)", head)
    assert request_id in service.log.read_bytes()
    [(key, message)] = json.loads(body).items()
    assert (key, message[-1]) == ("error", ".")
    assert service.get("/health") == 200


@pytest.mark.parametrize(
    "crash", [RuntimeError("x"), ConfigurationProblem("x"), InvalidResponseHeader("x")]
)
def test_a_crash_of_the_http_server_tells_nothing(crash):
    assert refusals.refusal(crash) == (500, "Internal server error")


def test_a_certificate_is_refused_with_what_to_do():
    cfg = Config()
    cfg.set("certfile", __file__)

    with pytest.raises(RuntimeError, match="at a proxy in front"):
        Worker.check_config(cfg, None)


def test_a_worker_that_is_full_can_be_told_to_stop_at_any_moment():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setblocking(False)
        worker = Worker(1, os.getpid(), [listener], None, 30, Config(), None)

        worker.alive = False  # while it ceases to accept because it is full
        worker.set_accept_enabled(False)
        worker.set_accept_enabled(False)

    assert listener.fileno() == -1
    worker.tmp.close()


def test_garbage_behind_a_request_does_not_spoil_its_answer(service):
    first, *rest = statuses(service.send(get(b"/api/tasks", last=False) + GARBAGE))

    assert first == 200
    assert all(400 <= status < 500 for status in rest)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (b"/api/alice/tasks/%00", 400),
        (b"/api/alice/tasks/%ff", 400),
        (b"/api/alice/tasks/%ED%A0%80", 400),
        (b"/api/alice/tasks/\xff", 400),
        (b"/api/alice/tasks/a%2Fb", 404),
        (b"/api/alice//tasks", 404),
        (b"/api//tasks", 403),
        (b"//api/bob/tasks", 403),
        (b"/api/bob%2Ftasks", 403),
        (b"/api/bob/tasks/../../alice/tasks", 403),
        (b"/api/alice/tasks?status=%ff", 400),
        (b"/api/alice/tasks?status=\xff", 400),
        (b"/api/alice/tasks/?limit=1", 200),
        (b"/api/%61lice/tasks", 200),
    ],
)
def test_a_path_on_the_wire_is_decoded_once_and_never_redirected(service, path, status):
    answer = service.send(get(path))

    assert statuses(answer) == [status]
    assert b"location:" not in answer.lower()


@pytest.mark.parametrize(
    ("path", "field", "status"),
    [
        (b"/health", b"SCRIPT_NAME: /zzz", 200),
        (b"/health/x/api/tasks", b"SCRIPT_NAME: /health/x", 404),
        (b"/health/x/api/tasks", b"Script-Name: /health/x", 404),
        (b"/health", b"PATH_INFO: /nowhere", 200),
        (b"/nowhere", b"PATH_INFO: /health", 404),
        (b"/nowhere", b"X-Original-URL: /health", 404),
        (b"/nowhere", b"X-Rewrite-URL: /health", 404),
        (b"/nowhere", b"X-Forwarded-Prefix: /nowhere", 404),
        (b"/nowhere", b"X-HTTP-Method-Override: OPTIONS", 404),
        (b"/health", b"X-Forwarded-Proto: https\r\nX-Forwarded-Ssl: off", 200),
        (b"/health", b"X-Forwarded-Proto: gopher", 200),
        (b"/health", b"REMOTE_USER: bob\r\nREMOTE_ADDR: 1.2.3.4", 200),
        (b"/api/tasks", b"USER_ID: bob", 200),
    ],
)
def test_no_header_changes_what_a_request_is_about(service, path, field, status):
    assert statuses(service.send(get(path, field))) == [status]


def test_a_header_cannot_move_a_request_to_another_path(service, alice):
    hidden = post(b"SCRIPT_NAME: /health/x", LENGTH, body=TEA)

    answer = service.send(hidden.replace(b"/api/tasks", b"/health/x/api/tasks"))

    assert statuses(answer) == [404]
    assert alice.get("").json["total"] == 0


@pytest.mark.parametrize(
    ("field", "status"),
    [
        (b"Content_Length: 5\r\nContent-Length: 16", 201),
        (b"Content_Type: text/plain\r\nContent-Length: 16", 201),
        (b"Transfer_Encoding: chunked\r\nContent-Length: 16", 201),
        (b"Idempotency_Key: \x7f\r\nContent-Length: 16", 400),
        (b"Content_Encoding: gzip\r\nContent-Length: 16", 201),
    ],
)
def test_a_header_with_an_underscore_stands_for_no_other(service, field, status):
    assert statuses(service.send(post(field, body=TEA))) == [status]


def test_a_token_in_a_header_with_an_underscore_is_no_token(service):
    hidden = get(b"/api/tasks").replace(b"Authorization:", b"HTTP_Authorization:")

    assert statuses(service.send(hidden)) == [401]


def test_a_request_with_two_authorization_headers_is_refused(service):
    twice = get(b"/api/tasks", b"Authorization: Bearer " + TOKEN)

    assert statuses(service.send(twice)) == [401]


@pytest.mark.parametrize("method", ["HEAD", "GET", "POST", "DELETE"])
def test_a_connection_is_kept_for_the_next_request(service, method):
    connection = service.connect()
    connection.request("GET", "/health")
    connection.getresponse().read()
    kept = connection.sock

    for _ in range(3):  # refused unread, body and all
        connection.request(method, "/nowhere", body=TEA)
        answer = connection.getresponse()
        assert (answer.status, answer.will_close) == (401, False)
        assert bool(answer.read()) == (method != "HEAD")

    assert connection.sock is kept
    connection.close()


@pytest.mark.parametrize("size", [BODY_BYTES // 2, BODY_BYTES + 1])
def test_a_connection_that_ends_behind_an_unread_body_says_so(service, size):
    connection = service.connect()
    for _ in range(2):  # refused unread, then on a new connection
        connection.request("POST", "/nowhere", body=b" " * size)
        answer = connection.getresponse()
        assert (answer.status, answer.will_close) == (401, True)
        answer.read()

    connection.close()


def test_the_head_of_an_answer_comes_together_with_its_body(service):
    with service.open() as there:
        for _ in range(50):
            there.sendall(get(b"/health", last=False))
            assert there.recv(65536).endswith(b'{"status":"ok"}')


def test_a_client_is_told_to_continue_before_it_sends_its_body(service):
    with service.open(post(LENGTH, b"Expect: 100-continue")) as there:
        assert there.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        there.sendall(TEA)
        assert statuses(everything(there)) == [201]


def test_no_request_fails_once_idle_connections_have_died(service, environ):
    url = urls.postgres(environ["DATABASE_URL"])
    outside = create_engine(url, isolation_level="AUTOCOMMIT")
    with ThreadPoolExecutor(MANY_AT_ONCE) as clients, outside.connect() as connection:
        for _ in range(3):
            before = set(clients.map(service.get, ["/api/tasks"] * 40))
            killed = connection.scalar(KILL_ALL)
            after = set(clients.map(service.get, ["/api/tasks"] * 40))

            assert killed
            assert (before, after) == ({200}, {200})
    outside.dispose()


def test_the_log_is_one_line_of_json_a_request_and_tells_no_secret(service):
    service.get("/api/tasks?status=all", **{"X-Request-ID": "the-one"})

    lines = service.log.read_text().splitlines()
    [line] = [json.loads(line) for line in lines if '"the-one"' in line]
    assert line["route"] == "/api/tasks"
    assert line["user_id"] == "alice"
    assert TOKEN not in service.log.read_bytes()
    assert SECRET not in service.log.read_text()
    assert "Traceback" not in service.log.read_text()


def test_the_start_says_once_that_this_is_production_and_what_it_needs(service):
    said = service.log.read_text()
    assert said.count("APP_ENV is production.") == 1
    assert said.count("Put a proxy that buffers requests in front") == 1


def test_bad_settings_are_refused_once_and_all_named(environ):
    culprits = {
        "DATABASE_URL": "mysql://joe:pass-word@secret-host/todo",
        "BETTER_AUTH_SECRET": "too-short",
        "BETTER_AUTH_URL": "ftp://secret-issuer",
        "PORT": "seventy-eight",
        "WEB_CONCURRENCY": "4711",
        "LOG_FORMAT": "xml-of-all",
        "CORS_ORIGINS": "secret-origin",
        "DB_POOL_SIZE": "minus-one",
    }

    refused = subprocess.run(
        GUNICORN,
        cwd=ROOT,
        env=only_ours(culprits),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )

    said = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert said.count("keep the service from starting") == 1
    assert "Traceback" not in said
    for name, value in culprits.items():
        assert said.count(f" {name} ") == 1
        assert value not in said
