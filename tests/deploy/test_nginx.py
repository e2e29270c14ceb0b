"""Real traffic through `deploy/nginx`: nothing is changed, slow clients harm nobody."""

import gzip
import json
import socket
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress

import pytest

from tests.deploy.nginx import nginx
from tests.ports import free_port
from tests.running import TOKEN, Service, running, statuses
from todo_service.web.json_bodies import BODY_BYTES

GOOD = b"Authorization: Bearer " + TOKEN + b"\r\n"
JSON = b"Content-Type: application/json\r\n"
HALF_SENT = 200
# nginx gives up on a head after 10 s, so the attackers return once.
ATTACK_SECONDS = 20
CLIENTS = 8


def request(line: bytes, *fields: bytes, body: bytes = b"", token=GOOD) -> bytes:
    """A request as it goes over the wire, the only one of its connection."""
    length = b"Content-Length: %d\r\n" % len(body) if body else b""
    more = b"".join(field + b"\r\n" for field in fields)
    head = b"%s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" % line
    return head + token + JSON + length + more + b"\r\n" + body


def bearer(token: str) -> bytes:
    """The field that brings a token."""
    return f"Authorization: Bearer {token}\r\n".encode()


def exchange(service: Service, raw: bytes) -> tuple[int, dict[bytes, bytes], bytes]:
    """The status, the header fields and the body of the one answer."""
    with service.open(raw) as there:
        answer = b""
        with suppress(ConnectionResetError):
            while some := there.recv(65536):
                answer += some
    head, _, body = answer.partition(b"\r\n\r\n")
    [status] = statuses(head)
    fields = dict(line.split(b": ", 1) for line in head.split(b"\r\n")[1:])
    return status, fields, body


def get(service: Service, path: bytes, *fields: bytes, **options: bytes):
    return exchange(service, request(b"GET " + path, *fields, **options))


# What a client could want the path, the scheme or the address to be.
LIES = [
    b"SCRIPT_NAME: /api",
    b"Script-Name: /api",
    b"PATH_INFO: /health",
    b"X-Forwarded-Prefix: /api",
    b"X-Forwarded-Proto: https",
    b"X-Forwarded-Host: evil.example",
    b"X-Forwarded-Port: 1",
    b"X-Forwarded-For: 1.2.3.4",
    b"X-Forwarded-For: 1.2.3.4, 5.6.7.8, 9.9.9.9",
    b"X-Real-IP: 1.2.3.4",
    b"Forwarded: for=1.2.3.4;proto=https;host=evil.example",
    b"X_Forwarded_For: 1.2.3.4",
    b"X-Original-URL: /health",
]
# The server's clock, the hop's own fields, and what differs for each request.
OF_THE_HOP = {b"Connection", b"Date", b"Server", b"X-Request-ID"}
OF_THE_HOP |= {b"RateLimit-Remaining", b"RateLimit-Reset", b"Transfer-Encoding"}


def stable(answer):
    """An answer without what may differ from hop to hop."""
    status, fields, body = answer
    return status, {k: v for k, v in fields.items() if k not in OF_THE_HOP}, body


@pytest.mark.parametrize("lie", LIES)
def test_a_header_from_outside_changes_nothing(proxied, milk, lie):
    for path in (b"/api/tasks", b"/nowhere", b"/health"):
        assert stable(get(proxied, path, lie)) == stable(get(proxied, path))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(b"/api/tasks", id="list"),
        pytest.param(b"/api/alice/tasks/", id="trailing-slash"),
        pytest.param(b"/api/bob/tasks", id="403"),
        pytest.param(b"/api/a%2Fb/tasks", id="encoded-slash"),
        pytest.param(b"//health", id="two-slashes"),
        pytest.param(b"/api//tasks", id="empty-user"),
        pytest.param(b"/api/tasks?q=%25%20%C3%A9&q=", id="400-of-a-query"),
        pytest.param(b"/nowhere", id="404"),
        pytest.param(b"/api/tasks/%FF", id="no-utf-8"),
    ],
)
def test_an_answer_is_the_same_with_nginx_in_front(proxied, bare, milk, path):
    assert stable(get(proxied, path)) == stable(get(bare, path))


