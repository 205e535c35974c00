"""The sources keep rules that no linter knows."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted(path for folder in ("gateway", "adapters") for path in (ROOT / folder).rglob("*.py"))
SCRIPT_LINES = 15

DANGEROUS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "runpy.run_path", "runpy.run_module"}
LOADERS = {"pickle", "cPickle", "cloudpickle", "dill", "joblib", "jsonpickle", "marshal", "shelve", "yaml"}
"""Modules whose ``load``, ``loads``, ``Unpickler`` and so on make objects, or run code, of what they read."""

ALLOWED = {
    # what the process that starts a server hands over on standard input; never what a request brings
    ("gateway/execution/worker.py", "pickle.loads"),
    # written there, and read by the line above
    ("gateway/backends/server.py", "cloudpickle.dumps"),
    # what a server hands its own workers, over a pipe of theirs; what comes back is never unpickled
    ("gateway/execution/pool.py", "pickle.dumps"),
}


def calls(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call):
            yield ast.unparse(node.func)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_that_came_from_outside_can_be_executed(path: Path):
    """Promise 9: requests are never unpickled or evaluated."""
    name = str(path.relative_to(ROOT))
    found = {(name, call) for call in calls(path) if call in DANGEROUS or call.partition(".")[0] in LOADERS}
    assert found == {allowed for allowed in ALLOWED if allowed[0] == name}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_that_make_objects_of_bytes_are_called_by_their_names(path: Path):
    """So that the test above sees every call of them."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            assert (node.module or "").partition(".")[0] not in LOADERS
        if isinstance(node, ast.Import):
            assert not [each for each in node.names if each.name.partition(".")[0] in LOADERS and each.asname]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_command_goes_through_a_shell(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [
        keyword
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        for keyword in node.keywords
        if keyword.arg == "shell"
    ]


SCRIPTS = sorted(path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix)


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_is_short_says_what_it_does_and_stops_at_errors(path: Path):
    lines = path.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= SCRIPT_LINES
    assert lines[0] == "#!/usr/bin/env bash"
    assert lines[1].startswith("# ")
    assert lines[2].startswith("set -euo pipefail")
    assert path.stat().st_mode & 0o100, "it can be run"


def test_every_test_file_is_collected():
    names = {path.name for path in (ROOT / "tests").rglob("*.py") if "def test_" in path.read_text(encoding="utf-8")}
    assert all(name.startswith("test_") for name in names), names
