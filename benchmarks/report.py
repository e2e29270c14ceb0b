"""What was measured, as Markdown."""

from collections.abc import Sequence

from benchmarks.contestants import BARE, FASTAPI, FLOOR, SERVICE
from benchmarks.results import RATIOS, REQUESTS, Medians, medians, ratio
from benchmarks.rounds import OPERATIONS, ROUND_TRIP, WITH_DELAY, Measurement

# The columns of the first table: a measurement's field, and how it is written.
COLUMNS = {
    "requests/s": ("requests_per_second", ".0f"),
    "p50, ms": ("p50_ms", ".1f"),
    "p99, ms": ("p99_ms", ".1f"),
    "p99.9, ms": ("p999_ms", ".1f"),
    "CPU of the service, ms": ("service_cpu_ms", ".3f"),
    "CPU of PostgreSQL, ms": ("postgres_cpu_ms", ".3f"),
    "memory, MB": ("memory_mb", ".0f"),
}


def markdown(measurements: Sequence[Measurement]) -> str:
    """All tables, with the errors first if there are any."""
    found = medians(measurements)
    parts = (_errors(found), _figures(found), _ratios(found), _delays(found))
    return "\n".join(part for part in parts if part)


def line(each: Measurement) -> str:
    """One measurement as a line of progress."""
    shown = [
        f"{name} {_shown(getattr(each, field), how):7}"
        for name, field, how in (
            ("requests/s", REQUESTS, ".0f"),
            ("p50", "p50_ms", ".1f"),
            ("CPU", "service_cpu_ms", ".3f"),
            ("PostgreSQL's", "postgres_cpu_ms", ".3f"),
        )
    ]
    errors = f"{each.errors} ERRORS" if each.errors else ""
    return " ".join([f"{each.operation:11}{each.contestant:15}", *shown, errors])


def _errors(found: Medians) -> str:
    """A line for each contestant and operation that failed."""
    return "".join(
        f"**{each.errors} ERRORS: {name}, {operation}, with {delay:g} ms to the"
        " database. These figures mean nothing.**\n"
        for (delay, name, operation), each in found.items()
        if each.errors
    )


def _figures(found: Medians) -> str:
    rows = [
        [operation, name]
        + [_shown(getattr(each, field), how) for field, how in COLUMNS.values()]
        for operation in (*OPERATIONS, "floor")
        for name in (SERVICE, FASTAPI, BARE, FLOOR)
        if (each := found.get((0, name, operation)))
    ]
    return _table(["operation", "contestant", *COLUMNS], rows)


def _ratios(found: Medians) -> str:
    """The ratios, each with what it must be; in bold if it is not."""
    rows = [
        [operation]
        + [
            _judged(
                ratio(found, operation, field, other),
                wanted.get(operation),
                at_least=field == REQUESTS,
            )
            for field, other, wanted in RATIOS.values()
        ]
        for operation in OPERATIONS
        if (0, SERVICE, operation) in found
    ]
    return _table(["operation", *RATIOS], rows)


def _judged(number: float | None, limit: float | None, *, at_least: bool) -> str:
    if number is None or limit is None:
        return _shown(number, ".2f")
    missed = number < limit if at_least else number > limit
    shown = f"{number:.2f} ({'≥' if at_least else '≤'} {limit})"
    return f"**{shown}**" if missed else shown


def _delays(found: Medians) -> str:
    """p50 for each delay."""
    delays = [delay for delay, name, _ in found if delay and name == BARE]
    lines = [(BARE, ROUND_TRIP)]
    lines += [(name, of) for of in WITH_DELAY for name in (SERVICE, FASTAPI)]
    rows = [
        [of, name, *(_shown(found[delay, name, of].p50_ms, ".1f") for delay in delays)]
        for name, of in lines
        if delays
    ]
    heads = [f"p50, ms, with {delay:g} ms to the database" for delay in delays]
    return _table(["operation", "contestant", *heads], rows)


def _shown(number: float | None, how: str) -> str:
    return "" if number is None else format(number, how)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table; nothing if it has no rows."""
    lines = [heads, ["---"] * len(heads), *rows] if rows else []
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
