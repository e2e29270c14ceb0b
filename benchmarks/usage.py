"""What a tree of processes has used: seconds of CPU, megabytes of memory."""

from contextlib import suppress

import psutil


def cpu_seconds(root: int) -> float:
    """The CPU of a process and all its descendants, of those that have ended too."""
    return sum(_cpu_seconds(process) for process in _tree(root))


def memory_megabytes(root: int) -> float:
    """The resident memory of a process and all its descendants.

    What they share is counted once, where the system tells (Linux: PSS).
    """
    return sum(_memory_bytes(process) for process in _tree(root)) / 2**20


def _tree(root: int) -> list[psutil.Process]:
    process = psutil.Process(root)
    return [process, *process.children(recursive=True)]


def _cpu_seconds(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        ended = times.children_user + times.children_system
        return times.user + times.system + ended
    return 0.0


def _memory_bytes(process: psutil.Process) -> int:
    with suppress(psutil.NoSuchProcess):
        found = process.memory_full_info()
        return getattr(found, "pss", found.rss)
    return 0
