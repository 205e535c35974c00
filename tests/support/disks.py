"""Whether tests can have a file system of their own, to fill it."""

from __future__ import annotations

import shutil
import subprocess


def can_mount() -> bool:
    """Return whether this machine lets a process mount a file system that it alone sees."""
    unshare = shutil.which("unshare")
    return unshare is not None and subprocess.run([unshare, "-rm", "true"], check=False).returncode == 0
