"""The service as it runs in production: gunicorn, sockets, signals."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import jwt
import pytest
from sqlalchemy import create_engine, text

from tests.conftest import SECRET
from todo_service.settings import urls
from todo_service.web.json_bodies import BODY_BYTES

ROOT = Path(__file__).parent.parent
GUNICORN = [sys.executable, "-m", "gunicorn", "wsgi:app"]
PATIENCE = 15  # seconds
TOKEN = jwt.encode({"sub": "alice", "exp": 4102444800}, SECRET, "HS256").encode()

MANY_AT_ONCE = 8
KILL_ALL = text(
    "SELECT count(pg_terminate_backend(pid, 5000)) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@dataclass
class Service:
    """A running gunicorn: where it listens, what it has said."""

    process: subprocess.Popen
    port: int
    log: Path

    def connect(self) -> HTTPConnection:
        return HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)

    def get(self, path: str, **headers: str) -> int:
        """The status of one request on a connection of its own."""
        connection = self.connect()
        headers["Authorization"] = f"Bearer {TOKEN.decode()}"
        connection.request("GET", path, headers=headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def send(self, raw: bytes) -> bytes:
        """All that is answered to these bytes, after which the client says no more."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as there:
            with suppress(ConnectionError):  # it may have heard enough, and hung up
                there.sendall(raw)
                there.shutdown(socket.SHUT_WR)
            answer = b""
            with suppress(ConnectionError):
                while some := there.recv(65536):
                    answer += some
            return answer


@pytest.fixture(scope="module")
def service(environ, app, tmp_path_factory):
    """The service under gunicorn, on a migrated database. It has to stop well."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    with log.open("wb") as written:
        process = subprocess.Popen(
            GUNICORN,
            cwd=ROOT,
            env=_only_ours(environ | {"PORT": str(port), "DB_POOL_SIZE": "4"}),
            stderr=written,
            stdout=written,
        )
    try:
        running = Service(process, port, log)
        _wait_for(running)
        yield running
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()


def _only_ours(settings):
    """An environment in which nothing but these settings speaks to the service."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return kept | settings


def _wait_for(service):
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and service.process.poll() is None:
        with suppress(OSError):
            assert service.get("/health") == 200
            return
        time.sleep(0.05)
    pytest.fail(f"gunicorn did not start: {service.log.read_text()}")


def statuses(answer: bytes) -> list[int]:
    """The status of each answer in what came back on one connection."""
    return [int(part[:3]) for part in answer.split(b"HTTP/1.1 ")[1:]]


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
    assert service.get("/api/tasks") == 200


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


def test_the_start_says_once_that_this_is_production(service):
    assert service.log.read_text().count("APP_ENV is production.") == 1


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
        env=_only_ours(culprits),
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
