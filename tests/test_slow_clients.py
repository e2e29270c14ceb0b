"""Clients that are silent, slow, or that ask to be taken for somebody else."""

import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager, suppress

import pytest
from gunicorn.http.errors import NoMoreData

from tests.running import (
    GUNICORN,
    ROOT,
    TOKEN,
    Service,
    everything,
    running,
    statuses,
)
from todo_service.server import Worker, reading
from todo_service.server.reading import HEAD_SECONDS, Reader
from todo_service.server.writing import Writer
from todo_service.web.json_bodies import BODY_BYTES

pytestmark = pytest.mark.once

# Many more than threads: without a cure each attack stops the service.
ATTACKERS = 40
ROOM = 60  # connections of the worker
HEAD = b"GET /health HTTP/1.1\r\nHost: x\r\n"
LAST = HEAD + b"Connection: close\r\n\r\n"
POST = b"POST /api/tasks HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
GOOD = b"Authorization: Bearer " + TOKEN + b"\r\n"


@pytest.fixture(scope="module")
def service(environ, app, tmp_path_factory):
    """One worker with eight threads and room for few connections."""
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    small = {
        "WEB_CONCURRENCY": "1",
        "GUNICORN_THREADS": "8",
        "GUNICORN_CMD_ARGS": f"--worker-connections {ROOM}",
    }
    with running(environ | small, log) as service:
        yield service
        assert "Traceback" not in log.read_text()


@contextmanager
def attackers(service: Service, raw: bytes) -> Iterator[list[socket.socket]]:
    """Connections over which these bytes have gone, and no more will."""
    sockets = [service.open(raw) for _ in range(ATTACKERS)]
    yield sockets
    for each in sockets:
        each.close()


def serves(service: Service) -> bool:
    """Whether it answers so soon that it cannot have waited for an attacker."""
    began = time.monotonic()
    answers = {service.get("/api/tasks") for _ in range(5)}
    return answers == {200} and time.monotonic() - began < HEAD_SECONDS - 1


HALVES = {
    "nothing": b"",
    "half-a-line": b"GET /hea",
    "half-a-head": HEAD,
    "one-request-and-a-half": HEAD + b"\r\n" + HEAD,
    "an-empty-line-first": b"\r\n" + HEAD,
    "does-not-hang-up": LAST,
    "half-a-body": POST + b"Content-Length: 100\r\n\r\n{",
    "half-a-chunk": POST + b"Transfer-Encoding: chunked\r\n\r\n64\r\n{",
}


@pytest.mark.parametrize("raw", HALVES.values(), ids=HALVES)
def test_a_connection_that_waits_for_its_client_holds_nobody_up(service, raw):
    with attackers(service, raw):
        assert serves(service)

    assert serves(service)


def test_a_user_who_sends_half_bodies_stops_the_service_until_they_end(service):
    with attackers(service, POST + GOOD + b"Content-Length: 100\r\n\r\n{"):
        pass  # it lasts as long as the connections do, 20 s each at most

    assert serves(service)


def drip(service: Service) -> bytes:
    """Send a header, a byte at a time, until the service ends the connection."""
    with service.open(HEAD + b"X-A: ") as there:
        there.settimeout(0.2)
        for _ in range(10 * HEAD_SECONDS):
            with suppress(TimeoutError):
                return there.recv(100)
            there.sendall(b"x")
    pytest.fail("it never ended")


def test_half_a_head_ends_and_a_kept_connection_does_not(service):
    kept = service.connect()
    kept.request("GET", "/health")
    kept.getresponse().read()
    mine = kept.sock
    began = time.monotonic()

    with attackers(service, HEAD) as sockets, ThreadPoolExecutor() as other:
        dripped = other.submit(drip, service)
        assert {everything(each) for each in sockets} == {b""}
        assert dripped.result() == b""

    assert time.monotonic() - began < HEAD_SECONDS + 3
    kept.request("GET", "/health")
    assert (kept.getresponse().status, kept.sock) == (200, mine)
    kept.close()


def test_more_connections_than_there_is_room_for_hold_nobody_up(service):
    with attackers(service, b""), attackers(service, HEAD), attackers(service, LAST):
        assert serves(service)


def test_more_connections_than_a_process_may_open_at_first_end_no_worker(
    environ, app, tmp_path
):
    few = f"ulimit -Sn {ROOM}; exec {' '.join(GUNICORN)}"
    settings = environ | {"WEB_CONCURRENCY": "1"}
    with (
        running(settings, tmp_path / "log", ["sh", "-c", few]) as service,
        attackers(service, b""),
        attackers(service, HEAD),
    ):
        assert serves(service)

    assert service.log.read_text().count("Booting worker") == 1


