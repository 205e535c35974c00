"""What the shots of a comparison find."""

from __future__ import annotations

import pytest
from support.faulty import Right

from gateway.circuit import Circuit, parse
from gateway.circuit.needs import needs
from gateway.compare import compare
from gateway.door.circuits.sight import MOST_OPERATIONS, Sight, look
from gateway.door.examples import examples

BELL = Circuit(2, 2).h(0).cx(0, 1).measure(0, 0).measure(1, 1)


def seen(circuit: Circuit, shots: int | None = 10_000, resolution: float | None = None, simulators: int = 6) -> Sight:
    return look(circuit, needs(circuit), shots, resolution, simulators)


@pytest.mark.parametrize("circuit", [BELL, parse(examples()[0].openqasm)], ids=["bell", "phase estimation"])
def test_the_distance_is_the_one_that_a_comparison_tells(circuit: Circuit) -> None:
    comparison = compare(circuit, {"a": Right(), "b": Right()}, shots=2_000, progress=None)
    assert seen(circuit, 2_000, simulators=2).distance == pytest.approx(comparison.detectable, rel=1e-3)


def test_a_note_says_what_the_shots_find() -> None:
    sight = seen(parse(examples()[0].openqasm))
    assert sight.note == "10,000 shots find a distance of 0.041 or more, 99 times in 100."
    assert sight.distance == pytest.approx(0.0414, abs=1e-3)
    assert sight.outcomes == 8
    assert sight.shots is None


def test_more_shots_find_less_and_more_simulators_find_more() -> None:
    distances = [seen(BELL, shots).distance for shots in (1_000, 10_000, 100_000)]
    assert distances == sorted(distances, reverse=True)  # type: ignore[type-var]  # all are known
    assert seen(BELL, simulators=60).distance > seen(BELL, simulators=1).distance  # type: ignore[operator]


def test_a_resolution_takes_shots_that_find_it() -> None:
    sight = seen(BELL, resolution=0.01)
    assert sight.shots is not None
    assert sight.note == f"A resolution of 0.01 takes {sight.shots:,} shots on each simulator."
    assert sight.distance == 0.01
    assert seen(BELL, sight.shots).distance == pytest.approx(0.01, rel=0.02)


def test_a_resolution_that_takes_too_many_shots_says_so() -> None:
    sight = seen(BELL, resolution=1e-6)
    assert sight.shots is sight.distance is None
    assert sight.note.endswith("and 10,000,000 are the most: a larger one takes fewer.")


def test_few_shots_find_nothing_and_say_so() -> None:
    uniform = Circuit(6, 6)
    for qubit in range(6):
        uniform.h(qubit).measure(qubit, qubit)
    assert seen(uniform, 3) == Sight("3 shots find no difference reliably: more would.", outcomes=64)
    tilted = Circuit(10, 10)
    for qubit in range(10):
        tilted.ry(1.2, qubit).measure(qubit, qubit)
    assert seen(tilted, 40).note.endswith("99 times in 100; a difference spread over all outcomes takes more.")


def test_exact_results_need_no_shots() -> None:
    assert seen(BELL, None).note == "Exact results find a probability that is off by 1e-10 or more, without shots."
    assert seen(Circuit(1).h(0)).note == "The circuit measures nothing: state vectors are compared, without shots."


def test_of_a_large_circuit_nothing_is_said() -> None:
    wide = Circuit(40, 40)
    for qubit in range(40):
        wide.ry(0.3, qubit)
    for qubit in range(39):
        wide.cx(qubit, qubit + 1)
    wide.measure_all()
    long = Circuit(1, 1)
    for _ in range(MOST_OPERATIONS):
        long.h(0)
    long.measure(0, 0)
    for circuit in (wide, long):
        assert seen(circuit) == Sight()
        assert "when the comparison begins" in seen(circuit, resolution=0.01).note


def test_an_unbound_circuit_has_no_distribution() -> None:
    text = 'OPENQASM 3;\ninclude "stdgates.inc";\ninput float a;\nqubit q;\nbit c;\nrx(a) q;\nc = measure q;'
    assert seen(parse(text)) == Sight()
