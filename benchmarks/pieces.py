"""What each piece of a request costs under gunicorn, found by taking pieces away.

    python -m benchmarks.pieces [ROUNDS]

Every line of the table also lacks the pieces of the lines above it. The last line is a
bare Flask view. wrk sends the same request to each in turn: reading one task.
"""

import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from flask import Flask

from benchmarks import contestants, load, postgres, processes, usage
from benchmarks.contestants import FLOOR, GUNICORN, SERVICE, Contestant
from benchmarks.wrk import Driver
from todo_service import create_app, database

USERS, TASKS, CONNECTIONS, SECONDS = 30, 200, 16, 3


def main() -> None:
    """Print a table: the CPU of the service for one request, without these pieces."""
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.server(None))
        url = stack.enter_context(postgres.database(server))
        load.fill(url, users=USERS, tasks=TASKS, scratch=scratch)
        load.write_tokens(scratch / "tokens", USERS)
        driver = Driver(CONNECTIONS, scratch / "tokens", TASKS)
        settings = load.settings(url)
        started = {
            name: stack.enter_context(running(number, settings, scratch))
            for number, name in enumerate(["as shipped", *PIECES])
        }
        floor = stack.enter_context(contestants.running(FLOOR, settings, scratch))
        print("| without | CPU, ms |\n| --- | --- |")
        for name, cost in measure(driver, started | {"all of it": floor}, rounds):
            print(f"| {name} | {cost:.3f} |")


@contextmanager
def running(
    number: int, settings: dict[str, str], folder: Path
) -> Iterator[Contestant]:
    """The service without the first pieces, under gunicorn."""
    port = processes.free_port()
    command = [each.format(port=port) for each in GUNICORN]
    command.append(f"benchmarks.pieces:make_app({number})")
    environ = settings | {"WEB_CONCURRENCY": str(contestants.PROCESSES)}
    log = folder / f"without-{number}.log"
    with processes.running(command, environ, log) as process:
        processes.wait_until_listening(process, port, log)
        yield Contestant(SERVICE, process.pid, port)


def measure(
    driver: Driver, started: dict[str, Contestant], rounds: int
) -> Iterator[tuple[str, float]]:
    """The median over the rounds, in milliseconds of CPU for one request."""
    found: dict[str, list[float]] = {name: [] for name in started}
    for seed in range(rounds + 1):
        for name, contestant in started.items():
            found[name].append(cost(driver, contestant, seed))
    for name, costs in found.items():
        yield name, statistics.median(costs[1:])  # the first round warms up


def cost(driver: Driver, contestant: Contestant, seed: int) -> float:
    """Milliseconds of CPU for one request."""
    operation = "floor" if contestant.name == FLOOR else "get"
    before = usage.cpu_seconds(contestant.pid)
    found = driver.drive(contestant, operation, seconds=SECONDS, seed=seed)
    if found.errors:
        sys.exit(f"{found.errors} requests failed")
    return (usage.cpu_seconds(contestant.pid) - before) * 1e3 / found.requests


def make_app(number: int) -> Flask:
    """The service without the first pieces."""
    app = create_app()
    for take_away in [*PIECES.values()][:number]:
        take_away(app)
    return app


def _statement(app: Flask) -> None:
    """The first row is the answer to all requests."""
    fetch = database.fetch_one
    rows: list[Any] = []

    def remembered(*question: Any, **options: Any) -> Any:
        if not rows:
            rows.append(fetch(*question, **options))
        return rows[0]

    database.fetch_one = remembered


def _view(app: Flask) -> None:
    for endpoint in app.view_functions:
        app.view_functions[endpoint] = lambda **values: {"constant": True}


PIECES: dict[str, Callable[[Flask], None]] = {
    "the statement": _statement,
    "the view": _view,
    "what follows it: the log's line, headers": lambda app: (
        app.after_request_funcs.clear()
    ),
    "what comes before it: the door, limits": lambda app: (
        app.before_request_funcs.clear()
    ),
}


if __name__ == "__main__":
    main()
