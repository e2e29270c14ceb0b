"""How the workers of one gunicorn share their numbers: files in one folder.

prometheus-client lets each process write files of its own, and reads all of them for a
scrape. It names them by process ids, so that each worker that is replaced would leave
files behind for ever. Here a file is named by a place: a small number that is locked
while its process lives. The next process continues it, and counters never go back. The
system frees the lock, however a process ends.
"""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from itertools import count
from pathlib import Path
from typing import IO

from prometheus_client import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

if sys.platform != "win32":
    import fcntl

# The name is prometheus-client's.
VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
PREFIX = "todo-metrics-"


def provide(parent: str | None) -> None:
    """Make the folder and name it in the environment, unless it is named already."""
    if VARIABLE not in os.environ:
        os.environ[VARIABLE] = tempfile.mkdtemp(prefix=PREFIX, dir=parent)


def remove() -> None:
    """Remove the folder, if it was made here."""
    folder = Path(os.environ.get(VARIABLE, ""))
    if folder.name.startswith(PREFIX):
        shutil.rmtree(folder, ignore_errors=True)


class Places(Collector):
    """The places in a folder. A process takes the first that is free."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._process = 0
        self._number = 0
        self._held: IO | None = None

    def own(self) -> int:
        """The place of this process, taken at the first call; anew after a fork."""
        if self._process != os.getpid():
            self._process = os.getpid()
            self._number = next(filter(self._take, count()))
        return self._number

    def collect(self) -> Iterable[Metric]:
        """What all processes have counted, for a registry of prometheus-client."""
        made = [str(each) for each in self.folder.glob("*.db") if _is_made(each)]
        return MultiProcessCollector.merge(made)

    def forget_dead(self) -> None:
        """Remove what no longer holds of processes that have ended: their gauges."""
        for path in self.folder.glob("*.lock"):
            with path.open("ab") as file:
                if _lock(file):
                    mark_process_dead(path.stem, str(self.folder))

    def _take(self, number: int) -> bool:
        """True if the place was free. The lock lasts as long as its file is open."""
        file = (self.folder / f"{number}.lock").open("ab")
        if not _lock(file):
            file.close()
            return False
        mark_process_dead(number, str(self.folder))
        self._held = file
        return True


def _is_made(path: Path) -> bool:
    """True if the file can be read: prometheus-client makes it empty, then longer."""
    try:
        return path.stat().st_size > 0
    except FileNotFoundError:  # the gauges of a process that has ended
        return False


def _lock(file: IO) -> bool:
    """True if nobody else holds the file. The lock ends when the file is closed."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
