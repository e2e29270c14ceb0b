"""What a worker keeps after many requests: memory and connections.

    python -m benchmarks.endurance [REQUESTS]

wrk drives the mix of operations against the service as it is shipped. Each line of the
table comes after about a tenth of the requests.
"""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
from sqlalchemy import URL, text

from benchmarks import contestants, load, options, postgres, usage
from benchmarks.contestants import SERVICE, Contestant
from benchmarks.wrk import Driver

USERS, TASKS, CONNECTIONS, SECONDS = 100, 100, 16, 5
REQUESTS, LINES = 100_000, 10

OF_THE_SERVICE = text(
    "SELECT count(*) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


def main() -> None:
    """Print a table: memory and connections as the requests go on."""
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else REQUESTS
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(postgres.server(os.environ.get(options.SERVER)))
        url = stack.enter_context(postgres.database(server))
        load.fill(url, users=USERS, tasks=TASKS, scratch=scratch)
        load.write_tokens(scratch / "tokens", USERS)
        settings = load.settings(url)
        service = contestants.running(SERVICE, settings, scratch)
        driver = Driver(CONNECTIONS, scratch / "tokens", TASKS)
        print("| requests | memory of each worker, MB | connections | errors |")
        print("| --- | --- | --- | --- |")
        for line in rows(stack.enter_context(service), driver, url, wanted):
            print(line, flush=True)


def rows(service: Contestant, driver: Driver, url: URL, wanted: int) -> Iterator[str]:
    """A line of the table after each tenth of the requests."""
    sent = errors = seed = 0
    while sent < wanted:
        due = sent + wanted // LINES
        while sent < due:
            seed += 1
            found = driver.drive(service, "mix", seconds=SECONDS, seed=seed)
            sent, errors = sent + found.requests, errors + found.errors
        memory = ", ".join(f"{each:.0f}" for each in memory_of_workers(service.pid))
        with postgres.session(url) as connection:
            connections = connection.scalar(OF_THE_SERVICE)
        yield f"| {sent:,} | {memory} | {connections} | {errors} |"


def memory_of_workers(master: int) -> list[float]:
    """Resident megabytes of each worker process."""
    workers = psutil.Process(master).children()
    return [usage.memory_megabytes(worker.pid) for worker in workers]


if __name__ == "__main__":
    main()
