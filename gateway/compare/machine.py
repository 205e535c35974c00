"""The machine that a comparison was started on, for its record."""

from __future__ import annotations

import os
import platform

from gateway.compare.record import Machine
from gateway.version import __version__


def this_machine() -> Machine:
    """Return what the record says of this machine."""
    return Machine(
        system=f"{platform.system()} {platform.release()}".strip(),
        processors=os.cpu_count() or 1,
        memory_bytes=_memory_bytes(),
        python=platform.python_version(),
        gateway=__version__,
    )


def _memory_bytes() -> int:
    """Return the bytes of memory of the machine, or 0 where the system does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):  # another system than Linux and macOS
        return 0