@pytest.fixture
def forgers_limit(settings, tmp_path):
    """A service that lets each address fail twice, and nginx in front of it."""
    tmp_path.chmod(0o755)
    few = settings | {"RATE_LIMIT": "2 per minute"}
    with (
        running(few, tmp_path / "gunicorn") as service,
        nginx([service.port], tmp_path) as proxied,
    ):
        yield proxied


def test_an_address_that_a_client_makes_up_does_not_help_it(forgers_limit):
    seen = [
        get(forgers_limit, b"/api/tasks", b"X-Forwarded-For: 1.2.3.%d" % n, token=b"")
        for n in range(4)
    ]

    assert [status for status, _, _ in seen] == [401, 401, 429, 429]


@pytest.fixture
def many(alice):
    """A list of 2 MB."""
    items = [{"title": "x", "description": "\N{GRINNING FACE}" * 5000}] * 5
    for _ in range(20):
        assert alice.post("batch", json={"create": items}).status_code == 200


def test_a_large_answer_arrives_whole_also_at_a_client_who_reads_late(proxied, many):
    with proxied.open(request(b"GET /api/tasks?limit=100")) as there:
        time.sleep(0.3)
        received = b""
        while some := there.recv(65536):
            received += some

    assert len(json.loads(received.partition(b"\r\n\r\n")[2])["tasks"]) == 100


def test_clients_that_do_not_read_large_answers_hold_nobody_up(proxied, many, token_of):
    """Alice gets what one user may have at once; Bob is another user."""
    with ExitStack() as stack:
        for _ in range(40):
            there = stack.enter_context(socket.socket())
            there.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            there.connect(("127.0.0.1", proxied.port))
            there.sendall(request(b"GET /api/tasks?limit=100"))

        began = time.monotonic()
        assert get(proxied, b"/api/tasks", token=bearer(token_of("bob")))[0] == 200
        assert time.monotonic() - began < 10


def test_compression_and_etags_pass_unchanged(proxied, many):
    path, plain = b"/api/tasks?limit=1", b"Accept-Encoding: identity"
    _, fields, body = get(proxied, path, b"Accept-Encoding: gzip")
    _, same, whole = get(proxied, path, plain)
    tag = fields[b"ETag"]

    assert (fields[b"Content-Encoding"], gzip.decompress(body)) == (b"gzip", whole)
    assert (same[b"ETag"], tag[:1]) == (tag, b'"')
    assert get(proxied, path, b"If-None-Match: " + tag)[0] == 304


def test_a_version_that_has_moved_on_is_a_412_through_nginx(proxied, milk):
    line = b"PATCH /api/tasks/%s/complete" % milk.json["id"].encode()
    tag = b"If-Match: " + milk.headers["ETag"].encode()

    seen = [exchange(proxied, request(line, tag)) for _ in range(2)]

    assert [status for status, _, _ in seen] == [200, 412]
    assert seen[0][1][b"ETag"] == seen[1][1][b"ETag"]


def test_a_chunked_body_reaches_the_service(proxied, alice):
    task = b'{"title": "Tea"}'
    chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(task), task)
    raw = request(b"POST /api/tasks", b"Transfer-Encoding: chunked") + chunks

    assert exchange(proxied, raw)[0] == 201


def test_the_largest_body_and_head_of_the_contract_are_served(proxied, alice):
    largest = b'{"title": "x"}'.ljust(BODY_BYTES)
    fields = [b"X-%d: %s" % (n, b"x" * 8180) for n in range(4)]
    query = b"q=&" * 2000
    line = b"GET /health?" + query[: 8190 - len(b"GET /health? HTTP/1.1")]

    assert exchange(proxied, request(b"POST /api/tasks", body=largest))[0] == 201
    assert exchange(proxied, request(line, *fields))[0] == 200
    assert exchange(proxied, request(line, *[b"X-A: " + b"x" * 69] * 400))[0] == 200