def slowly(service: Service, pieces: list[bytes]) -> list[int]:
    """The statuses of what is answered to these bytes, with a pause before each."""
    with service.open() as there:
        for piece in pieces:
            time.sleep(0.05)
            there.sendall(piece)
        return statuses(everything(there))


def test_a_request_may_come_in_pieces(service):
    pieces = [b"GET /hea", b"lth HTTP/1.1\r\nHost:", b" x\r\n", b"\r", b"\n", LAST]

    assert slowly(service, pieces) == [200, 200]


def test_a_slow_upload_of_the_largest_body_arrives(service):
    task = b'{"title": "slow"}'.ljust(BODY_BYTES)
    head = POST + GOOD + b"Connection: close\r\nContent-Length: %d\r\n\r\n"
    pieces = [task[start : start + 2048] for start in range(0, BODY_BYTES, 2048)]

    assert slowly(service, [head % len(task), *pieces]) == [201]


@pytest.fixture(scope="module")
def impatient(environ, app, tmp_path_factory):
    """A worker with two threads, which gives bodies and answers one second each."""
    folder = tmp_path_factory.mktemp("impatient")
    (folder / "gunicorn.conf.py").write_text(
        f"exec(open({str(ROOT / 'gunicorn.conf.py')!r}).read())\n"
        "from todo_service.server import reading\n"
        "reading.BODY_SECONDS = reading.SEND_SECONDS = 1\n"
    )
    small = {
        "WEB_CONCURRENCY": "1",
        "GUNICORN_THREADS": "2",
        "GUNICORN_CMD_ARGS": f"-c {folder / 'gunicorn.conf.py'}",
    }
    with running(environ | small, folder / "log") as service:
        yield service
        assert "Traceback" not in (folder / "log").read_text()


def test_half_a_body_with_a_good_token_ends_too(impatient):
    half = POST + GOOD + b"Content-Length: 100\r\n\r\n{"
    sockets = [impatient.open(half) for _ in range(4)]

    assert serves(impatient)
    for each in sockets:
        assert statuses(everything(each)) == [400]
        each.close()


def test_a_client_that_does_not_read_its_answer_ends_too(impatient, alice):
    for _ in range(300):  # 6 MB: more than a socket's buffer
        alice.post("", json={"title": "x", "description": "\N{GRINNING FACE}" * 5000})
    sockets = [socket.socket() for _ in range(4)]
    for each in sockets:
        each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        each.connect(("127.0.0.1", impatient.port))
        each.sendall(b"GET /api/tasks/changes?limit=500 HTTP/1.1\r\n" + GOOD + b"\r\n")

    assert impatient.get("/health") == 200
    for each in sockets:
        each.close()


class Part(bytes):
    """A part of an answer that says when it is gone."""

    def __init__(self, _):
        self.gone = threading.Event()

    def __del__(self):
        self.gone.set()


def test_an_answer_is_in_memory_once_while_it_waits_for_its_client():
    here, client = socket.socketpair()
    writer = Writer(here)
    part = Part(b"x" * 10_000_000)  # more than a socket's buffer
    gone = part.gone
    writer.sendall(part)
    del part

    with ThreadPoolExecutor() as other:
        sent = other.submit(writer.send_kept)
        was_gone = gone.wait(5)
        waited = not sent.done()
        client.close()

    assert (was_gone, waited) == (True, True)
    assert isinstance(sent.exception(), ConnectionError)
    here.close()


def test_a_client_that_does_not_read_its_refusal_ends_too(monkeypatch):
    monkeypatch.setattr(reading, "SEND_SECONDS", 0.2)
    here, client = socket.socketpair()
    here.setblocking(False)
    with suppress(BlockingIOError):
        while True:
            here.send(b"x")
    here.setblocking(True)  # as gunicorn leaves it before it parses

    refuse = Worker.__new__(Worker).handle_error  # needs no loop
    with ThreadPoolExecutor() as other:
        refused = other.submit(refuse, None, here, None, NoMoreData())
        late = wait([refused], timeout=5).not_done
        client.close()

    assert not late
    here.close()


def read_what_drips(reader: Reader, client: socket.socket) -> None:
    """Read for ever, while the client sends a byte from time to time."""
    while True:
        client.sendall(b"x")
        reader.chunk()
        time.sleep(0.02)


def test_the_reads_of_a_body_have_one_deadline_together():
    here, client = socket.socketpair()
    reader = Reader(here)
    began = time.monotonic()
    reader.allow(0.3)

    with pytest.raises(NoMoreData):
        read_what_drips(reader, client)

    assert 0.2 < time.monotonic() - began < 3
    here.close()
    client.close()
