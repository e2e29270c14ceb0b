"""Bare statements through pgbench: what PostgreSQL itself takes for a get and a toggle.

The same table and indexes; unprepared, as psycopg2 sends them; one statement is one
transaction. They come at the rate at which the service sends its own: at full speed
pgbench finds every cache warm and every process awake, and a statement takes half.
"""

import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks import load
from benchmarks.contestants import BARE, PARTS, PARTS_COUNT

THREADS = 2
COLUMNS = (
    "id, user_id, title, description, completed, priority, due_at, position,"
    " tags, version, completed_at, created_at, updated_at"
)
STATEMENTS = {
    "get": f"SELECT {COLUMNS} FROM tasks WHERE {{one}}",
    "toggle": "UPDATE tasks SET completed = NOT completed, version = version + 1,"
    " completed_at = CASE WHEN completed THEN NULL ELSE clock_timestamp() END,"
    f" updated_at = clock_timestamp() WHERE {{one}} RETURNING {COLUMNS}",
}
# pgbench puts the numbers into the text, inside of the quotes too.
ONE = (
    f"user_id = '{load.USER_PREFIX}:user_number'"
    f" AND id = '{load.TASK_PREFIX}:task_number' AND deleted_at IS NULL"
)


@dataclass(frozen=True)
class Bench:
    """Where to run statements, over how many connections, and on whose tasks."""

    environ: Mapping[str, str]
    folder: Path
    connections: int
    users: int
    tasks: int

    def run(self, operation: str, *, seconds: int, per_second: float) -> int:
        """Run the operation's statement for some seconds; return how often it ran."""
        script = self.folder / f"{operation}.sql"
        script.write_text(self._script(operation))
        command = [
            *("pgbench", "--no-vacuum", "--protocol=simple", f"--jobs={THREADS}"),
            *(f"--client={self.connections}", f"--time={seconds}", f"--file={script}"),
            f"--rate={per_second:.0f}",
        ]
        done = subprocess.run(
            command, env=dict(self.environ), capture_output=True, text=True, check=True
        )
        counted = re.search(r"actually processed: (\d+)", done.stdout)
        failed = re.search(r"failed transactions: 0 ", done.stdout)
        if not counted or not failed:
            raise RuntimeError(f"pgbench failed: {done.stdout}{done.stderr}")
        return int(counted[1])

    def _script(self, operation: str) -> str:
        last = (self.users - 1 - PARTS[BARE]) // PARTS_COUNT
        return "\n".join(
            [
                f"\\set user {PARTS[BARE]} + {PARTS_COUNT} * random(0, {last})",
                f"\\set user_number {load.USER_OFFSET} + :user",
                f"\\set task_number {load.TASK_OFFSET} + :user * {load.TASKS_AT_MOST}"
                f" + random(1, {self.tasks})",
                STATEMENTS[operation].format(one=ONE) + ";",
            ]
        )
