"""The machine that a comparison was started on, for its record."""

from __future__ import annotations

import os
import platform

from gateway.compare.record import Machine
from gateway.resources import machine_memory_bytes
from gateway.version import __version__


def this_machine() -> Machine:
    """Return what the record says of this machine."""
    return Machine(
        system=f"{platform.system()} {platform.release()}".strip(),
        processors=os.cpu_count() or 1,
        memory_bytes=machine_memory_bytes(),
        python=platform.python_version(),
        gateway=__version__,
    )
