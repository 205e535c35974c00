"""The registry is the one table of simulators, and everything else follows from it."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from gateway.simulators import SIMULATORS, Simulator

ROOT = Path(__file__).parents[2]

RELEASED_PORTS = {"cirq": 8083, "mqt": 8085, "rigetti": 8086, "pytket": 8087, "qulacs": 8088, "qiskit": 8090}
"""What released clients expect; never to change."""

SHARED = {"__init__", "base"}
"""Files of the adapters that drive no simulator."""

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]

each = pytest.mark.parametrize("row", SIMULATORS.values(), ids=lambda row: row.name)


def test_names_and_ports_are_unique():
    assert [row.name for row in SIMULATORS.values()] == list(SIMULATORS)
    assert len({row.port for row in SIMULATORS.values()}) == len(SIMULATORS)


def test_released_ports_stay():
    assert RELEASED_PORTS.items() <= {row.name: row.port for row in SIMULATORS.values()}.items()
    assert 8080 not in {row.port for row in SIMULATORS.values()}, "that one is a function's server"


def test_every_adapter_has_a_row_and_every_row_an_adapter():
    files = {path.stem for path in (ROOT / "adapters").glob("*.py")}
    named = {row.adapter.partition(":")[0].removeprefix("adapters.") for row in SIMULATORS.values()}
    assert files == named | SHARED


@each
def test_a_row_names_a_class_of_its_own_name(row: Simulator):
    module, _, cls = row.adapter.partition(":")
    text = (ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8")
    assert re.search(rf"^class {cls}\b", text, re.MULTILINE)
    assert f'name = "{row.name}"' in text


@each
def test_a_row_has_an_extra_with_its_package_in_it(row: Simulator):
    distributions = {re.match(r"[\w.-]+", requirement)[0] for requirement in EXTRAS[row.requirement]}
    assert row.distribution in distributions
    assert row.requirement in re.findall(r"\w+", EXTRAS["simulators"][0])


@each
def test_the_packages_a_row_warms_up_belong_to_a_framework_it_may_load_or_to_what_that_needs(row: Simulator):
    assert row.warm, "without byte code a container takes seconds longer to start"
    assert row.warm[0].partition(".")[0] == row.packages[0]


def test_rendered_files_are_fresh():
    command = [sys.executable, "scripts/render.py", "--check"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"run scripts/render:\n{done.stdout}{done.stderr}"
