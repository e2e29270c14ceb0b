"""Drives a contestant with wrk."""

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contestants import PARTS_COUNT, Contestant

SCRIPT = Path(__file__).with_name("requests.lua")
THREADS = 2
WARM_UP_SECONDS = 2


@dataclass(frozen=True)
class Load:
    """What wrk has measured."""

    requests: int
    seconds: float
    errors: int
    p50_ms: float
    p99_ms: float
    p999_ms: float


@dataclass(frozen=True)
class Driver:
    """How to drive: over how many connections, and whose tasks are asked for."""

    connections: int
    tokens: Path
    tasks: int

    def warm_up(self, contestant: Contestant, operation: str, seconds: int) -> None:
        """Fill caches and pools: not longer than the measurement that follows."""
        seconds = min(seconds, WARM_UP_SECONDS)
        self.drive(contestant, operation, seconds=seconds, seed=0)

    def drive(
        self, contestant: Contestant, operation: str, *, seconds: int, seed: int
    ) -> Load:
        """Send one operation as fast as the connections allow. A seed is a choice."""
        done = subprocess.run(
            [
                "wrk",
                f"--threads={THREADS}",
                f"--connections={self.connections}",
                f"--duration={seconds}s",
                "--timeout=30s",
                f"--script={SCRIPT}",
                f"http://127.0.0.1:{contestant.port}",
                "--",
                *(operation, str(seed), str(self.tokens), str(self.tasks)),
                *(str(contestant.part), str(PARTS_COUNT)),
            ],
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
        return Load(**json.loads(done.stdout.splitlines()[-1]))
