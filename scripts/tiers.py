"""Runs the checks and the tests in tiers, the cheap ones first, and prints what ran, how many tests and how long.

``scripts/test`` runs all tiers, ``scripts/test --quick`` only the checks and the quick tests. After a quick tier has
failed no other runs, and the table at the end names those that did not run; a slow one that has failed keeps no other
from running, so that one long run shows all that is wrong.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
PYTEST = [".venv/bin/python", "-m", "pytest"]
TWO_AT_ONCE = ["-p", "xdist.plugin", "--numprocesses", "2", "--dist", "loadfile"]
"""Options for independent tests: each file, with the servers that it starts, runs in one of two processes."""

_TOTALS = re.compile(r"^=*\s*((?:\d+ \w+(?:, )?)+) in [\d.]+s", re.MULTILINE)
_NO_ENGINE = "left out: no container engine answers"
_NO_BROWSER = "left out: no chromium, and only root can install it; scripts/browser says how"


class Tier(NamedTuple):
    """A group of commands that run one after the other; without any, the reason why it is left out."""

    name: str
    commands: list[list[str]]
    is_quick: bool = False
    left_out: str = ""


class Outcome(NamedTuple):
    """The result of a tier."""

    name: str
    tests: str
    seconds: float
    failed: bool


def tiers() -> list[Tier]:
    """Return all tiers in the order in which they are run."""
    docker = [[*PYTEST, "-m", "docker"], [*PYTEST, "tests/conformance", "--through", "docker"]]
    page = [["scripts/browser"], [*PYTEST, *TWO_AT_ONCE, "-m", "page"], ["scripts/screenshots"]]
    return [
        Tier("checks", [["scripts/check"]], is_quick=True),
        Tier("quick", [[*PYTEST, *TWO_AT_ONCE, "-m", "not slow"]], is_quick=True),
        Tier("servers", [[*PYTEST, *TWO_AT_ONCE, "-m", "slow and not (docker or faults or page or siege or soak)"]]),
        Tier("faults", [[*PYTEST, "-m", "faults or siege or soak"]]),
        Tier("page", page if _has_browser() else [], left_out=_NO_BROWSER),
        Tier("docker", docker if _has_engine() else [], left_out=_NO_ENGINE),
        Tier("groups", [_in_group(lock) for lock in sorted(ROOT.glob("requirements-dev-*.lock"))]),
        Tier("hosts", [["scripts/hosts", "--newest"]]),
        Tier("integrations", [["scripts/integrations"]]),
    ]


def _has_engine() -> bool:
    """Return whether the container tests run; in CI they always do, and fail without an engine."""
    if os.environ.get("CI") == "true":
        return True
    return (
        shutil.which("docker") is not None
        and not subprocess.run(["docker", "info"], capture_output=True, check=False).returncode
    )


def _has_browser() -> bool:
    """Return whether the tests of the page run; in CI they always do, and fail without a browser."""
    return os.environ.get("CI") == "true" or os.geteuid() == 0 or shutil.which("chromium") is not None


def _in_group(lock: Path) -> list[str]:
    """Return the command that runs the tests which need the environment of another group of simulators."""
    python = f".environments/{lock.stem.removeprefix('requirements-dev-')}/bin/python"
    return [python, "-m", "pytest", "tests/conformance", "tests/unit/adapters", "tests/unit/frameworks"]


def run(tier: Tier) -> Outcome:
    """Run a tier until its end or the first command that fails."""
    if not tier.commands:
        return Outcome(tier.name, tier.left_out, 0.0, failed=False)
    start, totals, failed = time.monotonic(), [], False
    for command in tier.commands:
        print(f"\n== {tier.name}: {' '.join(command)}", flush=True)
        status, output = _run_command(command)
        totals += _TOTALS.findall(output)
        if status:
            failed = True
            break
    return Outcome(tier.name, "; ".join(totals), time.monotonic() - start, failed)


def _run_command(command: list[str]) -> tuple[int, str]:
    """Run a command, print its output, and return its exit status and its last lines."""
    lines: list[str] = []
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    ) as process:
        assert process.stdout is not None  # noqa: S101 - it was asked for as a pipe
        for line in process.stdout:
            print(line, end="", flush=True)
            lines = [*lines[-200:], line]
    return process.returncode, "".join(lines)


def table(outcomes: list[Outcome], remaining: list[Tier]) -> str:
    """Return a line for each tier that ran, and for each that did not."""
    rows = [
        f"{outcome.name:<13}{outcome.seconds:>6.0f} s  {'FAILED' if outcome.failed else 'passed'}  {outcome.tests}"
        for outcome in outcomes
    ]
    return "\n".join(["", *rows, *(f"{tier.name:<13}{'':>8}  not run" for tier in remaining)])


def main(words: list[str]) -> int:
    """Run the tiers that the arguments select."""
    remaining = [tier for tier in tiers() if tier.is_quick or "--quick" not in words]
    outcomes: list[Outcome] = []
    while remaining:
        tier = remaining.pop(0)
        outcomes.append(run(tier))
        if tier.is_quick and outcomes[-1].failed:
            break
    print(table(outcomes, remaining))
    return int(any(outcome.failed for outcome in outcomes))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