LONG = b"/" + b"a" * 20_000
REFUSED = {
    "no-http": (b"\x80\x81\r\n\r\n", 400),
    "nul-in-the-path": (request(b"GET /%00"), 400),
    "out-of-the-root": (request(b"GET /../x"), 400),
    "trace": (request(b"TRACE /health"), 405),
    "body-over-the-limit": (
        request(b"POST /api/tasks", body=b" " * (BODY_BYTES + 1)),
        413,
    ),
    "body-far-over-the-limit": (
        request(b"POST /api/tasks", body=b" " * 300_000),
        413,
    ),
    "line-over-the-limit": (request(b"GET /" + b"a" * 9000), 414),
    "line-far-over-the-limit": (request(b"GET " + LONG), 414),
    "field-over-the-limit": (request(b"GET /health", b"X-A: " + LONG[:9000]), 431),
    "field-far-over-the-limit": (request(b"GET /health", b"X-A: " + LONG), 431),
    "fields-far-over-the-limit": (
        request(b"GET /health", *[b"X-A: " + LONG[:8000]] * 20),
        431,
    ),
    "metrics": (request(b"GET /metrics"), 404),
    "metrics-spelt-otherwise": (request(b"GET //%6detrics/"), 404),
}


@pytest.mark.parametrize(("raw", "status"), REFUSED.values(), ids=REFUSED)
def test_a_refusal_has_the_shape_of_every_error_whoever_refuses(proxied, raw, status):
    got, fields, body = exchange(proxied, raw)

    assert (got, fields[b"Content-Type"]) == (status, b"application/json")
    assert len(fields[b"X-Request-ID"]) > 30
    [(key, message)] = json.loads(body).items()
    assert (key, message[-1]) == ("error", ".")
    assert proxied.get("/health") == 200


def test_a_service_that_is_away_is_a_503_with_retry_after(bare, tmp_path):
    tmp_path.chmod(0o755)
    with nginx([free_port()], tmp_path) as proxied:
        status, fields, body = get(proxied, b"/api/tasks")

    assert (status, int(fields[b"Retry-After"])) == (503, 1)
    assert json.loads(body) == {"error": "The service cannot be reached."}


HALVES = {
    "half-a-line": b"GET /hea",
    "half-a-head": b"GET /api/tasks HTTP/1.1\r\nHost: x\r\n" + GOOD,
    "half-a-body": request(b"POST /api/tasks", b"Content-Length: 1000") + b"{",
}


def keep_up(proxied: Service, raw: bytes, end: float) -> None:
    """Keep this many requests half sent; who is thrown out comes back at once."""
    sockets = [proxied.open(raw) for _ in range(HALF_SENT)]
    while time.monotonic() < end:
        for number, each in enumerate(sockets):
            if is_thrown_out(each):
                each.close()
                sockets[number] = proxied.open(raw)
        time.sleep(0.2)
    for each in sockets:
        each.close()


def is_thrown_out(connection: socket.socket) -> bool:
    """Whether nginx has ended the connection."""
    connection.setblocking(False)
    try:
        return not connection.recv(65536)
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def seconds_of(token: str, proxied: Service, end: float) -> list[float]:
    """How long the requests of another user took, each of which succeeded."""
    seconds = []
    while time.monotonic() < end:
        began = time.monotonic()
        assert get(proxied, b"/api/tasks", token=bearer(token))[0] == 200
        seconds.append(time.monotonic() - began)
        time.sleep(0.02)
    return seconds


@pytest.mark.alone
def test_three_times_200_half_sent_requests_harm_nobody(proxied, token_of):
    users = [token_of(f"user-{number}") for number in range(CLIENTS)]
    end = time.monotonic() + ATTACK_SECONDS
    with ThreadPoolExecutor(len(HALVES) + CLIENTS) as people:
        attacks = [people.submit(keep_up, proxied, h, end) for h in HALVES.values()]
        others = [people.submit(seconds_of, each, proxied, end) for each in users]
        seconds = [each for other in others for each in other.result()]

    assert {attack.exception() for attack in attacks} == {None}
    assert len(seconds) > 200
    assert statistics.quantiles(seconds, n=100)[98] < 1
