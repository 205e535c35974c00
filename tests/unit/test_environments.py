from __future__ import annotations

import sys
from pathlib import Path

import pytest

from gateway import environments
from gateway.results import Capabilities
from gateway.simulators import Simulator

TOY = Simulator(
    name="toy",
    port=9999,
    summary="",
    adapter="toy:Toy",
    distribution="toy-simulator",
    packages=("a_package_nobody_has",),
    capabilities=Capabilities(result_types=()),
    group="toys",
)


def make_environment(folder: Path, *, version: str | None) -> Path:
    """Make what an environment is found by; return its Python."""
    python = folder / "toys/bin/python"
    python.parent.mkdir(parents=True)
    python.symlink_to(sys.executable)
    site = folder / "toys/lib/python3.11/site-packages"
    site.mkdir(parents=True)
    if version is not None:
        (site / f"toy_simulator-{version}.dist-info").mkdir()
        (site / f"toy_simulator-{version}.dist-info/METADATA").write_text(f"Name: toy-simulator\nVersion: {version}\n")
    return python


def test_a_simulator_that_is_installed_here_runs_with_this_python(monkeypatch, tmp_path):
    make_environment(tmp_path, version="1.0")
    monkeypatch.setenv(environments.VARIABLE, str(tmp_path))
    here = Simulator(**{**{field: getattr(TOY, field) for field in TOY.__slots__}, "packages": ("numpy",)})
    assert here.python() == sys.executable


def test_a_simulator_that_is_absent_here_runs_with_the_python_of_its_group(monkeypatch, tmp_path):
    python = make_environment(tmp_path, version="1.0")
    monkeypatch.setenv(environments.VARIABLE, f"/no/such/folder:{tmp_path}")
    assert TOY.python() == str(python)
    assert TOY.installed_version() == "1.0"


def test_an_environment_without_the_package_is_passed_over_for_the_next(monkeypatch, tmp_path):
    make_environment(tmp_path / "first", version=None)
    python = make_environment(tmp_path / "second", version="2.0")
    monkeypatch.setenv(environments.VARIABLE, f"{tmp_path / 'first'}:{tmp_path / 'second'}")
    assert (TOY.python(), TOY.installed_version()) == (str(python), "2.0")


@pytest.mark.parametrize("value", ["", ":", "/no/such/folder"])
def test_where_no_environment_has_the_package_it_is_this_python_and_no_version(monkeypatch, value):
    monkeypatch.setenv(environments.VARIABLE, value)
    assert (TOY.python(), TOY.installed_version()) == (sys.executable, None)
