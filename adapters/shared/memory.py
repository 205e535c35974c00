"""Finds out how much memory this process may still use."""

from __future__ import annotations

import math
import resource
from pathlib import Path

from gateway.resources import machine_memory_bytes

_CGROUP_FILES = (
    # (limit, usage): version 2, then version 1
    ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory.current"),
    ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "/sys/fs/cgroup/memory/memory.usage_in_bytes"),
)
_RESERVE = 64 * 2**20


def available_bytes() -> int:
    """Return how many bytes a run may allocate: the least of what machine, container and process allow.

    A small reserve stays free for everything that is not the state.
    """
    return max(min([_machine(), *_container(), *_process()]) - _RESERVE, 0)


def given_bytes(memory_bytes: int | None) -> float:
    """Return how much of the memory that a run may use is left for the state; infinite if there is no limit."""
    return math.inf if memory_bytes is None else max(memory_bytes - _RESERVE, 0)


def _machine() -> int:
    for line in _text_of("/proc/meminfo").splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return machine_memory_bytes()


def _container() -> list[int]:
    for limit_file, usage_file in _CGROUP_FILES:
        limit, usage = _text_of(limit_file).strip(), _text_of(usage_file).strip()
        if limit.isdigit() and usage.isdigit():
            return [int(limit) - int(usage)]
    return []


def _process() -> list[int]:
    limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return [limit for limit in limits if limit != resource.RLIM_INFINITY]


def _text_of(path: str) -> str:
    try:
        return Path(path).read_text(encoding="ascii")
    except OSError:
        return ""
