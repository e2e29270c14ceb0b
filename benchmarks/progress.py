"""What the benchmark says on the terminal while it works."""

import time
from collections.abc import Iterable, Iterator

from benchmarks import report
from benchmarks.rounds import Measurement

BEGAN = time.monotonic()


def told(measurements: Iterable[Measurement]) -> Iterator[Measurement]:
    """The same, each printed as it comes."""
    for each in measurements:
        say(f"  {report.line(each)}")
        yield each


def say(text: str) -> None:
    """Print a line of progress, with the seconds since the start."""
    print(f"{time.monotonic() - BEGAN:5.0f} s  {text}", flush=True)
