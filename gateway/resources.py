"""The threads and the memory of the machine that one run may use."""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import msgspec
from msgspec import Meta

from gateway.errors import RequestError
from gateway.units import parse_bytes

LEAST_MEMORY = 64 * 2**20
"""The least memory of a run, in bytes: an adapter keeps as much free for everything that is not the state."""

MEMORY_VARIABLE = "GATEWAY_MEMORY_BYTES"
"""The variable of the environment with the memory of a run, where nothing else gives it."""

_LOADER_FAILURES = ("cannot map zero-fill pages", "failed to map segment", "cannot allocate memory")
"""What the dynamic loader says when memory runs out while it loads a library."""


def machine_memory_bytes() -> int:
    """Return the memory of this machine in bytes; where the system does not say, more than any machine has."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # another system than Linux and macOS
        return sys.maxsize


class Resources(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The threads and the memory that one run may use; a server with several workers runs several circuits at a time.

    Args:
        threads: the number of threads; a simulator that cannot use several threads runs with one.
        memory: a number of bytes, or a text such as ``"2g"``, which becomes bytes; ``None`` for the memory of the
            machine. A run whose state would not fit is refused before the state is allocated, and a run that
            allocates more memory than this fails.

    Raises:
        RequestError: the number of threads is below one, or the memory is not a size or below :data:`LEAST_MEMORY`.
    """

    threads: Annotated[
        int,
        Meta(
            ge=1,
            description="threads of one run, where the simulator can use several",
            extra={"flag": "--threads", "variable": "GATEWAY_THREADS", "metavar": "NUMBER"},
        ),
    ] = 1
    memory: Annotated[
        int | str | None,
        Meta(
            description="memory of one run, in bytes or with a unit such as 2g; by default that of the machine",
            extra={"flag": "--memory", "variable": MEMORY_VARIABLE, "metavar": "SIZE"},
        ),
    ] = None

    def __post_init__(self) -> None:
        if isinstance(self.threads, bool) or not isinstance(self.threads, int) or self.threads < 1:
            raise RequestError(f"threads must be an integer of at least 1, not {self.threads!r}", field="threads")
        if self.memory is not None:
            msgspec.structs.force_setattr(self, "memory", parse_memory(self.memory))

    @property
    def memory_bytes(self) -> int | None:
        """The memory in bytes."""
        return None if self.memory is None else int(self.memory)


def parse_memory(memory: str | int, name: str = "memory") -> int:
    """Return the memory of a run in bytes.

    Raises:
        RequestError: it is not a size, or below :data:`LEAST_MEMORY`; the message calls it by ``name``.
    """
    memory_bytes = parse_bytes(memory, name)
    if memory_bytes < LEAST_MEMORY:
        raise RequestError(f"{name} must be at least {LEAST_MEMORY // 2**20}m, not {memory!r}", field=name)
    return memory_bytes


def memory_of_environment() -> int | None:
    """Return the memory of a run that the variable :data:`MEMORY_VARIABLE` gives, ``None`` where it is unset or empty.

    Raises:
        RequestError: the variable is not a size, or below :data:`LEAST_MEMORY`.
    """
    text = os.environ.get(MEMORY_VARIABLE, "")
    return parse_memory(text, MEMORY_VARIABLE) if text else None


def ran_out_of_memory(error: BaseException | None) -> bool:
    """Say whether an error, or one that caused it, means that memory ran out; importing a library may fail so too."""
    while error is not None:
        if isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM):
            return True
        if isinstance(error, ImportError) and any(text in str(error).lower() for text in _LOADER_FAILURES):
            return True
        error = error.__cause__ or error.__context__
    return False


def resources_of(threads: int | None, memory: str | int | None) -> Resources | None:
    """Return the resources that a backend's arguments ask for, ``None`` if both arguments are ``None``.

    Raises:
        RequestError: an argument has the wrong type, or is out of range.
    """
    if threads is None and memory is None:
        return None
    return Resources(threads=1 if threads is None else threads, memory=memory)
