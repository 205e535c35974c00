"""Every simulator runs every file of tests/circuits/openqasm2 and openqasm3."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest
from support.reference import distribution
from support.statistics import assert_drawn_from

from gateway.circuit import Circuit, parse

SHOTS = 2000
CORPUS = Path(__file__).parent.parent / "circuits"
FILES = sorted([*CORPUS.glob("openqasm2/*.qasm"), *CORPUS.glob("openqasm3/*.qasm")])


@cache
def parsed(path: Path) -> tuple[Circuit, dict[str, float]]:
    """Return the circuit of a file, measured if it is not, and its exact distribution."""
    circuit = parse(path.read_text(encoding="utf-8"))
    if not any(op.name == "measure" for op in circuit.operations):
        circuit.measure_all()
    return circuit, distribution(circuit)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_file_runs_and_counts_follow_its_distribution(run, path):
    circuit, expected = parsed(path)
    assert_drawn_from(run(circuit, shots=SHOTS, seed=2).counts, expected)


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_file_in_declared_gates_runs_and_counts_follow_its_distribution(stateless, fit, path):
    circuit = fit(parsed(path)[0])
    assert_drawn_from(stateless(circuit, shots=SHOTS, seed=2).counts, distribution(circuit))


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_probabilities_of_file_are_exact(probabilities, path):
    circuit, expected = parsed(path)
    found = probabilities(circuit)
    keys = found.keys() | expected.keys()
    everywhere = {key: expected.get(key, 0.0) for key in keys}
    assert {key: found.get(key, 0.0) for key in keys} == pytest.approx(everywhere, abs=1e-9)


def test_there_are_files():
    assert FILES
