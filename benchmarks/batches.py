"""What an item of a batch costs, beside the single request that would do the same.

    python -m benchmarks.batches [REQUESTS]

CPU in milliseconds, of this process and of the one connection's process in PostgreSQL,
through the WSGI application on the embedded PostgreSQL. A batch has 100 items. The
rounds are interleaved, so that noise meets all of them.
"""

import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks.operations import BATCH, Operation, make_app, make_operations
from benchmarks.usage import cpu_seconds
from todo_service.database import embedded

ROUNDS = 5
PAIRS = ("create", "update", "delete and restore")


def main() -> None:
    """Print a table: both costs, and what an item costs of a single request."""
    requests = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    with tempfile.TemporaryDirectory(prefix="todo") as folder:
        app = make_app(embedded.start(Path(folder)))
        operations = make_operations(app)
        engine = app.extensions["database"].engine
        with engine.connect() as connection:
            (backend,) = connection.exec_driver_sql("SELECT pg_backend_pid()").one()
        print("| write | service: one, 100, an item | PostgreSQL: one, 100, an item |")
        print("| --- | --- | --- |")
        for name in PAIRS:
            pair = operations[name], operations[f"{name} {BATCH}"]
            rounds = [
                [costs(each, requests, backend) for each in pair] for _ in range(ROUNDS)
            ]
            cells = [
                shown(*(median(each[n][place] for each in rounds) for n in (0, 1)))
                for place in (0, 1)
            ]
            print(f"| {name} | {' | '.join(cells)} |", flush=True)
        engine.dispose()


def costs(operation: Operation, requests: int, backend: int) -> tuple[float, float]:
    """Milliseconds of CPU for a request: of this thread, and of PostgreSQL."""
    operation()
    ours, theirs = time.thread_time(), cpu_seconds(backend)
    for _ in range(requests):
        operation()
    spent = time.thread_time() - ours, cpu_seconds(backend) - theirs
    return spent[0] * 1000 / requests, spent[1] * 1000 / requests


def shown(one: float, many: float) -> str:
    """A cell of the table."""
    return f"{one:.2f}, {many:.2f}, {many / BATCH / one:.2f}"


if __name__ == "__main__":
    main()
