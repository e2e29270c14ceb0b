"""The benchmark: this service beside FastAPI + SQLModel, and beside what they stand on.

    pip install -e '.[dev,bench]'; apt install wrk postgresql-contrib
    python -m benchmarks --plots

Starts PostgreSQL and the contestants, loads users and tasks, drives one operation after
the other with wrk, and prints what a request costs. `--quick` shows in a minute whether
all of it works; its figures mean little. Whatever it starts ends with it.
"""

import argparse
import json
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import load, machine, postgres, report, results
from benchmarks.options import parse
from benchmarks.progress import say
from benchmarks.rounds import Measurement
from benchmarks.stages import measure, measure_at_a_distance


def main() -> None:
    """Measure what the command line asks for; print it, write it down."""
    options = parse(__doc__)
    machine.require(plots=options.plots)
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, stop)
    options.out.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        scratch = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        say("Starting PostgreSQL")
        server = stack.enter_context(postgres.server(options.server))
        url = stack.enter_context(postgres.database(server))
        say(f"Loading {options.users} users with {options.tasks} tasks each")
        load.fill(url, users=options.users, tasks=options.tasks, scratch=scratch)
        load.write_tokens(scratch / "tokens", options.users)
        where = machine.describe(url)
        measured: list[Measurement] = []
        for ms in options.delay:
            chosen = measure_at_a_distance if ms else measure
            measured += chosen(options, url, scratch, ms)
    write(options, where, measured)


def stop(number: int, frame: object) -> None:
    """End what was started; a second Ctrl-C does not disturb that."""
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    sys.exit("Stopped before the end.")


def write(
    options: argparse.Namespace, where: dict, measured: Sequence[Measurement]
) -> None:
    """Print the tables, and write all results into the output folder."""
    tables = report.markdown(measured)
    print(f"\n{tables}")
    asked = {name: str(value) for name, value in vars(options).items()}
    asked.pop("server")  # it may hold a password
    record = {"machine": where, "options": asked} | results.as_json(measured)
    (options.out / "results.json").write_text(json.dumps(record, indent=1))
    (options.out / "results.md").write_text(tables)
    if options.plots:
        from benchmarks import plots  # matplotlib is needed for nothing else

        plots.draw(results.medians(measured), options.out)
    say(f"Written to {options.out}")


if __name__ == "__main__":
    main()
