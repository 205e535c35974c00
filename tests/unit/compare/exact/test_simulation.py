"""The exact simulator gives what the tests' own simulator gives, and what can be said without one."""

from __future__ import annotations

import math
from random import Random

import numpy as np
import pytest
from support.circuits import (
    angles,
    random_circuit,
    random_classical_circuit,
    random_condition,
    random_dynamic_circuit,
    random_program,
    teleportation,
)
from support.reference import distribution as reference
from support.reference import unitary

from gateway.circuit import Circuit, Comparison, Expression, Operation, bits
from gateway.circuit.gates import GATES
from gateway.compare.exact import Bounds, distribution, statevector
from gateway.errors import LimitError, UnsupportedError

ROUNDING = 1e-12  # the tests' own simulator leaves out branches below 1e-13


def assert_right(circuit: Circuit) -> None:
    exact, expected = distribution(circuit), reference(circuit)
    probabilities = exact.to_dict()
    assert exact.width == circuit.num_clbits
    assert (exact.codes[1:] > exact.codes[:-1]).all()
    assert abs(exact.probabilities.sum() - 1) < 1e-12
    for key in probabilities.keys() | expected.keys():
        assert probabilities.get(key, 0) == pytest.approx(expected.get(key, 0), abs=ROUNDING), key


@pytest.mark.parametrize("seed", range(60))
def test_random_gates_give_the_distribution_of_the_reference(seed: int):
    assert_right(random_circuit(seed, 1 + seed % 7, 40).measure_all())


@pytest.mark.parametrize("seed", range(120))
def test_random_dynamic_circuits_give_the_distribution_of_the_reference(seed: int):
    assert_right(random_dynamic_circuit(seed, 1 + seed % 5, 1 + seed % 4, 24))


@pytest.mark.parametrize("seed", range(120))
def test_circuits_that_end_anywhere_give_the_distribution_of_the_reference(seed: int):
    """No final measurements, many clbits, hardly any gates: what is left out and moved differs most here."""
    random = Random(seed)
    circuit = Circuit(4, 6).h(random.randrange(4))
    for _ in range(20):
        when = random_condition(random, 6) if random.random() < 0.5 else ()
        kind = random.choice(["measure", "measure", "reset", "h", "cx", "rx", "rzz", "barrier"])
        qubits = random.sample(range(4), 2)
        if kind == "measure":
            circuit.measure(qubits[0], random.randrange(6), when)
        elif kind == "barrier":
            circuit.barrier(*qubits)
        elif kind == "reset":
            circuit.reset(qubits[0], when)
        else:
            gate = GATES[kind]
            circuit.gate(kind, qubits[: gate.num_qubits], angles(random, gate), when)
    assert_right(circuit)


@pytest.mark.parametrize("name", GATES)
def test_each_gate_has_the_unitary_of_the_table(name: str):
    random, gate = Random(name), GATES[name]
    params = angles(random, gate)
    expected = np.array(gate.unitary(*params), dtype=complex)
    for column in range(2**gate.num_qubits):
        circuit = Circuit(gate.num_qubits)
        for qubit in range(gate.num_qubits):
            if column >> qubit & 1:
                circuit.x(qubit)
        circuit.gate(name, range(gate.num_qubits), params)
        assert np.allclose(statevector(circuit), expected[:, column], atol=1e-14)


@pytest.mark.parametrize("seed", range(20))
def test_the_state_is_that_of_the_reference_with_its_phase(seed: int):
    circuit = random_circuit(seed, 1 + seed % 6, 30)
    assert np.allclose(statevector(circuit), unitary(circuit)[:, 0], atol=1e-13)


def test_qubit_0_is_the_least_significant_bit_of_the_state():
    assert statevector(Circuit(3).x(0)).tolist() == [0, 1, 0, 0, 0, 0, 0, 0]


def test_a_circuit_without_qubits_has_one_amplitude():
    assert statevector(Circuit().gphase(math.pi)).tolist() == [pytest.approx(-1)]


def test_clbit_0_is_the_rightmost_character():
    assert distribution(Circuit(3, 3).x(0).measure(0, 0).measure(1, 1)).to_dict() == {"001": 1.0}


def test_a_circuit_without_clbits_has_one_outcome():
    assert distribution(Circuit(2).h(0)).to_dict() == {"": 1.0}
    assert distribution(Circuit()).to_dict() == {"": 1.0}


def test_a_clbit_that_is_never_written_is_0():
    assert distribution(Circuit(2, 4).x(0).measure(0, 2)).to_dict() == {"0100": 1.0}


def test_the_last_write_to_a_clbit_counts():
    assert distribution(Circuit(2, 1).x(0).measure(0, 0).measure(1, 0)).to_dict() == {"0": 1.0}
    assert distribution(Circuit(2, 1).x(0).measure(1, 0).measure(0, 0)).to_dict() == {"1": 1.0}


