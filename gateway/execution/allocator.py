"""What glibc does with freed memory: a worker keeps it for its next run, the process that takes requests returns it.

With another C library both do nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import threading
import time
from collections.abc import Callable

RETURN_EVERY_S = 5.0

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8
_MIB = 2**20


def keep_freed_memory() -> None:
    """Ask glibc not to hand freed memory back to the system after each run.

    Simulators allocate large tables for every circuit; touching fresh pages costs decision diagrams
    3 ms a run, ten times the simulation of a small circuit.
    """
    with contextlib.suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_MMAP_THRESHOLD, 32 * _MIB)  # the largest there is
        libc.mallopt(_M_TRIM_THRESHOLD, 128 * _MIB)


def return_freed_memory() -> None:
    """Ask glibc to hand freed memory back to the system, now and from time to time, and free what is garbage before.

    Without this, each of many threads leaves behind a heap with holes of its own. A heap is shrunk at its end only, and
    glibc would put ever larger pieces into it. Connections are garbage in cycles, with pieces of large answers in them;
    Python looks for such only while much is allocated, so that after a rush it would keep them.
    """
    with contextlib.suppress(AttributeError, OSError):  # another C library
        libc = ctypes.CDLL(None)
        libc.mallopt(_M_ARENA_MAX, 2)
        libc.mallopt(_M_MMAP_THRESHOLD, 4 * _MIB)
        libc.mallopt(_M_TRIM_THRESHOLD, 8 * _MIB)
        threading.Thread(target=_trim, args=(libc.malloc_trim,), name="gateway-memory", daemon=True).start()


def _trim(malloc_trim: Callable[[int], int]) -> None:
    while True:
        time.sleep(RETURN_EVERY_S)
        gc.collect()
        malloc_trim(0)
