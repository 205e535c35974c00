"""The circuits to begin with."""

from __future__ import annotations

import re
from importlib import resources

import pytest
from support.directory import all_known

from gateway.circuit import parse
from gateway.circuit.needs import needs
from gateway.compare import exact
from gateway.door.circuits.estimates import Asked, estimates
from gateway.door.examples import examples
from gateway.protocol.door import Estimate

BY_NAME = {example.name: example.openqasm for example in examples()}


def test_every_file_is_an_example_and_the_first_is_phase_estimation() -> None:
    files = [file.name for file in resources.files("gateway.door.examples").iterdir() if file.name.endswith(".qasm")]
    assert len(files) == len(BY_NAME)
    assert next(iter(BY_NAME)) == "Phase estimation"


@pytest.mark.parametrize("name", BY_NAME)
def test_an_example_says_in_one_line_what_it_is(name: str) -> None:
    comments = re.findall(r"^// (.+)$", BY_NAME[name], flags=re.MULTILINE)
    assert 20 <= len(comments[0]) <= 120
    assert BY_NAME[name].startswith('OPENQASM 3;\ninclude "stdgates.inc";\n\n// ')


@pytest.mark.parametrize(
    ("name", "number"),
    [("GHZ state of 60 qubits", 2), ("Bell pair", 7), ("GHZ state", 7), ("Repeat until success", 7)],
)
def test_an_example_runs_where_it_says(name: str, number: int) -> None:
    assert sum(estimate.runs for estimate in _estimates(name)) == number


@pytest.mark.parametrize("name", [name for name in BY_NAME if "60" not in name])
def test_an_example_runs_on_every_simulator_of_all_gates(name: str) -> None:
    assert all(estimate.runs for estimate in _estimates(name) if estimate.simulator != "stim")


def _estimates(name: str) -> tuple[Estimate, ...]:
    circuit = parse(BY_NAME[name])
    return estimates(Asked(circuit, needs(circuit), BY_NAME[name], 1_000), all_known(), {})


@pytest.mark.parametrize(
    ("name", "likely"),
    [
        ("Bell pair", {"00": 0.5, "11": 0.5}),
        ("GHZ state", {"00000": 0.5, "11111": 0.5}),
        ("Grover's search", {"101": 0.945}),
        ("Fourier transform", {"0000": 0.25, "0100": 0.25, "1000": 0.25, "1100": 0.25}),
        ("Repeat until success", {"00": 0.5, "10": 0.5}),
        ("Phase estimation", {"010": 0.577, "011": 0.259}),
    ],
)
def test_an_example_gives_what_its_comment_says(name: str, likely: dict[str, float]) -> None:
    distribution = exact.distribution(parse(BY_NAME[name])).to_dict()
    assert {key: distribution[key] for key in likely} == pytest.approx(likely, abs=1e-3)


def test_teleportation_gives_zero_with_certainty() -> None:
    distribution = exact.distribution(parse(BY_NAME["Teleportation"])).to_dict()
    assert sum(probability for key, probability in distribution.items() if key[0] == "0") == pytest.approx(1.0)
