"""Runs the conformance suite for each simulator with the newest versions of its packages.

The bounds of the registry are ignored. Each simulator gets an environment of its own, ``.environments/newest-NAME``.
The output is a report, and the exit status is 0 whatever it says.
"""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
UV = str(ROOT / ".venv/bin/uv")
HEAD = ("simulator", "package", "locked", "newest", "verdict")
_MAX_LENGTH = 100


def main() -> int:
    """Print a line for each simulator that the command line names, or for all."""
    from gateway.simulators import SIMULATORS, find

    rows = [find(name) for name in sys.argv[1:]] or list(SIMULATORS.values())
    print("{:<12} {:<16} {:<12} {:<12} {}".format(*HEAD))
    for row in rows:
        requires = [re.split(r"[<>=!~; ]", requirement, maxsplit=1)[0] for requirement in row.requires]
        newest, verdict = judge(row.name, row.distribution, requires)
        print(
            f"{row.name:<12} {row.distribution:<16} {row.installed_version() or '-':<12} {newest:<12} {verdict}",
            flush=True,
        )
    return 0


def judge(name: str, distribution: str, requires: list[str]) -> tuple[str, str]:
    """Return the newest version that can be installed, and the verdict of the conformance suite about it."""
    home = ROOT / f".environments/newest-{name}"
    python = str(home / "bin/python")
    run(UV, "venv", "-q", "--clear", "--python", sys.executable, str(home))
    ours = ["-e", f"{ROOT}[server,test]"]
    process = run(UV, "pip", "install", "-q", "--python", python, *ours, *requires)
    if process.returncode:
        return "-", f"does not install: {_last_line(process.stderr)}"
    statement = f"from importlib.metadata import version; print(version({distribution!r}))"
    newest = run(python, "-c", statement).stdout.strip()
    process = run(python, "-m", "pytest", "-q", "--tb=line", "tests/conformance", "--target", name)
    if process.returncode == 0:
        return newest, f"keeps the contract: {_last_line(process.stdout)}"
    return newest, f"BREAKS: {_first_error(process.stdout)} ({_last_line(process.stdout)})"


def run(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a command in the root of the project and return what it printed."""
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["nothing was printed"])[-1].strip("= ")[:_MAX_LENGTH]


def _first_error(text: str) -> str:
    error = re.search(
        r"^(?:E  +)?([\w.]*(?:Error|Exception|Warning)\b.*)$|^.*?: (\w*(?:Error|Warning)\b.*)$", text, re.MULTILINE
    )
    return (error[0] if error else _last_line(text)).strip()[:_MAX_LENGTH]


if __name__ == "__main__":
    sys.exit(main())
