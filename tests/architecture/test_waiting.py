"""Tests wait for conditions, by one helper; only tests/benchmarks measures how long things take."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
SOURCES = sorted(path for path in TESTS.rglob("*.py") if path.relative_to(TESTS).parts[0] != "benchmarks")
CLOCKS = {f"time.{name}" for name in ("time", "monotonic", "perf_counter", "process_time", "thread_time")}

ALLOWED = {
    "support/waiting.py": "the helper itself",
    "support/fake.py": "a simulator that sleeps on demand, and one whose import takes a second",
    "support/desk.py": "a desk that ends its process late, on demand",
    "support/leftovers.py": "functions that hang, and processes that stay, on demand",
    "support/vendor_files.py": "a vendor that stops answering on demand",
    "fuzz/test_api.py": "fuzzes for as long as it was told",
    "fuzz/test_parsers.py": "fuzzes, and makes smaller what it has found, for as long as it was told",
    "soak/test_soak.py": "loads a server for as long as it was told, and looks at its memory now and then",
    "siege/test_siege.py": "lays siege for as long as it was told, and then says how long calls took",
    "siege/served.py": "a function that hangs on demand",
    "siege/ordinary.py": "calls at a pace, and repeats a call as a good client does",
    "faults/test_chaos.py": "spreads its load over a time",
}
"""Files that sleep or compare times, and why."""


def offences(path: Path) -> Iterator[str]:
    """Yield where a file sleeps, or compares how long something took."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    durations = {
        target.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.BinOp) and _reads_a_clock(node.value)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep":
            yield f"line {node.lineno}: time.sleep"
        if isinstance(node, ast.ImportFrom) and node.module == "time":
            yield f"line {node.lineno}: the clock under a name of its own"
        if isinstance(node, ast.Compare) and (_reads_a_clock(node) or durations & _names(node)):
            yield f"line {node.lineno}: {ast.unparse(node)}"


def _reads_a_clock(tree: ast.AST) -> bool:
    return any(isinstance(node, ast.Call) and ast.unparse(node.func) in CLOCKS for node in ast.walk(tree))


def _names(tree: ast.AST) -> set[str]:
    return {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(TESTS)))
def test_no_test_sleeps_or_says_how_long_something_may_take(path: Path):
    name = str(path.relative_to(TESTS))
    lines = list(offences(path))
    if name in ALLOWED:
        assert lines, f"{name} is excused, and need not be"
    else:
        assert not lines, "support.waiting.wait_until waits for a condition; tests/benchmarks measures"


@pytest.mark.parametrize(
    "text",
    [
        "import time\ntime.sleep(1)",
        "from time import sleep\nsleep(1)",
        "import time\npause = time.sleep",
        "import time\nbegan = time.monotonic()\nassert time.monotonic() - began < 5",
        "import time\ntook_s = time.perf_counter() - began\nassert took_s < 5",
        "import time\nwhile time.time() < 3: pass",
    ],
)
def test_the_rule_sees_each_way_around_it(text: str, tmp_path: Path):
    path = tmp_path / "sample.py"
    path.write_text(text)
    assert list(offences(path))
