"""The traps of Cirq's circuits."""

from __future__ import annotations

import cirq
import numpy as np
import pytest
import sympy
from support.simulation import assert_same_ensembles, ensembles, unitary

from gateway.circuit import Circuit, Comparison
from gateway.errors import CircuitInvalidError, LimitError, UnsupportedError
from gateway.frameworks import parse

A, B, C, D = cirq.LineQubit.range(4)


def same(circuit: cirq.AbstractCircuit) -> Circuit:
    """Return the shared circuit after comparing the two matrices."""
    found = parse(circuit)
    wanted = circuit.unitary(qubit_order=sorted(circuit.all_qubits())[::-1], dtype=np.complex128)
    np.testing.assert_allclose(unitary(found), wanted, atol=1e-7)
    return found


# ---------------------------------------------------------------------------- gates

EIGEN_GATES = [
    cirq.XPowGate, cirq.YPowGate, cirq.ZPowGate, cirq.HPowGate, cirq.XXPowGate, cirq.YYPowGate, cirq.ZZPowGate,
    cirq.CXPowGate, cirq.CYPowGate, cirq.CZPowGate, cirq.CCXPowGate, cirq.CCYPowGate, cirq.CCZPowGate,
    cirq.SwapPowGate, cirq.ISwapPowGate,
]  # fmt: skip


@pytest.mark.parametrize("gate", EIGEN_GATES, ids=lambda gate: gate.__name__)
@pytest.mark.parametrize("shift", [0, -0.5, 0.3])
@pytest.mark.parametrize("exponent", [0, 1, -1, 0.5, -0.5, 0.25, 2, 3, 0.37, -5.2])
def test_powers_are_exact_with_their_global_shift(gate, exponent: float, shift: float):
    made = gate(exponent=exponent, global_shift=shift)
    same(cirq.Circuit(made.on(*cirq.LineQubit.range(made.num_qubits()))))


GATES = [
    cirq.PhasedXPowGate(phase_exponent=0.3, exponent=1.7, global_shift=0.2),
    cirq.PhasedXZGate(x_exponent=0.3, z_exponent=-1.2, axis_phase_exponent=0.7),
    cirq.PhasedISwapPowGate(phase_exponent=0.2, exponent=0.7),
    cirq.FSimGate(0.4, 5.0),
    cirq.PhasedFSimGate(0.3, 0.1, 0.2, -0.4, 0.7),
    cirq.givens(0.4),
    cirq.ms(0.7),
    cirq.rx(7.0),
    cirq.CSWAP,
    cirq.IdentityGate(3),
    cirq.GlobalPhaseGate(1j),
    cirq.QuantumFourierTransformGate(3),
    cirq.QubitPermutationGate([2, 0, 1]),
    cirq.PhaseGradientGate(num_qubits=3, exponent=0.3),
    cirq.DiagonalGate([0.1, 0.2, 0.3, 0.4]),
    cirq.TwoQubitDiagonalGate([0.1, 0.2, 0.3, 0.4]),
    cirq.ThreeQubitDiagonalGate([0.1 * k for k in range(8)]),
    cirq.ParallelGate(cirq.Y**0.3, 3),
    cirq.PauliInteractionGate(cirq.X, True, cirq.Y, False, exponent=0.3),
    cirq.SingleQubitCliffordGate.X_sqrt,
    cirq.CliffordGate.from_op_list([cirq.H(A), cirq.CNOT(A, B)], [A, B]),
    cirq.BooleanHamiltonianGate(["a", "b"], ["a ^ b"], 0.3),
    cirq.UniformSuperpositionGate(3, 2),
    cirq.MatrixGate(cirq.testing.random_unitary(2, random_state=1)),
    cirq.MatrixGate(cirq.testing.random_unitary(4, random_state=2)),
    cirq.MatrixGate(cirq.testing.random_unitary(8, random_state=3)),
    cirq.MatrixGate(cirq.testing.random_unitary(16, random_state=4)),
    cirq.ControlledGate(cirq.MatrixGate(cirq.testing.random_unitary(4, random_state=5))),
    cirq.ControlledGate(cirq.GlobalPhaseGate(np.exp(0.3j)), num_controls=2),
    cirq.ControlledGate(cirq.PhasedXZGate(x_exponent=0.3, z_exponent=1, axis_phase_exponent=0.2), control_values=[0]),
    cirq.ControlledGate(cirq.SWAP**0.3, num_controls=2, control_values=[0, 1]),
    cirq.ControlledGate(cirq.X, control_values=[(0, 1), 1]),
    cirq.ControlledGate(cirq.Y, control_values=cirq.SumOfProducts([(0, 1), (1, 0)])),
    cirq.ControlledGate(cirq.ControlledGate(cirq.H, num_controls=2), num_controls=1),
    cirq.ControlledGate(cirq.QuantumFourierTransformGate(2)),
]


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: type(gate).__name__)
def test_other_gates_are_exact_with_their_phase(gate):
    qubits = cirq.LineQubit.range(gate.num_qubits())
    same(cirq.Circuit(cirq.I.on_each(*qubits), gate.on(*qubits[::-1])))


