"""A database at a distance: the same server behind a proxy that takes its time."""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import URL, text

from benchmarks import postgres, processes

TRIPS = 30


@contextmanager
def running(url: URL, milliseconds: float, folder: Path) -> Iterator[URL]:
    """The database's URL with that round trip to it; the log is in the folder."""
    port = processes.free_port()
    server = postgres.as_libpq_environ(url)
    host, server_port = server["PGHOST"], server.get("PGPORT", "5432")
    command = ["benchmarks.delay_proxy", str(port), str(milliseconds)]
    log = folder / "delay_proxy.log"
    with processes.running([*command, host, server_port], {}, log) as process:
        processes.wait_until_listening(process, port, log)
        far = url.set(host="127.0.0.1", port=port)
        yield far.difference_update_query(["host", "port"])


def round_trip_ms(url: URL) -> float:
    """What the smallest statement takes: the median."""
    found = []
    with postgres.session(url) as connection:
        for _ in range(TRIPS):
            began = time.perf_counter()
            connection.execute(text("SELECT 1"))
            found.append(time.perf_counter() - began)
    return statistics.median(found) * 1e3
