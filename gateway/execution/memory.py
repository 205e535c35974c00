"""Memory of worker processes: a ceiling for each, and whether the kernel killed one for want of it."""

from __future__ import annotations

import contextlib
import resource
from pathlib import Path

_EVENTS = (
    # (file, field): cgroup version 2, version 1, the whole machine
    ("/sys/fs/cgroup/memory.events", "oom_kill"),
    ("/sys/fs/cgroup/memory/memory.oom_control", "oom_kill"),
    ("/proc/vmstat", "oom_kill"),
)


class KillsForMemory:
    """Says whether the kernel has killed a process for want of memory since it was asked last."""

    def __init__(self) -> None:
        self._seen = _kills()

    def happened(self) -> bool:
        """Whether there was one since the last call."""
        before, self._seen = self._seen, _kills()
        return self._seen > before


def _kills() -> int:
    for path, field in _EVENTS:
        with contextlib.suppress(OSError, ValueError):
            for line in Path(path).read_text(encoding="ascii").splitlines():
                name, _, count = line.partition(" ")
                if name == field:
                    return int(count)
    return 0


def offer_to_the_killer() -> None:
    """Ask the kernel to take this process first when memory runs out, so that the server lives."""
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def set_ceiling(memory_bytes: int | None) -> None:
    """Let allocations beyond so many bytes fail in this process; ``None`` sets no ceiling."""
    if memory_bytes is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (memory_bytes, memory_bytes))