def test_operations_that_have_no_gate_are_exact():
    same(cirq.Circuit(cirq.PauliString({A: cirq.X, B: cirq.Y}, coefficient=-1), cirq.Z(C)))
    same(cirq.Circuit(cirq.PauliStringPhasor(cirq.X(A) * cirq.Z(B), exponent_neg=0.3)))
    same(cirq.Circuit(cirq.PauliString({A: cirq.X, B: cirq.Y}).controlled_by(C)))
    same(cirq.Circuit(cirq.CircuitOperation(cirq.FrozenCircuit(cirq.S(A), cirq.CNOT(B, A))).controlled_by(C)))


def test_a_gate_of_someones_own_is_what_it_says_of_itself():
    class Mine(cirq.XPowGate):
        def _decompose_(self, qubits):
            return cirq.T(*qubits)

        def _apply_unitary_(self, args):
            return NotImplemented

        def _unitary_(self):
            return cirq.unitary(cirq.T)

    class Matrix(cirq.Gate):
        def _num_qubits_(self):
            return 2

        def _unitary_(self):
            return np.exp(0.4j) * cirq.unitary(cirq.CNOT**0.3)

    same(cirq.Circuit(Mine().on(A), Matrix().on(A, B)))


def test_a_decomposition_that_loses_the_phase_is_put_right():
    class Careless(cirq.Gate):
        def _num_qubits_(self):
            return 2

        def _unitary_(self):
            return -1j * cirq.unitary(cirq.CNOT)

        def _decompose_(self, qubits):
            return cirq.CNOT(*qubits)

    same(cirq.Circuit(Careless().on(B, A), Careless().on(A, B).controlled_by(C)))


def test_a_decomposition_into_another_operation_is_refused():
    class Wrong(cirq.Gate):
        def _num_qubits_(self):
            return 2

        def _unitary_(self):
            return cirq.unitary(cirq.ISWAP**0.5)

        def _decompose_(self, qubits):
            return cirq.H(qubits[0])

    with pytest.raises(UnsupportedError, match="its decomposition is another operation"):
        parse(cirq.Circuit(Wrong().on(A, B)))


def test_tags_change_nothing():
    assert parse(cirq.Circuit(cirq.X(A).with_tags("mine", cirq.VirtualTag()))) == Circuit(1).x(0)


# ---------------------------------------------------------------------------- qubits, keys and clbits


def test_qubits_are_numbered_in_cirqs_order_without_gaps():
    circuit = cirq.Circuit(cirq.X(cirq.LineQubit(7)), cirq.H(cirq.LineQubit(3)), cirq.Z(cirq.NamedQubit("a")))
    assert circuit.all_qubits() == {cirq.NamedQubit("a"), cirq.LineQubit(3), cirq.LineQubit(7)}
    assert sorted(map(str, parse(circuit).operations)) == ["h 0", "x 1", "z 2"]
    assert parse(circuit.freeze()) == parse(circuit)


def test_keys_are_clbits_in_order_of_appearance_and_a_key_of_many_qubits_is_as_many():
    circuit = cirq.Circuit(cirq.measure(C, A, key="z"), cirq.X(B), cirq.measure(B, key="a"))
    found = parse(circuit)
    assert (found.num_qubits, found.num_clbits) == (3, 3)
    assert [str(op) for op in found.operations if op.clbits] == ["measure 2 -> 0", "measure 0 -> 1", "measure 1 -> 2"]


def test_an_inverted_measurement_leaves_the_qubit_as_it_was():
    circuit = cirq.Circuit(cirq.measure(A, B, key="m", invert_mask=(True,)), cirq.CNOT(A, B))
    assert parse(circuit) == Circuit(2, 2).x(0).measure(0, 0).x(0).measure(1, 1).cx(0, 1)


def test_a_pauli_measurement_is_one_in_another_basis():
    found = parse(cirq.Circuit(cirq.measure_single_paulistring(cirq.X(A) * cirq.Z(B), key="m")))
    by_hand = Circuit(2, 1).h(0).cx(1, 0).measure(0, 0).cx(1, 0).h(0)
    prepared = Circuit(2, 1).u(0.3, 0.4, 0.5, 0).u(1.1, 0.2, 0.6, 1).cx(0, 1).operations
    assert_same_ensembles(Circuit(2, 1, prepared + found.operations), Circuit(2, 1, prepared + by_hand.operations))


