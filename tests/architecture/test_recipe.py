"""The recipe in CONTRIBUTING adds a simulator as it is written: one file, one row, and three commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
from support.recipe import ROOT, read_recipe

RECIPE = read_recipe()
LEFT_OUT = shutil.ignore_patterns(".git", ".*_cache", "__pycache__", ".venv", ".environments", ".hypothesis")
LOCKS = ("requirements-dev.lock", "images/simulators/requirements-main.lock")
HANDED_OVER = {"adapters/toy.py", "gateway/simulators.py"}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the tree after the recipe, but for its last command, which runs all tests."""
    home = tmp_path_factory.mktemp("recipe") / "tree"
    shutil.copytree(ROOT, home, ignore=LEFT_OUT)
    for environment in (".venv", ".environments"):
        (home / environment).symlink_to(ROOT / environment)
    (home / "adapters/toy.py").write_text(RECIPE.adapter)
    registry = home / "gateway/simulators.py"
    before, end, after = registry.read_text().partition("    )\n}\n")
    assert end, "the registry ends as the recipe's row expects it"
    registry.write_text(before + textwrap.indent(RECIPE.row.rstrip(), " " * 8) + ",\n" + end + after)
    lock, *_ = RECIPE.commands
    done = run(home, lock)
    assert done.returncode == 0, done.stdout + done.stderr
    return home


def run(home: Path, command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(home)}
    return subprocess.run(
        command.split(), cwd=home, env=environment, capture_output=True, text=True, check=False, timeout=280
    )


def changed(home: Path) -> set[str]:
    files = [path for path in home.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    inside = {
        str(path.relative_to(home)): path for path in files if not path.relative_to(home).parts[0].startswith(".")
    }
    return {
        name
        for name, path in inside.items()
        if not (ROOT / name).exists() or (ROOT / name).read_bytes() != path.read_bytes()
    }


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        Path(sys.prefix) != ROOT / ".venv", reason="the recipe's commands use the environment of scripts/setup"
    ),
]


def test_the_recipe_ends_with_the_tests():
    assert RECIPE.commands == ["scripts/lock", "scripts/conformance toy", "scripts/test"]


def test_all_that_follows_from_the_row_is_written_by_the_commands(tree: Path):
    rendered = changed(tree) - HANDED_OVER
    assert {"README.md", "pyproject.toml", "compose.yaml", "images/simulators/Dockerfile"} <= rendered
    assert run(tree, "scripts/render --check").returncode == 0
    assert "| `toy` | 8099 | Toy state vector | numpy " in (tree / "README.md").read_text()


def test_locks_stay_as_they_were_but_for_what_the_row_asks_for(tree: Path):
    for lock in LOCKS:
        assert (tree / lock).read_text() == (ROOT / lock).read_text(), "numpy was locked already"


def test_the_simulator_of_the_recipe_passes_conformance(tree: Path):
    _, conformance, _ = RECIPE.commands
    done = run(tree, f"{conformance} -q")
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert " passed" in done.stdout
    assert "failed" not in done.stdout


@pytest.mark.parametrize("checked", ["tests/architecture/test_registry.py", "tests/unit/test_simulators.py"])
def test_the_tests_of_the_registry_pass_with_it(tree: Path, checked: str):
    done = run(tree, f"{sys.executable} -m pytest -q {checked}")
    assert done.returncode == 0, done.stdout[-4000:]


def test_the_linter_and_the_types_are_clean(tree: Path):
    for command in ("ruff check adapters gateway/simulators.py", "ruff format --check adapters gateway/simulators.py"):
        done = run(tree, f"{ROOT}/.venv/bin/{command}")
        assert done.returncode == 0, done.stdout
    done = run(tree, f"{ROOT}/.venv/bin/mypy adapters/toy.py")
    assert done.returncode == 0, done.stdout