def test_a_conditional_write_leaves_the_earlier_one_where_it_does_not_happen():
    circuit = Circuit(2, 2).h(0).x(1).measure(0, 0).measure(1, 1).measure(0, 1, when={0: 0})
    assert_right(circuit)
    assert distribution(circuit).to_dict() == {"00": pytest.approx(0.5), "11": pytest.approx(0.5)}


def test_one_qubit_can_be_measured_into_several_clbits():
    expected = {"000": pytest.approx(0.5), "101": pytest.approx(0.5)}
    assert distribution(Circuit(1, 3).h(0).measure(0, 0).measure(0, 2)).to_dict() == expected


def test_probabilities_far_below_what_sampling_sees_are_kept_and_rounding_noise_is_not():
    probabilities = distribution(Circuit(1).rx(2e-9, 0).measure_all()).to_dict()
    assert probabilities["1"] == pytest.approx(1e-18)
    assert distribution(Circuit(1).rx(math.pi, 0).measure_all()).to_dict() == {"1": 1.0}
    assert distribution(Circuit(1).h(0).h(0).measure_all()).to_dict() == {"0": 1.0}


def test_a_thousand_qubits_that_are_mostly_idle_are_quick():
    circuit = Circuit(1000)
    for qubit in range(0, 1000, 100):
        circuit.h(qubit).cx(qubit, (qubit + 501) % 1000)
    exact = distribution(circuit.measure_all())
    assert (len(exact.codes), exact.width) == (2**10, 1000)
    assert all(
        key[999 - qubit] == key[999 - (qubit + 501) % 1000] for key in exact.to_dict() for qubit in range(0, 1000, 100)
    )


def test_more_than_62_clbits_are_written_as_they_are_otherwise():
    circuit = Circuit(3, 70).h(0).cx(0, 1).ry(0.4, 2).measure(0, 0).measure(1, 69).measure(2, 35)
    assert_right(circuit)


def test_a_chain_of_entangled_qubits_needs_two_at_a_time():
    circuit = Circuit(300).h(0)
    for qubit in range(299):
        circuit.cx(qubit, qubit + 1)
    probabilities = distribution(circuit.measure_all()).to_dict()
    assert probabilities == {"0" * 300: pytest.approx(0.5), "1" * 300: pytest.approx(0.5)}


def test_operations_that_no_clbit_depends_on_are_left_out():
    circuit = random_circuit(1, 5, 30)
    for qubit in range(5, 60):
        circuit.num_qubits = qubit + 1
        circuit.h(qubit).cx(0, qubit)
    circuit.num_clbits = 1
    circuit.measure(0, 0)
    small = random_circuit(1, 5, 30)
    small.num_clbits = 1
    # Each of the 55 qubits is the target of a control; what it learns about qubit 0 does not change qubit 0's outcome.
    with pytest.raises(LimitError, match="qubits at a time"):
        distribution(circuit, bounds=Bounds(amplitudes=2**3))
    assert distribution(circuit).to_dict() == pytest.approx(reference(small.measure(0, 0)))


def test_rounds_of_measurement_and_reset_stay_small_while_their_outcomes_are_known():
    circuit = Circuit(4, 200).ry(1, 0).cx(0, 1).cx(0, 2)
    for clbit in range(200):
        circuit.cx(0, 3).cx(1 + clbit % 2, 3).measure(3, clbit).reset(3)
    assert distribution(circuit).to_dict() == {"0" * 200: 1.0}


def test_branches_that_nothing_tells_apart_are_merged():
    circuit = Circuit(2, 1).h(1)
    for _ in range(100):
        circuit.ry(0.3, 0).cx(0, 1).rx(0.2, 1).reset(0)
    probabilities = distribution(circuit.measure(1, 0)).to_dict()
    assert sum(probabilities.values()) == pytest.approx(1)


def test_teleportation_over_and_over_through_the_same_clbits():
    circuit = Circuit(3, 3).u(1.1, 0.4, 0.7, 0)
    source, middle, target = 0, 1, 2
    for _ in range(100):
        circuit.reset(middle).reset(target).h(middle).cx(middle, target).cx(source, middle).h(source)
        circuit.measure(source, 0).measure(middle, 1).x(target, when={1: 1}).z(target, when={0: 1})
        source, middle, target = target, source, middle
    one = sum(p for key, p in distribution(circuit.measure(source, 2)).to_dict().items() if key[0] == "1")
    assert one == pytest.approx(math.sin(0.55) ** 2)


def test_teleportation_and_a_condition_on_many_clbits():
    assert_right(teleportation())
    circuit = Circuit(3, 80).h(0).measure(0, 79).x(1, when=Comparison(tuple(range(80)), 1 << 79)).measure(1, 3)
    expected = {"0" * 80: pytest.approx(0.5), "1" + "0" * 75 + "1000": pytest.approx(0.5)}
    assert distribution(circuit).to_dict() == expected


