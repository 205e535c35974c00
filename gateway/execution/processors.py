"""How many processors this process may use."""

from __future__ import annotations

import math
import os
from pathlib import Path

_QUOTAS = (
    # files with quota and period in microseconds: cgroup version 2 has both in one, version 1 in two
    ("/sys/fs/cgroup/cpu.max",),
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)


def usable() -> int:
    """Return the number of processors, as the system's affinity and the container's limit allow; at least one.

    A worker simulates with one thread, so this is how many workers do not fight each other.
    """
    return max(1, min(len(os.sched_getaffinity(0)), _container()))


def _container() -> int:
    for files in _QUOTAS:
        try:
            words = " ".join(Path(file).read_text(encoding="ascii") for file in files).split()
        except OSError:
            continue
        if len(words) == 2 and words[0].isdigit() and words[1].isdigit():  # noqa: PLR2004 - else "max" or -1: no limit
            return math.ceil(int(words[0]) / int(words[1]))
    return os.cpu_count() or 1
