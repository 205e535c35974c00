"""The memory that runs may use without a server: what the system has free, and what a variable allows."""

from __future__ import annotations

import math
import resource

from gateway.claims import ACCOUNT
from gateway.free_memory import free_bytes
from gateway.resources import memory_of_environment

RESERVE = 64 * 2**20
"""What stays free for everything that is not counted: small objects, modules that a run imports, rounding."""


def available_bytes() -> int:
    """Return how many bytes a run may hold: the least of what machine, container, process and variable allow.

    What other runs of ours hold counts as available, since they end: whether a run has to wait for them is decided when
    it claims its memory. A small reserve stays free for everything that is not counted.

    Raises:
        RequestError: the variable ``GATEWAY_MEMORY_BYTES`` is not a size.
    """
    variable = memory_of_environment()
    free = min([free_bytes() + ACCOUNT.grown(), *_process()])
    return int(min(max(free - RESERVE, 0), given_bytes(variable)))


def unclaimed_bytes() -> int:
    """Return how many bytes machine and container have free now, less the reserve."""
    return max(free_bytes() - RESERVE, 0)


def given_bytes(memory_bytes: int | None) -> float:
    """Return how much of the memory that a run may use is left for what is counted; infinite if there is no limit."""
    return math.inf if memory_bytes is None else max(memory_bytes - RESERVE, 0)


def _process() -> list[int]:
    limits = (resource.getrlimit(kind)[0] for kind in (resource.RLIMIT_AS, resource.RLIMIT_DATA))
    return [limit for limit in limits if limit != resource.RLIM_INFINITY]
