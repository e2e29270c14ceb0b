"""What the measurements come to: medians, ratios, and what the ratios must be."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import asdict, fields
from typing import Any

from benchmarks.contestants import BARE, FASTAPI, FLOOR, SERVICE
from benchmarks.rounds import Measurement

# By delay, contestant and operation.
Medians = dict[tuple[float, str, str], Measurement]

# The ratios: a field of the service's, divided by that of another; for each operation
# what the ratio must be: at most, or, for requests, at least.
REQUESTS = "requests_per_second"
RATIOS: dict[str, tuple[str, str, dict[str, float]]] = {
    "CPU / FastAPI": (
        "service_cpu_ms",
        FASTAPI,
        {"get": 0.4, "list": 0.4, "create": 0.3, "update": 0.3, "toggle": 0.3},
    ),
    "CPU / floor": (
        "service_cpu_ms",
        FLOOR,
        {"get": 2.0, "toggle": 2.4, "update": 2.4, "create": 2.6, "list": 2.6},
    ),
    "PostgreSQL's CPU / FastAPI's": (
        "postgres_cpu_ms",
        FASTAPI,
        {"get": 1.0, "list": 0.5, "toggle": 1.0, "update": 1.0, "create": 1.0},
    ),
    "PostgreSQL's CPU / bare": ("postgres_cpu_ms", BARE, {"get": 1.2, "toggle": 1.2}),
    "requests/s / FastAPI": (REQUESTS, FASTAPI, {"list": 2.0}),
}


def medians(measurements: Iterable[Measurement]) -> Medians:
    """The median of each figure over the rounds; of the errors the sum."""
    grouped: dict[tuple[float, str, str], list[Measurement]] = {}
    for each in measurements:
        key = (each.delay_ms, each.contestant, each.operation)
        grouped.setdefault(key, []).append(each)
    return {key: _median(group) for key, group in grouped.items()}


def ratio(found: Medians, operation: str, field: str, other: str) -> float | None:
    """The service's figure divided by the other's. The floor has one operation."""
    ours = found.get((0, SERVICE, operation))
    theirs = found.get((0, other, "floor" if other == FLOOR else operation))
    above, below = (getattr(each, field, None) for each in (ours, theirs))
    return above / below if above is not None and below else None


def as_json(measurements: Iterable[Measurement]) -> dict[str, Any]:
    """The medians, and every single measurement."""
    measured = list(measurements)
    return {
        "medians": [asdict(each) for each in medians(measured).values()],
        "measurements": [asdict(each) for each in measured],
    }


def _median(group: list[Measurement]) -> Measurement:
    figures: dict[str, Any] = {}
    for field in fields(Measurement)[3:]:
        numbers = [getattr(each, field.name) for each in group]
        reduce: Callable = sum if field.name == "errors" else statistics.median
        figures[field.name] = None if None in numbers else reduce(numbers)
    first = group[0]
    return Measurement(first.contestant, first.operation, first.delay_ms, **figures)
