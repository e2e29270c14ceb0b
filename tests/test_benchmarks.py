"""The benchmark: what it makes of its measurements, and the delay that it adds."""

import socket
import threading
import time

import pytest

from benchmarks import options, processes, report, results
from benchmarks.contestants import BARE, FASTAPI, FLOOR, SERVICE
from benchmarks.rounds import Measurement

pytestmark = pytest.mark.once

MEASURED = [
    Measurement(SERVICE, "get", service_cpu_ms=cpu, postgres_cpu_ms=0.1, p50_ms=1.0)
    for cpu in (0.2, 0.3, 9.0)
] + [
    Measurement(FASTAPI, "get", service_cpu_ms=1.0, postgres_cpu_ms=0.2, p50_ms=1.0),
    Measurement(FLOOR, "floor", service_cpu_ms=0.1),
    Measurement(BARE, "get", postgres_cpu_ms=0.1),
]


@pytest.mark.parametrize(
    ("field", "other", "expected"),
    [
        ("service_cpu_ms", FASTAPI, 0.3),
        ("service_cpu_ms", FLOOR, 3.0),
        ("postgres_cpu_ms", FASTAPI, 0.5),
        ("postgres_cpu_ms", BARE, 1.0),
        ("requests_per_second", FASTAPI, None),
    ],
)
def test_a_ratio_is_one_of_medians(field, other, expected):
    found = results.medians(MEASURED)

    assert results.ratio(found, "get", field, other) == pytest.approx(expected)


def test_a_missed_bar_is_bold_and_one_that_is_kept_is_not():
    tables = report.markdown(MEASURED)

    assert "| get | 0.30 (≤ 0.4) | **3.00 (≤ 2.0)** | 0.50 (≤ 1.0) |" in tables


def test_errors_come_first():
    failed = Measurement(SERVICE, "get", errors=2)

    tables = report.markdown([*MEASURED, failed, failed])

    assert tables.startswith("**4 ERRORS: service, get,")


def test_quick_changes_defaults_and_yields_to_what_is_said():
    found = options.parse("", ["--quick", "--users", "9"])

    assert (found.users, found.rounds) == (9, options.QUICK["rounds"])


def test_the_proxy_delays_each_way_by_half_and_does_not_queue(tmp_path):
    listener = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=_echo, args=(listener,), daemon=True).start()
    port, log = processes.free_port(), tmp_path / "log"
    there = ["127.0.0.1", str(listener.getsockname()[1])]
    command = ["benchmarks.delay_proxy", str(port), "40", *there]

    with processes.running(command, {}, log) as process:
        processes.wait_until_listening(process, port, log)
        with socket.create_connection(("127.0.0.1", port)) as client:
            began = time.monotonic()
            for _ in range(5):
                client.sendall(b"a")
                time.sleep(0.004)
            answered = b""
            while len(answered) < 5:
                answered += client.recv(5)
            took = time.monotonic() - began

    # One after the other they would take 200 ms.
    assert 0.04 <= took < 0.15


def _echo(listener):
    while True:
        client, _ = listener.accept()
        while received := client.recv(100):
            client.sendall(received)
        client.close()