def test_too_many_qubits_at_a_time_are_refused_before_anything_is_simulated():
    circuit = random_circuit(1, 40, 400).measure_all()
    with pytest.raises(LimitError, match=r"keeps 40 qubits at a time.*takes at most 4,194,304") as refusal:
        distribution(circuit)
    assert (refusal.value.limit, refusal.value.requested) == ("amplitudes", 2**40)


def test_too_many_branches_are_refused():
    circuit = Circuit(4, 40)
    for clbit in range(40):
        circuit.h(0).cx(0, 1).measure(0, clbit).rx(0.3, 1, when={clbit: 1})
    with pytest.raises(LimitError, match="branches") as refusal:
        distribution(circuit.measure(1, 0), bounds=Bounds(amplitudes=2**10))
    assert refusal.value.limit == "amplitudes"


def test_too_many_measured_values_are_refused():
    circuit = Circuit(2, 40)
    for clbit in range(40):
        circuit.h(0).cx(0, 1).measure(0, clbit)
    with pytest.raises(LimitError, match="measured values") as refusal:
        distribution(circuit.measure(1, 0), bounds=Bounds(values=2**10))
    assert refusal.value.limit == "values"


def test_too_many_outcomes_are_refused():
    circuit = Circuit(1, 100)
    for clbit in range(100):
        circuit.h(0).measure(0, clbit).reset(0)
    with pytest.raises(LimitError, match=r"outcomes or more; .* at most 4,194,304") as refusal:
        distribution(circuit)
    assert refusal.value.limit == "outcomes"


def test_too_much_work_is_refused_before_anything_is_simulated():
    with pytest.raises(LimitError, match="change") as refusal:
        distribution(random_circuit(1, 20, 10_000).measure_all())
    assert refusal.value.limit == "work"


def test_a_state_that_is_too_large_is_refused():
    with pytest.raises(LimitError, match="23 qubits at a time"):
        statevector(Circuit(23))
    with pytest.raises(LimitError, match="change"):
        statevector(Circuit(8).h(0), bounds=Bounds(work=10))


@pytest.mark.parametrize(
    "operation",
    [
        Operation("measure", (0,), (), (0,)),
        Operation("reset", (0,)),
        Operation("x", (0,), (), (), (Comparison((0,), 0),)),
    ],
    ids=["measure", "reset", "condition"],
)
def test_a_circuit_that_measures_resets_or_tests_has_no_single_state(operation: Operation):
    circuit = Circuit(1, 1).barrier().append(operation)
    with pytest.raises(UnsupportedError, match=r"operation 1 .* has no single state") as refusal:
        statevector(circuit)
    assert refusal.value.operation == 1


def test_a_circuit_is_not_changed():
    circuit = random_dynamic_circuit(3)
    operations = list(circuit.operations)
    distribution(circuit)
    assert circuit.operations == operations


# ---------------------------------------------------------------------------- loops, assignments, hidden clbits


@pytest.mark.parametrize("seed", range(60))
def test_random_programs_give_the_distribution_of_the_reference(seed: int):
    assert_right(random_program(seed))


@pytest.mark.parametrize("seed", range(60))
def test_random_classical_circuits_give_the_distribution_of_the_reference(seed: int):
    assert_right(random_classical_circuit(seed))


def test_hidden_clbits_are_no_part_of_the_outcome():
    circuit = Circuit(2, 1, num_hidden=2).ry(1.0, 0).measure(0, 1).x(1, when={1: 1}).h(0).measure(0, 2).measure(1, 0)
    assert_right(circuit)


def test_a_loop_that_does_not_end_is_refused():
    circuit = Circuit(1, 1).h(0).measure(0, 0).while_({0: 1}).x(0).end()
    with pytest.raises(LimitError, match="operation 2: the loop has not ended after 7 turns") as info:
        distribution(circuit, bounds=Bounds(turns=7))
    assert (info.value.limit, info.value.requested, info.value.allowed) == ("turns", 8, 7)


def test_rounds_of_hidden_coins_cost_no_branches():
    circuit = Circuit(2, 1, num_hidden=40)
    for coin in range(1, 41):
        circuit.reset(0).h(0).measure(0, coin).set((coin,), Expression("not", (bits(coin),))).x(1, when={coin: 1})
    assert distribution(circuit.measure(1, 0)).to_dict() == pytest.approx({"0": 0.5, "1": 0.5})


def test_a_circuit_with_loops_has_no_single_state():
    with pytest.raises(UnsupportedError, match="operation 1 "):
        statevector(Circuit(1, 1).x(0).set((0,), 1))
