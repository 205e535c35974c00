"""How long runs take: what a circuit asks for, and what is learnt from runs."""

from __future__ import annotations

import math

import pytest

from gateway.circuit import Circuit, parse
from gateway.circuit.needs import needs
from gateway.door.circuits.speeds import SPEEDS, Corrections, Work, seconds_of, work_of
from gateway.door.examples import examples
from gateway.results import ResultType
from gateway.simulators import SIMULATORS


def work(circuit: Circuit, shots: int | None = 1_000, outcomes: int | None = None) -> Work | None:
    kind = ResultType.COUNTS if shots else ResultType.PROBABILITIES
    return work_of(circuit, needs(circuit), shots, kind, outcomes)


def layers(qubits: int, number: int) -> Circuit:
    circuit = Circuit(qubits, qubits)
    for layer in range(number):
        for qubit in range(qubits):
            circuit.ry(0.1 * qubit + layer, qubit)
        for qubit in range(layer % 2, qubits - 1, 2):
            circuit.cx(qubit, qubit + 1)
    return circuit.measure_all()


def test_what_a_run_asks_for_is_counted() -> None:
    asked = work(Circuit(3, 2).h(0).cx(0, 1).measure(0, 0).measure(1, 1))
    assert asked == Work(1, 4, 16, 4, 4, 1_000, 2_000, 0, 0, nodes=4 * (1 + 2 + 1))
    assert work(Circuit(2, 2).h(0).cx(0, 1).measure_all(), None) is not None


def test_there_are_no_more_outcomes_than_shots_or_than_are_known() -> None:
    circuit = layers(10, 2)
    assert work(circuit, 100).outcomes == 100  # type: ignore[union-attr]
    assert work(circuit, 10**6).outcomes == 1024  # type: ignore[union-attr]
    assert work(circuit, 10**6, 7).outcomes == 7  # type: ignore[union-attr]
    assert work(circuit, None).outcomes == 1024  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("circuit", "steps"),
    [
        (Circuit(1, 1).h(0).measure(0, 0), 0),
        (Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1), 2),
        (Circuit(2, 2).h(0).measure(0, 0).x(1, when={0: 1}).measure(1, 1), 2),
        (Circuit(1, 1).reset(0).h(0).measure(0, 0), 1),
        (Circuit(1, 2).h(0).measure(0, 0).reset(0).h(0).measure(0, 1), 2 + 2),
        (Circuit(2, 3).h(0).h(1).measure(0, 0).measure(1, 1).h(0).h(1).measure(0, 2), 2 + 4),
    ],
)
def test_measurements_on_the_way_double_the_states_unless_the_value_is_known(circuit: Circuit, steps: float) -> None:
    assert work(circuit).steps == steps  # type: ignore[union-attr]


def test_there_are_no_more_histories_than_shots() -> None:
    circuit = Circuit(8, 8)
    for number in range(8):
        circuit.h(number).measure(number, number).h(number)
    assert work(circuit, 10).steps == 2 + 4 + 8 + 5 * 10  # type: ignore[union-attr]


def test_how_often_a_loop_turns_is_not_known() -> None:
    text = next(each.openqasm for each in examples() if each.name == "Repeat until success")
    assert work(parse(text)) is None


def test_a_huge_circuit_has_finite_work() -> None:
    asked = work(Circuit(4_000, 4_000).h(0).measure_all())
    assert asked is not None
    assert all(math.isfinite(each) for each in asked)


def test_there_is_a_speed_for_each_simulator_of_ours() -> None:
    assert SPEEDS.keys() == SIMULATORS.keys()
    assert seconds_of("theirs", Work()) is None


@pytest.mark.parametrize("name", SIMULATORS)
def test_larger_circuits_take_longer(name: str) -> None:
    small, large = work(layers(4, 2)), work(layers(6, 20))
    assert small is not None
    assert large is not None
    assert seconds_of(name, small) < seconds_of(name, large)  # type: ignore[operator]  # both are known


def test_of_a_diagram_that_may_be_small_or_large_nothing_is_said() -> None:
    assert seconds_of("mqt", work(layers(16, 10))) is None  # type: ignore[arg-type]
    ghz = Circuit(60, 60).h(0)
    for qubit in range(59):
        ghz.cx(qubit, qubit + 1)
    assert seconds_of("mqt", work(ghz.measure_all())) is not None  # type: ignore[arg-type]


def test_runs_correct_the_estimates_after_them() -> None:
    corrections = Corrections()
    assert corrections.factors() == {}
    for _ in range(30):
        corrections.observe("slow", 1.0, 2.0)
        corrections.observe("quick", 1.0, 0.5)
    assert corrections.factors() == pytest.approx({"slow": 2.0, "quick": 0.5}, rel=0.01)


def test_one_odd_run_does_not_spoil_the_estimates() -> None:
    corrections = Corrections()
    corrections.observe("a", 1.0, 1e9)
    corrections.observe("b", 1.0, 0.0)
    factors = corrections.factors()
    assert 1 < factors["a"] < 4
    assert 0.25 < factors["b"] < 1
