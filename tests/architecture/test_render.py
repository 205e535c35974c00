"""Rendering writes all files or none, and says what is missing."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path
from types import ModuleType

import pytest

from gateway.results import Capabilities
from gateway.simulators import SIMULATORS, Simulator

ROOT = Path(__file__).parents[2]
TOY = Simulator(
    name="toy",
    port=8099,
    summary="Toy state vector",
    adapter="adapters.toy:ToyAdapter",
    distribution="no-lock-has-this",
    capabilities=Capabilities(result_types=()),
    requires=("no-lock-has-this>=1",),
    packages=("toy",),
    warm=("toy",),
)


@pytest.fixture
def render(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, which works on a copy of what it reads and writes."""
    spec = importlib.util.spec_from_file_location("render", ROOT / "scripts/render.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sources = [path.relative_to(ROOT) for pattern in module.SOURCES for path in ROOT.glob(pattern)]
    for name in [*module.TARGETS, *sources]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    monkeypatch.setattr(module, "ROOT", tmp_path)
    monkeypatch.setattr("sys.argv", ["render"])
    return module


def _contents(render: ModuleType) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in sorted(render.ROOT.rglob("*")) if path.is_file()}


def test_a_row_without_a_locked_version_is_named_with_what_to_do_and_nothing_is_written(render, monkeypatch, capsys):
    monkeypatch.setitem(SIMULATORS, TOY.name, TOY)
    before = _contents(render)
    assert render.main() == 1
    error = capsys.readouterr().err
    assert "no version of no-lock-has-this, which toy needs: run scripts/lock" in error
    assert "nothing was written" in error
    assert _contents(render) == before


def test_the_extra_of_a_new_row_is_rendered_before_there_is_a_lock_of_it(render, monkeypatch):
    monkeypatch.setitem(SIMULATORS, TOY.name, TOY)
    monkeypatch.setattr("sys.argv", ["render", "pyproject.toml"])
    assert render.main() == 0
    assert 'toy = ["no-lock-has-this>=1"]\n' in (render.ROOT / "pyproject.toml").read_text()


def test_when_a_file_cannot_be_written_no_other_is(render, monkeypatch):
    monkeypatch.setitem(SIMULATORS, TOY.name, TOY)
    monkeypatch.setattr(render, "_locked_version", lambda row: "1.0")
    before = _contents(render)
    (render.ROOT / ".README.md.new").mkdir()  # where the draft of one of them would be written
    with pytest.raises(IsADirectoryError):
        render.main()
    assert _contents(render) == before


def test_a_file_without_the_section_is_named(render, capsys):
    (render.ROOT / "README.md").write_text("no table\n")
    before = _contents(render)
    assert render.main() == 1
    assert "README.md has no section between '<!-- begin simulators (rendered) -->'" in capsys.readouterr().err
    assert _contents(render) == before


def test_checking_writes_nothing_and_names_what_is_stale(render, monkeypatch, capsys):
    (render.ROOT / "compose.yaml").write_text("stale\n")
    before = _contents(render)
    monkeypatch.setattr("sys.argv", ["render", "--check"])
    assert render.main() == 1
    assert capsys.readouterr().out == "stale: compose.yaml\n"
    assert _contents(render) == before
