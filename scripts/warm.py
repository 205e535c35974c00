"""Imports all modules that servers and commands need, so that Python writes their byte code.

Without byte code, the first start of a server takes three times as long.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
OURS = ("gateway.cli.commands", "gateway.backends.local")
SERVER = ("gunicorn", "flask", "sqlalchemy", "gateway.server.host", "gateway.server.http.app", "gateway.jobs.manager")
"""The modules that a server imports. A machine that only calls servers lacks the packages at the front."""


def main() -> int:
    """Import the modules of each line in a process of its own, unless some are not installed in this environment."""
    from gateway.simulators import SIMULATORS

    lines = [OURS, SERVER, *(row.warm for row in SIMULATORS.values())]
    for modules in lines:
        if all(importlib.util.find_spec(name.partition(".")[0]) for name in modules):
            statement = "".join(f"import {name}\n" for name in modules)
            subprocess.run([sys.executable, "-W", "ignore", "-c", statement], cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
