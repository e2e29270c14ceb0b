"""How many cores this process may use."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

MEMBERSHIP = Path("/proc/self/cgroup")
CGROUPS = Path("/sys/fs/cgroup")


def available(membership: Path = MEMBERSHIP, cgroups: Path = CGROUPS) -> int:
    """The cores that affinity and the quotas of the cgroups leave, rounded up.

    Python counts the machine's cores, also in a container that may use half a core. See
    the kernel's `cpu.max` (cgroup v2) and `cpu.cfs_quota_us` (v1).
    """
    if hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:  # macOS, Windows
        cores = os.cpu_count() or 1
    return math.ceil(min([cores, *_quotas(membership, cgroups)]))


def _quotas(membership: Path, cgroups: Path) -> Iterator[float]:
    """The quotas of this process's cgroups, and of those around them."""
    lines = membership.read_text().splitlines() if membership.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        mount = cgroups / "cpu" if controllers else cgroups
        here = mount / path.lstrip("/")
        # A container may see the path on its host. Then only the mount itself is here.
        for folder in (here, *here.parents):
            if folder.is_relative_to(mount):
                yield from _quota(folder)


def _quota(folder: Path) -> Iterator[float]:
    """The quota of one cgroup in cores, if it has one."""
    if (folder / "cpu.max").exists():
        quota, period = (folder / "cpu.max").read_text().split()
    elif (folder / "cpu.cfs_quota_us").exists():
        quota = (folder / "cpu.cfs_quota_us").read_text()
        period = (folder / "cpu.cfs_period_us").read_text()
    else:
        return
    if quota != "max" and int(quota) > 0:
        yield int(quota) / int(period)
