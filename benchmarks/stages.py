"""The stages of a run: the database beside the contestants, or at a distance."""

import argparse
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import chain
from pathlib import Path

from sqlalchemy import URL

from benchmarks import contestants, distance, load, postgres, rounds
from benchmarks.contestants import FASTAPI, FLOOR, SERVICE, Contestant
from benchmarks.pgbench import Bench
from benchmarks.progress import say, told
from benchmarks.rounds import Course, Measurement
from benchmarks.wrk import Driver


def measure(
    options: argparse.Namespace, url: URL, scratch: Path, milliseconds: float = 0
) -> list[Measurement]:
    """Everything, on a database beside the contestants."""
    course = Course(
        url=url,
        postmaster=postgres.postmaster(url),
        driver=Driver(options.connections, scratch / "tokens", options.tasks),
        bench=Bench(
            environ=postgres.as_libpq_environ(url),
            folder=scratch,
            connections=options.connections,
            users=options.users,
            tasks=options.tasks,
        ),
        seconds=options.seconds,
    )
    logs = make_logs(options, milliseconds)
    with running((SERVICE, FASTAPI, FLOOR), url, logs) as started:
        for name in (SERVICE, FASTAPI):
            contestants.check(started[name], options.tasks)
        say(f"Warming up, then {options.rounds} rounds")
        return list(told(rounds.run(course, started, options.rounds)))


def measure_at_a_distance(
    options: argparse.Namespace, url: URL, scratch: Path, milliseconds: float
) -> list[Measurement]:
    """The latencies, with that round trip to the database."""
    say(f"With {milliseconds:g} ms to the database")
    logs = make_logs(options, milliseconds)
    driver = Driver(options.delay_connections, scratch / "tokens", options.tasks)
    with (
        distance.running(url, milliseconds, logs) as far,
        running((SERVICE, FASTAPI), far, logs) as started,
    ):
        trip = rounds.round_trip(distance.round_trip_ms(far), milliseconds)
        runs = rounds.with_delay(
            driver, started, seconds=options.seconds, delay_ms=milliseconds
        )
        return list(told(chain([trip], runs)))


def make_logs(options: argparse.Namespace, milliseconds: float) -> Path:
    """The folder for the contestants' logs."""
    folder = options.out / f"logs-{milliseconds:g}-ms"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def running(
    names: Sequence[str], url: URL, logs: Path
) -> Iterator[dict[str, Contestant]]:
    """These contestants, on that database."""
    settings = load.settings(url)
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(contestants.running(name, settings, logs))
            for name in names
        }
