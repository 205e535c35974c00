"""Repeat tests and count which fail: ``scripts/flaky [-n ROUNDS] [--idle] [PATH...]``.

During every other round a busy loop runs on each processor, so that tests which depend on speed fail more often.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SUITES = ["tests/faults", "tests/server", "tests/docker"]
_NO_TESTS_FAILED = (0, 1)


def main(words: list[str]) -> int:
    """Run the rounds, print the table, and return 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="scripts/flaky", description="Repeat tests and count which fail.")
    parser.add_argument("-n", "--rounds", type=int, default=20, help="how often each suite is run; 20 by default")
    parser.add_argument("--idle", action="store_true", help="run all rounds without load")
    parser.add_argument("paths", nargs="*", help=f"the tests to repeat; by default {' '.join(SUITES)}")
    arguments = parser.parse_args(words)
    if arguments.rounds < 1:
        parser.error("at least one round is needed")
    failures: Counter[str] = Counter()
    tests = 0
    for number in range(arguments.rounds):
        under_load = bool(number % 2) and not arguments.idle
        with load() if under_load else contextlib.nullcontext():
            test_count, failed = one_round(arguments.paths or SUITES)
        tests += test_count
        failures.update(failed)
        where = " under load" if under_load else ""
        print(f"round {number + 1} of {arguments.rounds}{where}: {test_count} ran, {len(failed)} failed", flush=True)
    print(table(failures, arguments.rounds, tests))
    return int(bool(failures) or not tests)


@contextlib.contextmanager
def load() -> Iterator[None]:
    """Keep every processor busy."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(os.cpu_count() or 1)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def one_round(paths: list[str]) -> tuple[int, list[str]]:
    """Run the tests once, and return how many ran and the names of those that failed."""
    with tempfile.TemporaryDirectory() as folder:
        report, log = Path(folder) / "report.xml", Path(folder) / "log"
        with log.open("wb") as output:
            status = subprocess.run(
                [sys.executable, "-m", "pytest", "-q", f"--junit-xml={report}", *paths],
                cwd=ROOT, stdout=output, stderr=subprocess.STDOUT, check=False,
            ).returncode  # fmt: skip
        text = log.read_text(encoding="utf-8", errors="replace")
        if status not in _NO_TESTS_FAILED or not report.exists():
            raise SystemExit(f"{text[-5000:]}\nflaky: pytest ended with status {status}")
        cases = list(ET.parse(report).getroot().iter("testcase"))  # noqa: S314 - pytest wrote it
        failed = [_name(case) for case in cases if case.find("failure") is not None or case.find("error") is not None]
        if failed:
            print(text[-5000:], flush=True)
    return len([case for case in cases if case.find("skipped") is None]), failed


def _name(case: ET.Element) -> str:
    return f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"


def table(failures: Counter[str], rounds: int, tests: int) -> str:
    """Return a line for each test that failed, with the number of its failures."""
    lines = [f"{count:>4} of {rounds}  {name}" for name, count in failures.most_common()]
    return "\n".join([f"flaky: {rounds} rounds, {tests} tests ran, {failures.total()} failures", *lines])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
