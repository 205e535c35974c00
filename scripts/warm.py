"""Import once what servers and commands import, so that Python leaves byte code of it.

Without any, the first start of a server takes three times as long.
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
"""What a server imports, its packages first: a host that only calls servers has none of them."""


def main() -> int:
    """Import in a process each, as servers do; what is not installed in this environment is left out."""
    from gateway.simulators import SIMULATORS

    lines = [OURS, SERVER, *(row.warm for row in SIMULATORS.values())]
    for modules in lines:
        if all(importlib.util.find_spec(name.partition(".")[0]) for name in modules):
            statement = "".join(f"import {name}\n" for name in modules)
            subprocess.run([sys.executable, "-W", "ignore", "-c", statement], cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
