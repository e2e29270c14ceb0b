"""CPU of this process per request, for every operation, without a network.

    python -m benchmarks.operations [ROUNDS]

Medians over interleaved rounds, in milliseconds of this thread's CPU time, through the
WSGI application on the embedded PostgreSQL; and the ratio to `floor`, a Flask view that
returns a constant behind the same door. The ratios are the figures to compare: the
milliseconds depend on the machine. The last line is the growth of this process after
2,000 different shapes of lists.
"""

import cProfile
import itertools
import pstats
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import jwt
from flask import Flask
from sqlalchemy import URL

from benchmarks.load import RATE_LIMIT
from todo_service import create_app
from todo_service.database import embedded, migrations
from todo_service.tasks.list_sorts import SORTS

SECRET = "a secret of the benchmark, long enough"  # noqa: S105
TASKS = 1_000
REQUESTS = 100
SHAPES = 2_000

Operation = Callable[[], int]


def main() -> None:
    """Measure every operation, and print a table."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 7
    with tempfile.TemporaryDirectory(prefix="todo") as folder:
        app = make_app(embedded.start(Path(folder)))
        operations = make_operations(app)
        found = measure(operations, rounds)
        floor = found["floor"]
        print(f"{'operation':22}{'CPU, ms':>9}{'of floor':>10}{'of update':>11}")
        for name, cost in found.items():
            ratios = f"{cost / floor:10.2f}{cost / found['update']:11.2f}"
            print(f"{name:22}{cost:9.3f}{ratios}")
        print(f"{SHAPES} shapes of lists: {growth(app):+.0f} MB")
        app.extensions["database"].engine.dispose()


def make_app(url: URL) -> Flask:
    """The application on a migrated database, with one route more: the floor."""
    shown = url.render_as_string(hide_password=False)
    settings = {"DATABASE_URL": shown, "BETTER_AUTH_SECRET": SECRET}
    limit = {"RATE_LIMIT": RATE_LIMIT}  # requests are counted, and none is refused
    app = create_app(settings | limit | {"LOG_LEVEL": "WARNING"})
    app.add_url_rule("/floor", view_func=lambda: {"tasks": []})
    migrations.upgrade(app.extensions["database"])
    return app


def make_sender(app: Flask) -> Callable[..., tuple[int, bytes]]:
    """Sends a request as a WSGI server does; returns the status and the body."""
    claims = {"sub": "alice", "exp": 4102444800}
    token = jwt.encode(claims, SECRET, "HS256")
    client = app.test_client()

    def send(method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        answer = client.open(
            path,
            method=method,
            data=body,
            headers={"Authorization": f"Bearer {token}"},
            content_type="application/json" if body else None,
        )
        return answer.status_code, answer.data

    return send


def make_operations(app: Flask) -> dict[str, Operation]:
    """Every operation as a function that sends one request; returns its status."""
    send = make_sender(app)
    for number in range(TASKS):
        send("POST", "/api/tasks", b'{"title": "Task %d"}' % number)
    location = app.json.loads(send("GET", "/api/tasks?limit=1")[1])["tasks"][0]["id"]
    task = f"/api/tasks/{location}"
    deleted = app.json.loads(send("POST", "/api/tasks", b'{"title": "x"}')[1])["id"]
    keys = itertools.count()

    def delete_and_restore() -> int:
        send("DELETE", f"/api/tasks/{deleted}")
        return send("POST", f"/api/tasks/{deleted}/restore")[0]

    since = app.json.loads(send("GET", "/api/tasks/changes?limit=1")[1])["next"]
    return {
        "floor": lambda: send("GET", "/floor")[0],
        "get": lambda: send("GET", task)[0],
        "list of 20": lambda: send("GET", "/api/tasks?limit=20")[0],
        "pending, by due date": lambda: send(
            "GET", "/api/tasks?status=pending&sort=due_at&limit=20"
        )[0],
        "changes, 20": lambda: send(
            "GET", f"/api/tasks/changes?limit=20&since={since}"
        )[0],
        "create": lambda: send(
            "POST", "/api/tasks", b'{"title": "Task %d"}' % next(keys)
        )[0],
        "update": lambda: send("PATCH", task, b'{"title": "Another title"}')[0],
        "toggle": lambda: send("PATCH", f"{task}/complete")[0],
        "delete and restore": delete_and_restore,
    }


def measure(operations: dict[str, Operation], rounds: int) -> dict[str, float]:
    """The median over the rounds, in milliseconds of CPU for one request."""
    for each in operations.values():
        if each() not in (200, 201):
            raise RuntimeError("an operation failed")
        cost(each)
    found = [{n: cost(each) for n, each in operations.items()} for _ in range(rounds)]
    return {name: statistics.median(f[name] for f in found) for name in operations}


def cost(operation: Operation) -> float:
    """The mean over some requests, in milliseconds of this thread's CPU."""
    began = time.thread_time()
    for _ in range(REQUESTS):
        operation()
    return (time.thread_time() - began) * 1000 / REQUESTS


def calls(operation: Operation) -> int:
    """The calls of functions that one request makes, once everything is warm.

    Unlike CPU time this is the same on every machine and under any load. A test holds
    the operations to a number of calls, as a multiple of the floor's.
    """
    for _ in range(3):
        operation()
    profile = cProfile.Profile()
    profile.runcall(operation)
    return pstats.Stats(profile).total_calls  # type: ignore[attr-defined]


def growth(app: Flask) -> float:
    """Megabytes that this process grows by when a client varies its lists."""
    send = make_sender(app)
    before = resident_megabytes()
    for query in itertools.islice(queries(), SHAPES):
        if send("GET", f"/api/tasks?limit=1&{query}")[0] != 200:
            raise RuntimeError(f"{query} failed")
    return resident_megabytes() - before


def queries() -> Iterator[str]:
    """Query strings of different shapes."""
    filters = [
        "priority=low&priority=high",
        "tag=a&tag=b",
        "q=x",
        "due_before=2030-01-01T00:00:00Z",
        "due_after=2020-01-01T00:00:00Z",
    ]
    chosen = [
        "&".join(each)
        for size in range(len(filters) + 1)
        for each in itertools.combinations(filters, size)
    ]
    words = [
        f"status={status}&deleted={deleted}"
        for status in ("all", "pending", "completed")
        for deleted in ("false", "true")
    ]
    for sort, choice, each in itertools.product(SORTS, words, chosen):
        yield f"sort={sort}&{choice}&{each}"


def resident_megabytes() -> float:
    """The resident memory of this process now; its peak where there is no /proc."""
    status = Path("/proc/self/statm")
    if status.exists():
        pages = int(status.read_text().split()[1])
        return pages * resource.getpagesize() / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
