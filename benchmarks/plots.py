"""The plots. matplotlib comes with the extra `bench`, and only this module needs it."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.contestants import BARE, FASTAPI, FLOOR, SERVICE
from benchmarks.results import Medians
from benchmarks.rounds import OPERATIONS, WITH_DELAY

COLOURS = {SERVICE: "#1f77b4", FASTAPI: "#ff7f0e", FLOOR: "#7f7f7f", BARE: "#2ca02c"}
BAR_WIDTH = 0.27

# A file for each of these fields of a measurement, with what its axis is called.
BARS = {
    "requests_per_second": "requests/s",
    "p99_ms": "p99, ms",
    "service_cpu_ms": "CPU of the service, ms a request",
    "postgres_cpu_ms": "CPU of PostgreSQL, ms a request",
}


def draw(found: Medians, folder: Path) -> None:
    """Write the plots into the folder, as PNG."""
    if any(delay == 0 for delay, _, _ in found):
        for field, label in BARS.items():
            _bars(found, field, label).savefig(folder / f"{field}.png", dpi=120)
    if any(delay for delay, _, _ in found):
        _lines(found).savefig(folder / "delay.png", dpi=120)


def _bars(found: Medians, field: str, label: str) -> Figure:
    """A group of bars for each operation."""
    figure = Figure(figsize=(8, 4), layout="constrained")
    axes = figure.subplots()
    for place, name in enumerate((SERVICE, FASTAPI, BARE)):
        heights = _heights(found, name, field)
        places = [OPERATIONS.index(of) + (place - 1) * BAR_WIDTH for of in heights]
        if heights:
            axes.bar(
                places, heights.values(), BAR_WIDTH, label=name, color=COLOURS[name]
            )
    if field == "service_cpu_ms":
        floor = found[0, FLOOR, "floor"].service_cpu_ms
        axes.axhline(floor, color=COLOURS[FLOOR], linestyle="--", label=FLOOR)
    axes.set_xticks(range(len(OPERATIONS)), OPERATIONS)
    axes.set_ylabel(label)
    axes.legend()
    return figure


def _heights(found: Medians, name: str, field: str) -> dict[str, float]:
    """The contestant's figure for each operation that has one."""
    figures = {of: getattr(found.get((0, name, of)), field, None) for of in OPERATIONS}
    return {of: figure for of, figure in figures.items() if figure is not None}


def _lines(found: Medians) -> Figure:
    """p50 by the delay, a panel for each operation."""
    figure = Figure(figsize=(12, 3), layout="constrained")
    panels = figure.subplots(1, len(WITH_DELAY), sharey=True)
    for axes, operation in zip(panels, WITH_DELAY, strict=True):
        for name in (SERVICE, FASTAPI):
            _line(axes, found, name, operation)
        axes.set_title(operation)
        axes.set_xlabel("round trip, ms")
        axes.set_xlim(left=0)
    panels[0].set_ylabel("p50, ms")
    panels[0].set_ylim(bottom=0)
    panels[0].legend()
    return figure


def _line(axes: Axes, found: Medians, name: str, operation: str) -> None:
    delays = sorted({delay for delay, _, _ in found if delay})
    heights = [found[delay, name, operation].p50_ms for delay in delays]
    axes.plot(delays, heights, marker="o", label=name, color=COLOURS[name])
