"""The documents are true: README's examples run and print what it shows, and CONTRIBUTING's tree is the real one.

The tests do not run a block under the comment ``<!-- not run -->``. A block of text right below an example is what the
example prints; ``...`` in it stands for anything, as in the standard library's doctest.
"""

from __future__ import annotations

import argparse
import doctest
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest
from support.circuits import bell

from gateway.cli import main
from gateway.simulators import SIMULATORS

starts_servers = pytest.mark.slow

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path
    for path in (
        *ROOT.glob("*.md"),
        *(path for top in ("gateway", "images", "tests") for path in ROOT.glob(f"{top}/**/*.md")),
    )
    if "node_modules" not in path.parts
)
TREE_ROOTS = ("adapters", "docs", "gateway", "images", "scripts", "tests", "page/src")
NEEDS_MORE_THAN_A_TEST_HAS = {"serve", "up", "down", "doctor"}
"""Commands of the README that do not end by themselves, or need Docker: only their arguments are checked."""


class Block(NamedTuple):
    line: int
    language: str
    text: str
    is_run: bool
    output: str | None
    """What the README says that it prints."""


def blocks() -> list[Block]:
    pattern = re.compile(
        r"(<!-- not run -->\s*\n)?^```(\w+)\n(.*?)^```$(?:\n\n```text\n(.*?)^```$)?", re.MULTILINE | re.DOTALL
    )
    return [
        Block(README[: match.start(2)].count("\n") + 1, match[2], match[3], match[1] is None, match[4])
        for match in pattern.finditer(README)
    ]


def commands() -> list[str]:
    consoles = [block.text for block in blocks() if block.language == "console" and block.is_run]
    lines = [
        line[2:].partition("  #")[0].strip() for text in consoles for line in text.splitlines() if line[:2] == "$ "
    ]
    return [line for line in lines if line.startswith("gateway ")]


PYTHON = [block for block in blocks() if block.language == "python" and block.is_run]


def test_the_readme_has_examples_and_they_are_found():
    assert len(PYTHON) >= 3
    assert len(commands()) >= 3


@starts_servers
@pytest.mark.parametrize("block", PYTHON, ids=lambda block: f"line {block.line}")
def test_an_example_of_the_readme_runs(block: Block, tmp_path: Path):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block.text],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert block.output is not None, "the README shows under each example what it prints"
    assert doctest.OutputChecker().check_output(block.output, done.stdout, doctest.ELLIPSIS), done.stdout


@starts_servers
@pytest.mark.parametrize("command", commands())
def test_a_command_of_the_readme_works(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    words = shlex.split(command)[1:]
    if words[0] in NEEDS_MORE_THAN_A_TEST_HAS:
        _parse_only(words, monkeypatch)
        return
    (tmp_path / "circuit.qasm").write_text(bell().to_openqasm3(), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert main(words) == 0, capsys.readouterr().err
    assert capsys.readouterr().out


def _parse_only(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    class Parsed(Exception):  # noqa: N818 - no error
        pass

    parse = argparse.ArgumentParser.parse_args

    def stop_after_parsing(self, *args):
        parse(self, *args)
        raise Parsed

    monkeypatch.setattr(argparse.ArgumentParser, "parse_args", stop_after_parsing)
    with pytest.raises(Parsed):
        main(words)


def test_every_simulator_is_in_the_readme_with_its_port():
    for row in SIMULATORS.values():
        assert f"| `{row.name}` | {row.port} |" in README


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_to_files_lead_somewhere(document: Path):
    for target in re.findall(r"\]\(([^)#:]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_scripts_named_in_the_documents_exist():
    for document in DOCUMENTS:
        for name in re.findall(r"(?<![\w/])scripts/([\w.-]*[\w-])", document.read_text(encoding="utf-8")):
            assert (ROOT / "scripts" / name).exists() or (ROOT / "scripts" / f"{name}.py").exists(), name


def test_contributing_has_one_line_for_each_script():
    commands = re.findall(r"^\| `scripts/([\w-]+)` \| \S", CONTRIBUTING, re.MULTILINE)
    scripts = [path.name for path in (ROOT / "scripts").iterdir() if path.is_file()]
    assert sorted(commands) == sorted(name for name in scripts if "." not in name)
    assert all(name in CONTRIBUTING for name in scripts)


def _named_folders() -> list[str]:
    """Return the path of each folder in CONTRIBUTING's tree; a line may name several folders of the same parent."""
    tree = re.search(r"^## The tree\n.*?^```text\n(.*?)^```$", CONTRIBUTING, re.MULTILINE | re.DOTALL)
    assert tree is not None
    parents: dict[int, str] = {}
    folders = []
    for line in tree[1].splitlines():
        match = re.fullmatch(r"( *)((?:\w+/ )+) *(\S.*)", line)
        assert match is not None, f"a line without a folder, or without a word about it: {line}"
        depth, names = len(match[1]), match[2].split()
        above = "" if depth == 0 else parents[depth - 2]
        folders += [f"{above}{name}" for name in names]
        parents = {level: path for level, path in parents.items() if level < depth} | {depth: folders[-1]}
    return folders


def _folders_with_files() -> set[str]:
    """Return the path of each folder of the project, but for the rooms of released clients, which can be deleted."""
    homes = {path.relative_to(ROOT).parent for top in TREE_ROOTS for path in (ROOT / top).rglob("*") if path.is_file()}
    kept = [home for home in homes if not any(part.startswith((".", "__", "node_modules")) for part in home.parts)]
    folders = {folder for home in kept for folder in (home, *home.parents) if folder.parts}
    return {f"{folder.as_posix()}/" for folder in folders if "legacy" not in folder.parts[:-1]}


def test_contributing_names_every_folder_and_no_other():
    named = _named_folders()
    assert len(named) == len(set(named))
    assert set(named) - {"tests/legacy/"} == _folders_with_files() - {"tests/legacy/"}