def test_a_reset_is_a_reset():
    assert parse(cirq.Circuit(cirq.X(A), cirq.reset(A))) == Circuit(1).x(0).reset(0)


@pytest.mark.parametrize("num_qubits", [1, 2, 3])
def test_a_prepared_state_replaces_what_the_qubits_had(num_qubits: int):
    state = cirq.testing.random_superposition(2**num_qubits, random_state=num_qubits)
    qubits = cirq.LineQubit.range(num_qubits)
    before = cirq.Circuit(cirq.H(D), [cirq.CNOT(D, qubit) for qubit in qubits])
    found = parse(before + cirq.StatePreparationChannel(state).on(*qubits[::-1]))
    matrices = ensembles(found)
    reduced = sum(matrices.values()).reshape([2, 2**num_qubits, 2, 2**num_qubits]).trace(axis1=0, axis2=2)
    np.testing.assert_allclose(reduced, np.outer(state, state.conj()), atol=1e-7)


def test_circuit_operations_are_unrolled_with_their_keys_and_qubits():
    inner = cirq.FrozenCircuit(cirq.X(A), cirq.measure(A, key="m"))
    outer = cirq.Circuit(cirq.CircuitOperation(inner, repetitions=2, qubit_map={A: B}, use_repetition_ids=True))
    assert parse(outer) == Circuit(1, 2).x(0).measure(0, 0).x(0).measure(0, 1)
    mapped = cirq.CircuitOperation(inner).with_measurement_key_mapping({"m": "other"})
    with_condition = cirq.Circuit(mapped, cirq.Z(B).with_classical_controls("other"))
    assert [op.condition for op in parse(with_condition).operations][-1] == (Comparison((0,), 1),)


# ---------------------------------------------------------------------------- conditions


def taken(control: object) -> list[int]:
    """Return the values of three measured bits (the first two keyed ``m``) for which a control lets pass."""
    measured = [cirq.measure(A, B, key="m"), cirq.measure(C, key="n")]
    circuit = cirq.Circuit(*measured, cirq.X(D).with_classical_controls(control))
    found = [op for op in parse(circuit).operations if op.name == "x"]
    return [bits for bits in range(8) if any(all(part.holds(bits) for part in op.condition) for op in found)]


def by_cirq(control: cirq.Condition) -> list[int]:
    """Return the same by preparing each value and running Cirq's own simulator."""
    values = []
    for bits in range(8):
        prepared = [cirq.X(qubit) for place, qubit in enumerate((A, B, C)) if bits >> place & 1]
        circuit = cirq.Circuit(
            prepared, cirq.measure(A, B, key="m"), cirq.measure(C, key="n"),
            cirq.X(D).with_classical_controls(control), cirq.measure(D, key="out"),
        )  # fmt: skip
        if cirq.Simulator().run(circuit).measurements["out"][0, 0]:
            values.append(bits)
    return values


M, N = sympy.symbols("m n")


@pytest.mark.parametrize(
    "control",
    [
        cirq.KeyCondition(cirq.MeasurementKey("m")),
        cirq.KeyCondition(cirq.MeasurementKey("n")),
        cirq.BitMaskKeyCondition("m", target_value=1, equal_target=True),
        cirq.BitMaskKeyCondition("m", target_value=2, equal_target=False),
        cirq.BitMaskKeyCondition("m", bitmask=2, target_value=2, equal_target=True),
        cirq.BitMaskKeyCondition("m", bitmask=1),
        cirq.BitMaskKeyCondition("m", bitmask=1, target_value=2, equal_target=True),
        cirq.BitMaskKeyCondition("m", target_value=9, equal_target=False),
        cirq.SympyCondition(sympy.Eq(M, 2)),
        cirq.SympyCondition(sympy.Ne(M, 1)),
        cirq.SympyCondition(M > N),
        cirq.SympyCondition(sympy.Eq(M + N, 2)),
        cirq.SympyCondition(sympy.Xor(sympy.Eq(M, 2), sympy.Eq(N, 1))),
    ],
    ids=str,
)
def test_conditions_let_pass_what_cirq_lets_pass(control):
    assert taken(control) == by_cirq(control)


def test_several_conditions_must_all_hold():
    circuit = cirq.Circuit(
        cirq.measure(A, key="a"), cirq.measure(B, key="b"), cirq.X(C).with_classical_controls("a", "b")
    )
    assert parse(circuit).operations[-1].condition == (Comparison((0,), 1), Comparison((1,), 1))


