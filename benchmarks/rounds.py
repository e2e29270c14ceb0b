"""Measures the contestants in turn, over several rounds, so that noise meets all."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from sqlalchemy import URL

from benchmarks import load, usage
from benchmarks.contestants import BARE, FASTAPI, FLOOR, SERVICE, Contestant
from benchmarks.pgbench import STATEMENTS, Bench
from benchmarks.wrk import Driver

OPERATIONS = ("get", "list", "toggle", "update", "create", "mix")
RUNS = [
    (name, operation)
    for operation in OPERATIONS
    for name in (SERVICE, FASTAPI, BARE)
    if name != BARE or operation in STATEMENTS
] + [(FLOOR, "floor")]
WITH_DELAY = ("get", "list", "toggle", "update", "create")
ROUND_TRIP = "round trip"


@dataclass(frozen=True)
class Measurement:
    """One run. CPU is in milliseconds a request; None where it cannot be known."""

    contestant: str
    operation: str
    delay_ms: float = 0
    requests_per_second: float | None = None
    errors: int = 0
    p50_ms: float | None = None
    p99_ms: float | None = None
    p999_ms: float | None = None
    service_cpu_ms: float | None = None
    postgres_cpu_ms: float | None = None
    memory_mb: float | None = None


@dataclass(frozen=True)
class Course:
    """Where the contestants meet: the database, its first process, and the drivers."""

    url: URL
    postmaster: int | None
    driver: Driver
    bench: Bench
    seconds: int


def run(
    course: Course, contestants: dict[str, Contestant], rounds: int
) -> Iterator[Measurement]:
    """Every operation by every contestant, round after round."""
    _warm_up(course, contestants, [run for run in RUNS if run[0] != BARE])
    for seed in range(1, rounds + 1):
        load.renew(course.url)
        # Who reads first after that would pay for it.
        _warm_up(course, contestants, [(SERVICE, "list"), (FASTAPI, "list")])
        rates: dict[str, float] = {}
        for name, operation in RUNS:
            if name == BARE:
                yield _bare(course, operation, rates[operation])
                continue
            found = _driven(course, contestants[name], operation, seed)
            rates.setdefault(operation, found.requests_per_second or 0)
            yield found


def round_trip(found_ms: float, delay_ms: float) -> Measurement:
    """What a round trip really takes, as a measurement."""
    return Measurement(BARE, ROUND_TRIP, delay_ms, p50_ms=found_ms)


def with_delay(
    driver: Driver,
    contestants: dict[str, Contestant],
    *,
    seconds: int,
    delay_ms: float,
) -> Iterator[Measurement]:
    """The operations whose latency a distant database decides, once each."""
    for operation in WITH_DELAY:
        for name, contestant in contestants.items():
            driver.warm_up(contestant, operation, seconds)
            found = driver.drive(contestant, operation, seconds=seconds, seed=1)
            yield Measurement(
                contestant=name,
                operation=operation,
                delay_ms=delay_ms,
                requests_per_second=found.requests / found.seconds,
                errors=found.errors,
                p50_ms=found.p50_ms,
            )


def _warm_up(
    course: Course, contestants: dict[str, Contestant], runs: list[tuple[str, str]]
) -> None:
    for name, operation in runs:
        course.driver.warm_up(contestants[name], operation, course.seconds)


def _driven(
    course: Course, contestant: Contestant, operation: str, seed: int
) -> Measurement:
    drive = partial(
        course.driver.drive, contestant, operation, seconds=course.seconds, seed=seed
    )
    found, (own, database) = _with_cpu(drive, contestant.pid, course.postmaster)
    return Measurement(
        contestant=contestant.name,
        operation=operation,
        requests_per_second=found.requests / found.seconds,
        errors=found.errors,
        p50_ms=found.p50_ms,
        p99_ms=found.p99_ms,
        p999_ms=found.p999_ms,
        service_cpu_ms=_each(own, found.requests),
        postgres_cpu_ms=_each(database, found.requests),
        memory_mb=usage.memory_megabytes(contestant.pid),
    )


def _bare(course: Course, operation: str, per_second: float) -> Measurement:
    statement = partial(
        course.bench.run, operation, seconds=course.seconds, per_second=per_second
    )
    count, (database,) = _with_cpu(statement, course.postmaster)
    return Measurement(
        contestant=BARE,
        operation=operation,
        requests_per_second=count / course.seconds,
        postgres_cpu_ms=_each(database, count),
    )


def _with_cpu(action: Callable, *roots: int | None) -> tuple:
    """What the action returns, and the seconds of CPU that each tree has used."""
    before = [_cpu(root) for root in roots]
    found = action()
    after = [_cpu(root) for root in roots]
    pairs = zip(before, after, strict=True)
    return found, [None if b is None or a is None else a - b for b, a in pairs]


def _cpu(root: int | None) -> float | None:
    return None if root is None else usage.cpu_seconds(root)


def _each(seconds: float | None, count: int) -> float | None:
    """Milliseconds for one of them."""
    return None if seconds is None or not count else seconds * 1e3 / count
