"""Each bit of a bitstring shows the right qubit; every outcome here is certain."""

from __future__ import annotations

from random import Random

import pytest

from gateway.circuit import Circuit
from gateway.errors import CircuitInvalidError
from gateway.results import ResultType

SHOTS = 10


def certain(run, circuit: Circuit) -> str:
    """Return the only outcome, after comparing counts with exact probabilities."""
    counts = run(circuit, shots=SHOTS, seed=1).counts
    assert list(counts.values()) == [SHOTS]
    if ResultType.PROBABILITIES in run.capabilities.result_types:
        assert run(circuit, shots=None).probabilities == pytest.approx(dict.fromkeys(counts, 1.0), abs=1e-9)
    return next(iter(counts))


def test_clbit_0_is_the_rightmost_character(run):
    assert certain(run, Circuit(3).x(0).measure_all()) == "001"


@pytest.mark.parametrize("width", [1, 2, 7, 8, 9, 10, 11, 12])
def test_every_clbit_shows_its_own_qubit_at_every_width(run, width):
    for seed in range(3):
        ones = Random(seed).sample(range(width), (width + 1) // 2)
        circuit = Circuit(width)
        for qubit in ones:
            circuit.x(qubit)
        expected = "".join("1" if qubit in ones else "0" for qubit in reversed(range(width)))
        assert certain(run, circuit.measure_all()) == expected


def test_measurements_may_permute_qubits(run):
    circuit = Circuit(4, 4).x(0).x(2)
    for qubit, clbit in enumerate((2, 0, 3, 1)):
        circuit.measure(qubit, clbit)
    assert certain(run, circuit) == "1100"


def test_order_of_measurements_does_not_matter(run):
    circuit = Circuit(3, 3).x(1).measure(2, 2).measure(0, 0).measure(1, 1)
    assert certain(run, circuit) == "010"


def test_idle_qubits_change_nothing(run):
    assert certain(run, Circuit(9, 2).x(7).measure(7, 0).measure(3, 1)) == "01"


def test_unmeasured_qubits_change_nothing(run):
    assert certain(run, Circuit(4, 1).x(0).x(1).cx(1, 2).measure(3, 0)) == "0"


def test_unmeasured_clbits_are_0(run):
    assert certain(run, Circuit(2, 6).x(1).measure(1, 3)) == "001000"


def test_later_measurement_overwrites_a_clbit(run):
    assert certain(run, Circuit(2, 1).x(0).measure(0, 0).measure(1, 0)) == "0"
    assert certain(run, Circuit(2, 1).x(1).measure(0, 0).measure(1, 0)) == "1"


def test_one_qubit_measured_into_two_clbits_shows_in_both(run):
    assert certain(run, Circuit(2, 3).x(1).measure(1, 0).measure(1, 2).measure(0, 1)) == "101"


def test_qubits_without_gates_are_0(run):
    assert certain(run, Circuit(3).measure_all()) == "000"


def test_more_clbits_than_fit_into_a_machine_word(run):
    expected = ["0"] * 70
    for clbit in (0, 31, 32, 63, 64, 69):
        expected[69 - clbit] = "1"
    circuit = Circuit(2, 70).x(0)
    for clbit in range(70):
        circuit.measure(0 if expected[69 - clbit] == "1" else 1, clbit)
    assert certain(run, circuit) == "".join(expected)


def test_mostly_idle_register_costs_nothing(run):
    circuit = Circuit(40, 40).x(39).cx(39, 0).measure(39, 39).measure(0, 1).measure(20, 20)
    assert certain(run, circuit) == "1" + "0" * 37 + "10"


def test_barriers_change_nothing(run):
    circuit = Circuit(3, 3).x(0).barrier().cx(0, 2).barrier(0, 1).measure(0, 0).barrier().measure(2, 2)
    assert certain(run, circuit) == "101"


@pytest.mark.parametrize(
    "circuit", [Circuit(0, 3), Circuit(2, 2).h(0), Circuit(2), Circuit()], ids=["no qubits", "clbits", "none", "empty"]
)
@pytest.mark.parametrize("shots", [SHOTS, None])
def test_circuit_that_measures_nothing_is_refused_with_the_way_out(run, circuit, shots):
    with pytest.raises(CircuitInvalidError, match="measure_all"):
        run(circuit, shots=shots)


def test_circuit_is_not_modified_by_a_run(run, fit):
    circuit = fit(Circuit(4).ms(0.3, 0, 1).rc3x(0, 1, 2, 3).measure_all())
    before = Circuit(circuit.num_qubits, circuit.num_clbits, list(circuit.operations))
    run(circuit, shots=SHOTS)
    assert circuit == before
