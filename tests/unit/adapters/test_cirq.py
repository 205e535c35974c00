from __future__ import annotations

import cirq
import numpy as np
import pytest
from support.circuits import random_circuit, teleportation

from adapters import base
from adapters.cirq import CirqAdapter
from gateway.circuit import Circuit, Comparison
from gateway.circuit.lowering import lower
from gateway.errors import LimitError, UnsupportedError
from gateway.results import ResultType, Sampling


@pytest.fixture(scope="module")
def adapter():
    return CirqAdapter()


def build(adapter, circuit):
    lowered = lower(circuit.operations, frozenset(adapter.native_gates))
    return adapter.build(Circuit(circuit.num_qubits, circuit.num_clbits, lowered))


@pytest.mark.parametrize("seed", range(4))
def test_own_packing_is_that_of_cirq(adapter, seed):
    circuit = random_circuit(seed, 5, 80)
    # A global phase acts on no qubit: Cirq may put it into any moment.
    circuit.operations = [op for op in circuit.operations if op.name != "gphase"]
    built = build(adapter, circuit.measure_all()).circuit
    assert built == cirq.Circuit(built.all_operations())


def test_operations_are_those_cirq_makes_and_checks(adapter):
    built = adapter.build(Circuit(3).h(0).cx(2, 0).rz(0.3, 1).cx(2, 0)).circuit
    a, b, c = cirq.LineQubit.range(3)
    assert built == cirq.Circuit(cirq.H(a), cirq.CNOT(c, a), cirq.rz(0.3)(b), cirq.CNOT(c, a))


@pytest.mark.parametrize("seed", range(3))
def test_evolution_is_that_of_cirqs_simulator(adapter, seed):
    program = build(adapter, random_circuit(seed, 4, 30))
    simulator = cirq.Simulator(dtype=np.complex128)
    expected = simulator.simulate(program.circuit, qubit_order=program.qubits[::-1]).final_state_vector
    np.testing.assert_allclose(adapter.evolve(program), expected, atol=1e-12)


def test_amplitudes_are_in_double_precision(adapter):
    state = adapter.run(Circuit(1).ry(0.1, 0), shots=None, result=ResultType.STATEVECTOR)
    assert state[0].real == pytest.approx(np.cos(0.05), abs=1e-15)


def test_negative_angle_under_control_keeps_its_sign(adapter):
    """``QasmUGate`` would lose it."""
    program = build(adapter, Circuit(2).x(0).cu3(-1, 0.4, 0.7, 0, 1))
    assert adapter.evolve(program)[1] == pytest.approx(np.cos(0.5))


def test_each_measurement_has_a_key_and_each_clbit_shows_its_latest(adapter):
    program = adapter.build(Circuit(2, 2).measure(0, 0).measure(1, 1).measure(1, 0))
    assert len(program.circuit.all_measurement_key_names()) == 3
    assert program.keys == {0: "c[0]", 1: "c[1]"}
    measured = [cirq.measurement_key_name(op) for op in program.circuit.all_operations()]
    assert sorted(measured) == ["c[0]", "c[0]#0", "c[1]"]
    assert measured.index("c[0]#0") < measured.index("c[0]")


@pytest.mark.parametrize(
    ("comparison", "expected"),
    [
        (Comparison((0,), 1), {"c[0]"}),
        (Comparison((0,), 1, equal=False), {"Eq(c[0], 0)"}),
        (Comparison((0, 1), 2), {"Eq(c[0], 0)", "c[1]"}),
        (Comparison((1, 0), 2, equal=False), {"Ne(c[0], 1) | Ne(c[1], 0)"}),
        (Comparison((2,), 0), set()),
        (Comparison((2,), 1), None),
        (Comparison((2,), 0, equal=False), None),
        (Comparison((2,), 1, equal=False), set()),
        (Comparison((0, 2), 1), {"c[0]"}),
        (Comparison((0, 2), 3), None),
        (Comparison((0, 2), 1, equal=False), {"Eq(c[0], 0)"}),
        (Comparison((0, 2), 3, equal=False), set()),
    ],
    ids=lambda value: (str(sorted(value)) if value else str(value)) if isinstance(value, set | None) else None,
)
def test_condition_is_said_in_terms_of_keys_written_so_far(adapter, comparison, expected):
    program = adapter.build(Circuit(2, 3).measure(0, 0).measure(1, 1).x(0, when=comparison))
    flips = [op for op in program.circuit.all_operations() if op.without_classical_controls().gate == cirq.X]
    found = [{str(control) for control in op.classical_controls} for op in flips]
    assert found == ([] if expected is None else [expected])


def test_conditional_operation_waits_for_its_measurement(adapter):
    built = adapter.build(Circuit(2, 1).h(0).measure(0, 0).x(1, when={0: 1})).circuit
    assert len(built) == 3


def test_own_sampler_has_no_conditional_measurement(adapter):
    circuit = Circuit(2, 2).h(0).measure(0, 0).measure(1, 1, when={0: 1})
    with pytest.raises(UnsupportedError, match=r"operation 2: .* no conditional measurement") as caught:
        adapter.run(circuit, shots=1, sampling=Sampling.NATIVE)
    assert caught.value.simulator == "cirq"


def test_shared_driver_has_it(adapter):
    circuit = Circuit(2, 2).x(0).measure(0, 0).x(1).measure(1, 1, when={0: 1})
    assert adapter.run(circuit, shots=5) == {"11": 5}


def test_building_the_same_circuit_twice_gives_equal_circuits(adapter):
    assert adapter.build(teleportation()).circuit == adapter.build(teleportation()).circuit


def test_outcomes_that_are_overwritten_count_for_the_memory_of_shots(monkeypatch):
    monkeypatch.setattr(base, "available_bytes", lambda: 100 * 2**20)
    circuit = Circuit(1, 1)
    for _ in range(100):
        circuit.h(0).measure(0, 0)
    with pytest.raises(LimitError, match="100,000 shots do not fit"):
        CirqAdapter().run(circuit, shots=100_000, sampling=Sampling.NATIVE)