def test_a_condition_on_a_key_that_is_not_measured_before_is_refused():
    circuit = cirq.Circuit(cirq.Moment(cirq.X(A).with_classical_controls("a")), cirq.Moment(cirq.measure(B, key="a")))
    with pytest.raises(CircuitInvalidError, match="operation 0: the key 'a' is tested before it is measured"):
        parse(circuit)


# ---------------------------------------------------------------------------- refusals


REFUSED = {
    "DepolarizingChannel": cirq.depolarize(0.1).on(A),
    "AmplitudeDampingChannel": cirq.amplitude_damp(0.1).on(A),
    "BitFlipChannel": cirq.bit_flip(0.1).on(A),
    "KrausChannel": cirq.KrausChannel([np.diag([1, 0]), np.diag([0, 1])]).on(A),
    "RandomGateChannel": cirq.X.with_probability(0.5).on(A),
    "confusion_map": cirq.measure(A, key="m", confusion_map={(0,): np.array([[0.9, 0.1], [0.1, 0.9]])}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_noise_is_refused_by_name(name: str):
    with pytest.raises(UnsupportedError, match=f"^operation 1: {name}: ") as caught:
        parse(cirq.Circuit(cirq.X(A), REFUSED[name]))
    assert caught.value.feature == name


def test_what_is_no_circuit_of_qubits_is_refused():
    qutrit = cirq.LineQid(0, dimension=3)
    with pytest.raises(UnsupportedError, match="qubits of two states"):
        parse(cirq.Circuit(cirq.IdentityGate(qid_shape=(3,)).on(qutrit)))


def test_a_key_measured_twice_is_refused():
    with pytest.raises(UnsupportedError, match="operation 1: repeated measurement key: 'm' is measured more than once"):
        parse(cirq.Circuit(cirq.measure(A, key="m"), cirq.measure(A, key="m")))


def test_a_loop_larger_than_circuits_may_be_is_refused_before_it_is_unrolled():
    loop = cirq.CircuitOperation(cirq.FrozenCircuit(cirq.X(A)), repetitions=10**9, use_repetition_ids=False)
    with pytest.raises(LimitError, match="1,000,000,000 operations"):
        parse(cirq.Circuit(loop))


# ---------------------------------------------------------------------------- dump


def test_a_dumped_circuit_is_what_a_user_of_cirq_would_write():
    circuit = Circuit(2, 2).h(0).cx(0, 1).measure(0, 0).x(1, when={0: 1}).measure(1, 1)
    wanted = cirq.Circuit(
        cirq.H(A), cirq.CNOT(A, B), cirq.measure(A, key="c[0]"),
        cirq.X(B).with_classical_controls("c[0]"), cirq.measure(B, key="c[1]"),
    )  # fmt: skip
    assert circuit.to("cirq") == wanted


def test_a_dumped_circuit_runs_on_cirqs_simulator_with_our_clbits():
    circuit = Circuit(3, 3).x(0).measure(0, 2).measure(1, 0).x(2, when={2: 1, 0: 0}).measure(2, 1)
    records = cirq.Simulator().run(circuit.to("cirq")).measurements
    assert {key: int(values[0, 0]) for key, values in records.items()} == {"c[0]": 0, "c[1]": 1, "c[2]": 1}


def test_a_clbit_measured_twice_has_two_keys_and_comes_back_as_one():
    circuit = Circuit(2, 1).x(0).measure(0, 0).x(1, when={0: 1}).measure(1, 0).z(1, when={0: 1})
    native = circuit.to("cirq")
    assert native.all_measurement_key_names() == {"c[0]#0", "c[0]"}
    assert parse(native) == circuit


def test_keys_like_ours_under_a_condition_on_an_overwritten_value_stay_apart():
    circuit = cirq.Circuit(
        cirq.Moment(cirq.measure(A, key="c[0]#0")),
        cirq.Moment(cirq.measure(A, key="c[0]")),
        cirq.Moment(cirq.X(A).with_classical_controls("c[0]#0")),
    )
    assert parse(circuit) == Circuit(1, 2).measure(0, 0).measure(0, 1).x(0, when={0: 1})


def test_conditions_on_clbits_never_measured_are_decided():
    circuit = Circuit(2, 3).x(0).measure(0, 0)
    circuit.x(1, when={1: 1}).y(1, when={1: 0, 0: 1}).z(1, when=Comparison((1, 2), 0, equal=False))
    assert [str(op) for op in circuit.to("cirq").all_operations() if op.classical_controls] == [
        "Y(q(1)).with_classical_controls(c[0])"
    ]


def test_a_qubit_of_operations_that_are_left_out_is_kept():
    circuit = Circuit(4, 1).x(0).barrier(1).x(3, when={0: 1})  # the clbit is never written
    assert parse(circuit.to("cirq")).num_qubits == 4
