"""Which heads gunicorn serves with our limits, and what the largest ones cost it."""

import os
from contextlib import suppress
from pathlib import Path

import pytest

from tests.running import TOKEN, running, statuses
from tests.test_hostile_requests import (
    FIELD_BYTES,
    FIELDS_KIB,
    HEAD_BYTES,
    LINE_BYTES,
)

pytestmark = [pytest.mark.once, pytest.mark.alone]

USUAL = 200  # bytes that every request below has besides
TICKS = os.sysconf("SC_CLK_TCK")


@pytest.fixture(scope="module")
def service(environ, app, tmp_path_factory):
    """The service under gunicorn, with one worker, on a migrated database."""
    log = tmp_path_factory.mktemp("gunicorn") / "log"
    with running(
        environ | {"WEB_CONCURRENCY": "1", "LOG_LEVEL": "ERROR"}, log
    ) as found:
        yield found


def request(*fields: bytes, line=b"GET /api/tasks HTTP/1.1", body=b"") -> bytes:
    """A request of Alice's as it goes over the wire."""
    usual = [b"Host: localhost", b"Authorization: Bearer " + TOKEN]
    return b"\r\n".join([line, *usual, *fields]) + b"\r\n\r\n" + body


def line_of(length: int) -> bytes:
    """A request line of this length."""
    empty = b"GET /api/tasks?tag= HTTP/1.1"
    return empty.replace(b"=", b"=" + b"a" * (length - len(empty)))


def field_of(length: int, name=b"X-Some") -> bytes:
    """A header field of this length, without the end of its line."""
    return name + b": " + b"a" * (length - len(name) - 2)


LONG = field_of(FIELD_BYTES)
KIB_32 = FIELDS_KIB * 1024 - USUAL
SERVED = {
    "line": request(line=line_of(LINE_BYTES)),
    "field": request(LONG),
    "three-long-fields": request(LONG, LONG, LONG),
    "32-kib-of-fields": request(*[field_of(KIB_32 // 4 - 2)] * 4),
    "32-kib-in-90-fields": request(*[field_of(KIB_32 // 90 - 2)] * 90),
    "32-kib-in-490-fields": request(*[field_of(KIB_32 // 490 - 2)] * 490),
    "line-and-fields": request(LONG, LONG, LONG, line=line_of(LINE_BYTES)),
}
REFUSED = {
    "line": (414, request(line=line_of(2 * LINE_BYTES))),
    "endless-line": (414, line_of(1_000_000)),
    "field": (431, request(field_of(2 * FIELD_BYTES))),
    "fields": (431, request(*[LONG] * 12)),
    "most-fields": (431, request(*[LONG] * 60)),
    "90-fields": (431, request(*[LONG] * 90)),
    "too-many-fields": (431, request(*[b"X: a"] * 1000)),
    "endless-field": (431, request(field_of(1_000_000))),
}


@pytest.mark.parametrize("raw", SERVED.values(), ids=SERVED)
def test_a_head_within_the_contract_is_served(service, raw):
    closing = raw.replace(b"Host:", b"Connection: close\r\nHost:", 1)

    assert statuses(service.send(closing)) == [200]


@pytest.mark.parametrize(("status", "raw"), REFUSED.values(), ids=REFUSED)
def test_a_head_far_beyond_the_contract_is_refused(service, status, raw):
    # A client that goes on sending may not see the answer.
    assert statuses(service.send(raw)) in ([status], [])
    assert service.get("/health") == 200


def cpu_milliseconds(service) -> float:
    """CPU time of gunicorn's only worker, from the kernel, in steps of 10 ms."""
    master = service.process.pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    [worker] = children
    fields = Path(f"/proc/{worker}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / TICKS


CLOSE = b"Connection: close"
CHUNKS = b"1\r\n[\r\n" * 60_000 + b"0\r\n\r\n"
BLANK = b"Accept: a/" + b" " * (FIELD_BYTES - 11) + b"b"
DEAR = {
    "largest-head": (
        request(
            CLOSE, *[LONG] * (HEAD_BYTES // FIELD_BYTES - 1), line=b"GET /x HTTP/1.1"
        ),
        20,
    ),
    "accept": (request(CLOSE, *[BLANK] * 7, line=b"GET /x HTTP/1.1"), 20),
    "unread-chunks": (
        b"POST /x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS,
        20,
    ),
    "most-fields": (request(CLOSE, *[b"X-%d: a" % n for n in range(490)]), 20),
    "refused-head": (request(CLOSE, *[LONG] * 63), 20),
    "refused-head-of-small-fields": (request(CLOSE, *[b"X: a"] * 12_000), 20),
    "endless-field": (request(field_of(1_000_000)), 20),
}


@pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="/proc tells CPU time")
@pytest.mark.parametrize(("raw", "milliseconds"), DEAR.values(), ids=DEAR)
def test_no_request_costs_gunicorn_much(service, raw, milliseconds):
    began = cpu_milliseconds(service)
    for _ in range(10):
        with suppress(OSError):  # the service may hang up while the client sends
            service.send(raw)

    assert (cpu_milliseconds(service) - began) / 10 <= milliseconds
