"""What the log and the metrics cost a request.

    python -m benchmarks.seeing [REQUESTS]

CPU of this thread for a request, in milliseconds, as the median. Each request is sent
three times, one after the other: without a log, with one, and with metrics too, in
files as under gunicorn. So noise meets all three. The last line is a scrape.
"""

import logging
import statistics
import sys
import tempfile
import time
from pathlib import Path

from flask import Flask
from sqlalchemy import URL

from benchmarks.load import RATE_LIMIT
from benchmarks.operations import SECRET, Operation, make_app, make_sender
from todo_service import create_app
from todo_service.database import embedded
from todo_service.metrics import sharing

LOG = logging.getLogger("todo_service")
REQUESTS = {
    "floor": ("GET", "/floor", b""),
    "list": ("GET", "/api/tasks", b""),
    "summary": ("GET", "/api/tasks/summary", b""),
    "create": ("POST", "/api/tasks", b'{"title": "x"}'),
}


def main() -> None:
    """Measure some requests, and print a table."""
    times = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    with tempfile.TemporaryDirectory(prefix="todo") as folder:
        url = embedded.start(Path(folder))
        plain = make_app(url)
        sharing.provide(None)
        measured = make_measured(url)
        with Path("/dev/null").open("w") as nowhere:
            LOG.handlers[0].stream = nowhere  # type: ignore[attr-defined]
            print("| request | CPU, ms | with a log | and metrics |\n|" + " --- |" * 4)
            for name, request in REQUESTS.items():
                every = [sender(app, *request) for app in (plain, plain, measured)]
                costs = compare(*every, times=times)
                print("|", name, "|", " | ".join(f"{each:.3f}" for each in costs), "|")
            scrape = sender(measured, "GET", "/metrics")
            print(
                f"scrape: {statistics.median(cost(scrape) for _ in range(50)):.1f} ms"
            )
        sharing.remove()
        for app in (plain, measured):
            app.extensions["database"].engine.dispose()


def make_measured(url: URL) -> Flask:
    """The application with metrics."""
    shown = url.render_as_string(hide_password=False)
    settings = {"DATABASE_URL": shown, "BETTER_AUTH_SECRET": SECRET}
    more = {"METRICS_ENABLED": "true", "RATE_LIMIT": RATE_LIMIT}
    app = create_app(settings | more)
    app.add_url_rule("/floor", view_func=lambda: {"tasks": []})
    return app


def sender(app: Flask, method: str, path: str, body: bytes = b"") -> Operation:
    """Sends one request."""
    send = make_sender(app)
    return lambda: send(method, path, body)[0]


def compare(
    silent: Operation, logged: Operation, measured: Operation, *, times: int
) -> list[float]:
    """The medians of the three, which are sent in turn."""
    found: list[list[float]] = [[], [], []]
    for _ in range(times):
        LOG.setLevel("WARNING")
        found[0].append(cost(silent))
        LOG.setLevel("INFO")
        found[1].append(cost(logged))
        found[2].append(cost(measured))
    return [statistics.median(each[times // 10 :]) for each in found]


def cost(operation: Operation) -> float:
    """Milliseconds of this thread's CPU for one request."""
    began = time.thread_time()
    if operation() not in (200, 201):
        raise RuntimeError("a request failed")
    return (time.thread_time() - began) * 1000


if __name__ == "__main__":
    main()
