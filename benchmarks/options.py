"""The command line of the benchmark."""

import argparse
import os
from collections.abc import Sequence
from pathlib import Path

from benchmarks.contestants import PARTS_COUNT
from benchmarks.load import TASKS_AT_MOST

SERVER = "BENCHMARK_DATABASE_URL"
DELAY = "round trips to the database; 0 measures everything, others the latencies"
DELAYS = [0, 1, 5, 20]
PROGRAM, AS_IS = "python -m benchmarks", argparse.RawDescriptionHelpFormatter
QUICK = {"users": 30, "tasks": 100, "rounds": 1, "seconds": 1, "delay": [0, 5]}


def parse(
    description: str | None, arguments: Sequence[str] | None = None
) -> argparse.Namespace:
    """The options. `--quick` changes the defaults of others, and yields to them."""
    parser = make_parser(description)
    if parser.parse_args(arguments).quick:
        parser.set_defaults(**QUICK)
    options = parser.parse_args(arguments)
    if options.users < PARTS_COUNT:
        parser.error(f"--users must be at least {PARTS_COUNT}: each contestant has own")
    if not 1 <= options.tasks < TASKS_AT_MOST:
        parser.error(f"--tasks must be from 1 to {TASKS_AT_MOST - 1}")
    return options


def make_parser(description: str | None) -> argparse.ArgumentParser:
    """The options, their defaults and what they mean."""
    parser = argparse.ArgumentParser(PROGRAM, None, description, formatter_class=AS_IS)
    add = parser.add_argument
    add("--quick", action="store_true", help="a minute, to see that all of it works")
    add("--users", type=int, default=1000, metavar="N")
    add("--tasks", type=int, default=1000, metavar="N", help="of each user")
    add("--rounds", type=int, default=5, metavar="N")
    add("--seconds", type=int, default=5, metavar="N", help="of each run")
    add("--connections", type=int, default=16, metavar="N", help="of wrk and pgbench")
    add("--delay", type=float, nargs="+", default=DELAYS, metavar="MS", help=DELAY)
    add("--delay-connections", type=int, default=4, metavar="N", help="with a delay")
    add("--server", default=os.environ.get(SERVER), metavar="URL", help=f"or {SERVER}")
    add("--out", type=Path, default=Path("build/benchmark"), metavar="FOLDER")
    add("--plots", action="store_true", help="draw them too; needs matplotlib")
    return parser
