"""The cost of the user's counter: writers of one user, and writers of a user each.

    python -m benchmarks.contention [WRITERS]

pgbench sends the service's own toggle. One user's writes follow each other, because
each locks the user's row; those of different users do not.
"""

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from sqlalchemy import URL

from benchmarks.growth import fill, name_of
from benchmarks.operations import make_app
from benchmarks.postgres import as_libpq_environ
from todo_service.database import embedded
from todo_service.database.driver import for_driver
from todo_service.tasks.queries import TOGGLE_TASK

SECONDS = 5
TASKS = 100


def main() -> None:
    """Print how many changes a second there are."""
    writers = int(sys.argv[1]) if len(sys.argv) > 1 else 32
    with tempfile.TemporaryDirectory(prefix="todo") as folder:
        app = make_app(embedded.start(Path(folder)))
        url = app.extensions["database"].url
        fill(url, [TASKS + number for number in range(writers)])
        for who, users in (("one user", 1), ("a user each", writers)):
            script = Path(folder) / "toggle.sql"
            script.write_text(toggle(users))
            found = per_second(url, script, writers)
            print(f"{writers} writers, {who}: {found:,.0f} changes a second")
        app.extensions["database"].engine.dispose()


def toggle(users: int) -> str:
    """pgbench's script: the toggle of any task of one of these users."""
    owner = name_of(TASKS).replace(str(TASKS), ":size")
    values = {"owner": f"'{owner}'", "any_version": "true", "match": "'{}'"}
    values["task"] = "(lpad(to_hex(:task), 8, '0') || '-0000-7000-8000-000000000000')"
    return "\n".join(
        [
            rf"\set size {TASKS} + random(0, {users - 1})",
            rf"\set task random(1, {TASKS})",
            " ".join((for_driver(TOGGLE_TASK).plain % values).split()) + ";",
        ]
    )


def per_second(url: URL, script: Path, writers: int) -> float:
    """The transactions a second that pgbench reports."""
    command = ["pgbench", "--no-vacuum", "--protocol=simple", "--jobs=2"]
    command += [f"--client={writers}", f"--time={SECONDS}", f"--file={script}"]
    environ = os.environ | as_libpq_environ(url)
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, check=True
    )
    (found,) = re.findall(r"^tps = ([\d.]+)", done.stdout, re.MULTILINE)
    return float(found)


if __name__ == "__main__":
    main()
