"""PennyLane's circuits in and out: what holds for every framework, and what is PennyLane's own."""

from __future__ import annotations

import math

import numpy as np
import pennylane as qml
import pytest
from pennylane.tape import QuantumScript
from support.circuits import random_classical_circuit, random_dynamic_circuit, teleportation
from support.frameworks import Framework
from support.reference import distribution
from support.simulation import assert_same_behaviour, ensembles, unitary
from support.simulation import outcomes as outcomes_of
from unit.frameworks.test_frameworks import *  # noqa: F403 - the tests that hold for every framework

from gateway.circuit import Circuit, Expression, parameter
from gateway.circuit import bits as number_of
from gateway.errors import CircuitInvalidError, LimitError, RequestError, UnsupportedError
from gateway.frameworks import dump, parse

TURN = math.sqrt(0.5)
SOME_UNITARY = np.array([[0.6, 0.8j], [0.8j, 0.6]]) @ np.diag([1, np.exp(0.7j)]) * np.exp(0.2j)
OF_TWO_QUBITS = np.kron(SOME_UNITARY, SOME_UNITARY.T) @ np.diag(np.exp(1j * np.arange(4)))


def matrix(source, num_qubits: int) -> np.ndarray:
    """Return the matrix PennyLane itself gives, with wire 0 least significant."""
    return qml.matrix(source, wire_order=range(num_qubits - 1, -1, -1))


@pytest.fixture
def name() -> str:
    return "pennylane"


@pytest.fixture
def framework() -> Framework:
    return Framework(matrix, lambda: qml.X(0), conditional_measurement=False)


def tape(*operators, measure=()) -> QuantumScript:
    return QuantumScript(operators, measure)


# ---------------------------------------------------------------------------- where PennyLane has less than a circuit


@pytest.mark.parametrize(
    ("circuit", "kept"),
    [
        (Circuit(3, 3).x(0).measure(0, 2).measure(1, 0).measure(2, 1), [0, 1, 2]),
        (Circuit(4, 2).x(2).measure(2, 0).measure(0, 1), [0, 1]),
        (Circuit(12, 12).x(11).measure_all(), list(range(12))),
        (Circuit(12, 12).x(3).measure(3, 11).measure(10, 2).measure(2, 10), [2, 10, 11]),
        (Circuit(3, 5).x(1).measure(1, 3), [3]),
        (Circuit(5).x(0), []),
        (Circuit(2, 2).x(0).barrier().measure_all(), [0, 1]),
    ],
    ids=["permuted", "idle qubits", "12 in order", "out of order with gaps", "a gap", "idle", "barrier"],
)
def test_measured_bits_and_idle_qubits_are_kept(circuit: Circuit, kept: list[int]):
    back = parse(dump(circuit, "pennylane"))
    assert (back.num_qubits, back.num_clbits) == (circuit.num_qubits, len(kept))
    (wanted,) = distribution(circuit)
    assert distribution(back) == pytest.approx({"".join(wanted[-1 - clbit] for clbit in reversed(kept)): 1})


@pytest.mark.parametrize("seed", range(40))
def test_dynamic_circuits_do_the_same_there_and_back_or_are_refused(seed: int):
    circuit = random_dynamic_circuit(seed, num_operations=16)
    circuit.operations = [op for op in circuit.operations if op.name not in {"measure", "reset"} or not op.condition]
    for clbit in range(circuit.num_clbits):
        circuit.measure(clbit, clbit)
    back = parse(dump(circuit, "pennylane"))
    assert back.num_clbits >= circuit.num_clbits, "an outcome that is overwritten has a clbit of its own"
    marginal: dict[str, float] = {}
    for bits, probability in distribution(back).items():
        marginal[bits[-4:]] = marginal.get(bits[-4:], 0) + probability
    assert marginal == pytest.approx(distribution(circuit), abs=1e-9)


def test_a_conditional_reset_is_refused():
    circuit = Circuit(2, 1).measure(0, 0).reset(1, when={0: 1})
    with pytest.raises(UnsupportedError, match="operation 1: PennyLane has no reset under a condition"):
        dump(circuit, "pennylane")


# ---------------------------------------------------------------------------- operators

OPERATORS = [
    qml.Rot(0.1, 0.2, 0.3, 0), qml.CRot(0.1, 0.2, 0.3, [1, 0]), qml.U1(0.3, 0), qml.SISWAP([0, 1]),
    qml.PSWAP(0.3, [1, 0]),
    qml.CPhaseShift00(0.3, [0, 1]), qml.CPhaseShift01(0.3, [0, 1]), qml.CPhaseShift10(0.3, [0, 1]),
    qml.IsingXY(0.3, [0, 1]), qml.MultiRZ(0.3, [0, 2, 1]), qml.PauliRot(0.3, "XYZ", [2, 0, 1]), qml.GlobalPhase(0.3, 0),
    qml.MultiControlledX([0, 3, 1, 2], control_values=[1, 0, 1]), qml.MultiControlledX([5, 4, 3, 2, 1, 0]),
    qml.SingleExcitation(0.3, [0, 1]), qml.SingleExcitationPlus(0.3, [0, 1]), qml.DoubleExcitation(0.3, [0, 1, 2, 3]),
    qml.DoubleExcitationMinus(0.3, [0, 1, 2, 3]), qml.OrbitalRotation(0.3, [0, 1, 2, 3]),
    qml.FermionicSWAP(0.3, [0, 1]),
    qml.QubitCarry([0, 1, 2, 3]), qml.QubitSum([0, 1, 2]), qml.IntegerComparator(2, wires=[0, 1, 2]),
    qml.QFT([0, 1, 2]), qml.AQFT(1, [0, 1, 2]), qml.GroverOperator([0, 1, 2]), qml.Permute([2, 0, 1], [0, 1, 2]),
    qml.DiagonalQubitUnitary(np.exp(1j * np.arange(8)), [0, 1, 2]), qml.QubitUnitary(SOME_UNITARY, 1),
    qml.QubitUnitary(OF_TWO_QUBITS, [1, 0]), qml.QubitUnitary(np.kron(SOME_UNITARY, OF_TWO_QUBITS), [1, 0, 2]),
    qml.ControlledQubitUnitary(SOME_UNITARY, [0, 2, 1]), qml.ControlledQubitUnitary(OF_TWO_QUBITS, [2, 0, 1]),
    qml.SpecialUnitary(np.arange(15) / 10, [0, 1]), qml.PCPhase(0.3, 3, [0, 1]),
    qml.BlockEncode(np.array([[0.1, 0.2], [0.3, 0.4]]), [0, 1]),
    qml.Hermitian(np.array([[TURN, TURN], [TURN, -TURN]]), 0),
    qml.adjoint(qml.S(0)), qml.adjoint(qml.U3(0.1, 0.2, 0.3, 0)), qml.adjoint(qml.QFT([0, 1])),
    qml.ctrl(qml.RX(0.3, 0), [1, 2], control_values=[0, 1]), qml.ctrl(qml.GlobalPhase(0.3), [0, 1]),
    qml.ctrl(qml.QFT([0, 1]), [2]), qml.ctrl(qml.adjoint(qml.S(0)), [1, 2], control_values=[0, 0]),
    qml.pow(qml.X(0), 0.5), qml.pow(qml.RX(0.3, 0), -2.5), qml.pow(qml.ISWAP([0, 1]), 0.5), qml.pow(qml.S(0), -1),
    qml.pow(qml.QubitUnitary(OF_TWO_QUBITS, [0, 1]), 0.5), qml.prod(qml.X(0), qml.Y(1), qml.H(0)),
    qml.s_prod(1j, qml.X(0)), qml.exp(qml.X(0) @ qml.Y(1), 0.3j), qml.evolve(qml.X(0) @ qml.Z(1), 0.3),
    qml.TrotterProduct(qml.X(0) + qml.Z(0) @ qml.Z(1), 0.3, 2, 2), qml.Select([qml.X(0), qml.Y(0)], control=[1]),
    qml.StronglyEntanglingLayers(np.arange(18).reshape(2, 3, 3) / 7, range(3)), qml.Barrier([0, 1]),
    qml.QuantumPhaseEstimation(qml.RX(0.3, 0), estimation_wires=[1, 2]), qml.Adder(3, [0, 1, 2], work_wires=[3, 4]),
    qml.SelectPauliRot(np.arange(4) / 3, [0, 1], 2), qml.Reflection(qml.H(0)), qml.TemporaryAND([0, 1, 2]),
]  # fmt: skip


@pytest.mark.parametrize("operator", OPERATORS, ids=lambda operator: operator.name)
def test_an_operator_keeps_its_matrix_and_its_phase(operator):
    circuit = parse(tape(operator))
    circuit.num_qubits = max(operator.wires) + 1
    np.testing.assert_allclose(unitary(circuit), matrix(operator, circuit.num_qubits), atol=1e-9)


@pytest.mark.parametrize(
    "operator",
    [
        qml.BasisState([1, 0, 1], [0, 1, 2]),
        qml.StatePrep(np.array([0.1, 0.7, 0.5j, 0.5]), [1, 0]),
        qml.AmplitudeEmbedding(np.arange(1, 5), [0, 1], normalize=True),
    ],
    ids=lambda operator: operator.name,
)
def test_a_state_is_prepared(operator):
    vector = unitary(parse(tape(operator)))[:, 0]
    wanted = operator.state_vector(wire_order=sorted(operator.wires, reverse=True)).reshape(-1)
    np.testing.assert_allclose(vector, wanted, atol=1e-9)


@pytest.mark.parametrize(
    ("operator", "what"),
    [
        (qml.DepolarizingChannel(0.1, 0), "DepolarizingChannel"),
        (qml.Projector([1], 0), "Projector"),
        (qml.X(0) + qml.Y(0), "Sum"),
        (qml.Displacement(0.1, 0.2, 0), "Displacement"),
        (qml.TShift(0), "TShift"),
        (qml.RX(np.array([0.1, 0.2]), 0), "RX"),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_what_a_circuit_cannot_say_is_refused_by_name_and_place(operator, what: str):
    with pytest.raises(UnsupportedError, match=f"operation 1: {what}: ") as caught:
        parse(tape(qml.X(0), operator))
    assert caught.value.feature == what


def test_what_pennylane_says_does_nothing_does_nothing():
    found = parse(tape(qml.X(0), qml.Snapshot("here"), qml.WireCut(0), qml.X(0)))
    assert found == Circuit(1).x(0).x(0)
    assert found.notes == ("a snapshot has no effect here",)


class Symbol:
    """What a parameter is that has no value yet."""

    shape = ()


def test_a_parameter_without_a_value_is_refused():
    with pytest.raises(CircuitInvalidError, match="operation 0: RX has a parameter without a value"):
        parse(tape(qml.RX(Symbol(), 0)))


# ---------------------------------------------------------------------------- wires


def test_numbers_are_qubits_and_gaps_are_idle():
    assert parse(tape(qml.X(3), qml.CNOT([3, 1]))) == Circuit(4).x(3).cx(3, 1)


def test_other_labels_are_numbered_in_order_of_first_use():
    assert parse(tape(qml.CNOT(["b", "a"]), qml.X(0), qml.X("a"))) == Circuit(3).cx(0, 1).x(2).x(1)
    assert parse(tape(qml.X(-1), qml.X(2.5))) == Circuit(2).x(0).x(1)


def test_the_wires_of_a_qnodes_device_are_its_qubits_in_their_order():
    @qml.qnode(qml.device("default.qubit", wires=["z", 7, "idle", "a"]))
    def circuit():
        qml.CNOT(["a", "z"])
        return qml.counts(wires=[7, "a"])

    assert parse(circuit) == Circuit(4, 2).cx(3, 0).measure(1, 0).measure(3, 1)


def test_a_wire_the_device_does_not_have_is_refused():
    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit():
        qml.X(5)
        return qml.counts()

    with pytest.raises((CircuitInvalidError, qml.wires.WireError), match="5"):
        parse(circuit)


def test_a_large_number_is_refused_before_anything_is_built():
    with pytest.raises(LimitError, match=r"10,000,001 qubits"):
        parse(tape(qml.X(10_000_000)))


# ---------------------------------------------------------------------------- QNodes


def test_a_qnode_is_taken_with_the_transforms_applied_to_it():
    @qml.transforms.cancel_inverses
    @qml.qnode(qml.device("default.qubit"))
    def circuit(angle=0.5):
        qml.X(0)
        qml.X(0)
        qml.RX(angle, 0)
        return qml.counts(wires=0)

    assert parse(circuit) == Circuit(1, 1).rx(0.5, 0).measure(0, 0)


def test_a_qnode_that_needs_arguments_is_refused_with_their_names():
    @qml.qnode(qml.device("default.qubit"))
    def circuit(theta, phi, times=2):
        qml.RX(theta, 0)
        return qml.counts()

    with pytest.raises(CircuitInvalidError, match="no value: phi, theta"):
        parse(circuit)
    assert parse(qml.workflow.construct_tape(circuit)(0.5, 0.1)) == Circuit(1, 1).rx(0.5, 0).measure(0, 0)


def test_arrays_of_one_number_are_angles():
    assert parse(tape(qml.RX(np.float64(0.5), 0), qml.RZ(qml.numpy.array(0.25), 0))) == Circuit(1).rx(0.5, 0).rz(
        0.25, 0
    )


def test_what_is_no_circuit_is_refused():
    with pytest.raises(RequestError, match="a QuantumScript or a QNode, not a PauliX"):
        parse(qml.X(0))


# ---------------------------------------------------------------------------- bits


def test_the_bits_at_the_end_are_the_clbits_in_their_order():
    measured = [qml.sample(wires=2), qml.counts(wires=[1, 0]), qml.probs(wires=2)]
    found = parse(QuantumScript([qml.X(0)], measured))
    assert found == Circuit(3, 4).x(0).measure(2, 0).measure(1, 1).measure(0, 2).measure(2, 3)


def test_without_wires_everything_is_measured():
    assert parse(QuantumScript([qml.X(2)], [qml.sample()])) == Circuit(3).x(2).measure_all()


@pytest.mark.parametrize(
    "measurement",
    [
        qml.expval(qml.Z(0)),
        qml.state(),
        qml.counts(qml.Z(0)),
        qml.var(qml.X(0)),
        qml.vn_entropy(wires=0),
        qml.classical_shadow(wires=0),
        qml.shadow_expval(qml.Z(0)),
    ],
    ids=lambda measurement: type(measurement).__name__,
)
def test_a_measurement_that_is_not_of_bits_is_refused_by_name(measurement):
    with pytest.raises(UnsupportedError, match=r"a circuit ends with bits.*gateway\.simulator") as caught:
        parse(QuantumScript([qml.X(0)], [measurement]))
    assert caught.value.feature == repr(measurement)


def measured(circuit) -> Circuit:
    with qml.queuing.AnnotatedQueue() as queue:
        circuit()
    return parse(QuantumScript.from_queue(queue))


def test_mid_circuit_measurements_come_after_the_bits_at_the_end_and_keep_their_order():
    def circuit():
        qml.measure(0)
        second = qml.measure(1)
        qml.X(0)
        qml.counts([second])

    assert measured(circuit) == Circuit(2, 2).measure(0, 1).measure(1, 0).x(0)


def test_a_reset_is_one_if_nothing_reads_the_outcome():
    def circuit():
        qml.measure(0, reset=True)
        read = qml.measure(1, reset=True)
        qml.cond(read, qml.X)(0)

    assert measured(circuit) == Circuit(2, 1).reset(0).measure(1, 0).reset(1).x(0, when={0: 1})


@pytest.mark.parametrize(
    "function",
    [
        lambda a, b, c: a,
        lambda a, b, c: ~a,
        lambda a, b, c: a & b,
        lambda a, b, c: a | b,
        lambda a, b, c: a ^ b,
        lambda a, b, c: a + 2 * b + 4 * c == 5,
        lambda a, b, c: a + b + c >= 2,
        lambda a, b, c: (a == 0) & (b != c),
        lambda a, b, c: a + b + c > 3,
        lambda a, b, c: a >= 0,
    ],
    ids=["a", "not a", "and", "or", "xor", "a number", "majority", "mixed", "never", "always"],
)
def test_any_function_of_outcomes_is_a_condition(function):
    def circuit():
        outcomes = []
        for wire in range(3):
            qml.RY(0.7 + wire, wire)
            outcomes.append(qml.measure(wire))
        qml.cond(function(*outcomes), qml.X)(3)
        qml.counts([*outcomes, qml.measure(3)])

    found = distribution(measured(circuit))
    probabilities = [math.sin((0.7 + wire) / 2) ** 2 for wire in range(3)]
    truth = _truth(function)
    wanted = {}
    for index in range(8):
        bits = [index >> place & 1 for place in range(3)]
        key = "".join(map(str, [int(truth[tuple(bits)]), *reversed(bits)]))
        wanted[key] = math.prod(p if bit else 1 - p for p, bit in zip(probabilities, bits, strict=True))
    assert found == pytest.approx(wanted)


def _truth(function) -> dict[tuple[int, ...], bool]:
    """Return whether PennyLane says a function of three outcomes holds."""
    return {bits: bool(value) for bits, value in _values(function).items()}


def _values(function) -> dict[tuple[int, ...], int]:
    """Return what PennyLane says a function of three outcomes is."""
    outcomes = [qml.ops.MeasurementValue([qml.ops.MidMeasure(k, meas_uid=str(k))]) for k in range(3)]
    value = function(*outcomes)
    places = [int(one.meas_uid) for one in value.measurements]
    return {
        bits: int(value.processing_fn(*(bits[place] for place in places)))
        for bits in [(i & 1, i >> 1 & 1, i >> 2) for i in range(8)]
    }


def test_an_else_is_the_opposite_condition():
    def circuit():
        outcome = qml.measure(0)
        qml.cond(outcome, qml.X, qml.Y)(1)

    assert measured(circuit) == Circuit(2, 1).measure(0, 0).x(1, when={0: 1}).y(1, when={0: 0})


def test_a_condition_on_what_was_not_measured_is_refused():
    value = qml.ops.MeasurementValue([qml.ops.MidMeasure(0, meas_uid="elsewhere")])
    with pytest.raises(CircuitInvalidError, match=r"operation 0: .* a measurement that has not happened"):
        parse(tape(qml.ops.Conditional(value, qml.X(0))))


@pytest.mark.parametrize(
    ("function", "width"),
    [
        (lambda a, b, c: a + 2 * b + 4 * c, 3),
        (lambda a, b, c: a + b + c, 2),
        (lambda a, b, c: (a & ~b) | c, 1),
        (lambda a, b, c: a + 2 * b == 3, 1),
        (lambda a, b, c: 5 * a, 3),
        (lambda a, b, c: a > 1, 1),
    ],
    ids=["a number", "a sum", "logic", "a comparison", "0 or 5", "never"],
)
def test_what_is_computed_from_outcomes_at_the_end_is_a_number_of_clbits(function, width: int):
    def circuit():
        outcomes = []
        for wire in range(3):
            qml.RY(0.7 + wire, wire)
            outcomes.append(qml.measure(wire))
        qml.counts(function(*outcomes))

    found = measured(circuit)
    assert found.num_clbits == width + 3, "the outcomes themselves come after the number"
    probabilities = [math.sin((0.7 + wire) / 2) ** 2 for wire in range(3)]
    wanted: dict[int, float] = {}
    for bits, value in _values(function).items():
        weight = math.prod(p if bit else 1 - p for p, bit in zip(probabilities, bits, strict=True))
        wanted[value] = wanted.get(value, 0) + weight
    marginal: dict[int, float] = {}
    for key, probability in outcomes_of(found).items():
        value = int(key[-width:], 2)
        marginal[value] = marginal.get(value, 0) + probability
    assert marginal == pytest.approx(wanted)


def test_a_value_that_is_no_whole_number_is_refused():
    for function in (lambda a: a / 2, lambda a: -1 * a):

        def circuit(function=function):
            qml.counts(function(qml.measure(0)))

        with pytest.raises(UnsupportedError, match="clbits hold whole numbers from 0 on"):
            measured(circuit)


def test_a_function_of_many_outcomes_is_refused():
    def circuit():
        total = sum(qml.measure(wire) for wire in range(13))
        qml.cond(total == 13, qml.X)(0)

    with pytest.raises(UnsupportedError, match="operation 13: cond: it depends on more than 12 measurements"):
        measured(circuit)


# ---------------------------------------------------------------------------- postselection


def test_postselection_keeps_what_pennylane_keeps():
    def circuit():
        qml.RY(0.7, 0)
        qml.CNOT([0, 1])
        qml.RY(0.4, 0)
        first = qml.measure(0, postselect=1)
        qml.RX(1.1, 1)
        second = qml.measure(1, reset=True, postselect=0)
        qml.cond(first & ~second, qml.RY)(0.9, 2)
        return qml.probs(wires=[0, 1, 2])

    wanted = qml.QNode(circuit, qml.device("default.qubit"))()
    found = outcomes_of(measured(circuit))
    assert sum(found.values()) == pytest.approx(1)
    marginal = np.zeros(8)
    for key, probability in found.items():
        marginal[int(key[:-4:-1], 2)] += probability  # PennyLane's first wire is leftmost
    np.testing.assert_allclose(marginal, wanted, atol=1e-8)


def test_postselection_begins_again_with_all_qubits_reset():
    def circuit():
        qml.H(0)
        qml.measure(0, postselect=1)
        qml.counts(wires=0)

    found = measured(circuit)
    assert [op.name for op in found.operations] == ["while", "reset", "set", "h", "measure", "set", "end", "measure"]
    assert (found.num_clbits, found.num_hidden) == (2, 1)


# ---------------------------------------------------------------------------- products of Pauli operators


@pytest.mark.parametrize("word", ["X", "Y", "Z", "XX", "ZY", "XYZ"])
def test_a_measurement_of_a_pauli_product_projects_onto_its_eigenspaces(word: str):
    wires = list(range(len(word)))
    angles = [(0.7, 0.3), (1.2, -0.4), (0.5, 0.9)]
    prepared = [gate(angle, k) for k in wires for gate, angle in zip((qml.RY, qml.RZ), angles[k], strict=True)]
    found = ensembles(parse(tape(*prepared, qml.ops.PauliMeasure(word, wires, meas_uid="m"))))
    before = qml.matrix(qml.prod(*prepared[::-1]), wire_order=wires[::-1])[:, 0]
    pauli = qml.matrix(qml.pauli.string_to_pauli_word(word), wire_order=wires[::-1])
    for outcome, sign in ((0, 1), (1, -1)):
        after = (before + sign * pauli @ before) / 2
        np.testing.assert_allclose(found[outcome].reshape(2 ** len(word), -1), np.outer(after, after.conj()), atol=1e-9)


# ---------------------------------------------------------------------------- what PennyLane makes of a dumped circuit


@pytest.mark.parametrize("circuit", [teleportation(), Circuit(3, 3).ry(0.8, 0).cx(0, 2).measure(2, 0).measure(0, 2)])
def test_pennylane_runs_a_dumped_circuit_with_the_first_clbit_leftmost(circuit: Circuit):
    script = dump(circuit, "pennylane").copy(shots=4000)
    counts = qml.execute([script], qml.device("default.qubit", seed=5))[0]
    wanted = distribution(circuit)
    clbits = sorted(clbit for op in circuit.operations for clbit in op.clbits)
    for bits, number in counts.items():
        ours = ["0"] * circuit.num_clbits
        for clbit, bit in zip(clbits, bits, strict=True):
            ours[-1 - clbit] = bit
        assert abs(number / 4000 - wanted["".join(ours)]) < 5 * math.sqrt(0.25 / 4000)  # 5 sigma


def test_a_dumped_circuit_can_be_queued_in_a_qnode():
    script = Circuit(2).h(0).cx(0, 1).to("pennylane")

    @qml.qnode(qml.device("default.qubit", wires=2))
    def circuit():
        for operator in script.operations:
            qml.apply(operator)
        return qml.expval(qml.X(0) @ qml.X(1))

    assert circuit() == pytest.approx(1)


def test_dumping_inside_a_qnode_queues_nothing():
    with qml.queuing.AnnotatedQueue() as queue:
        Circuit(2, 1).h(0).measure(0, 0).x(1, when={0: 1}).to("pennylane")
    assert not queue.queue


@pytest.mark.parametrize("seed", range(60))
def test_assignments_do_the_same_there_and_back_or_are_refused(seed: int):
    circuit = random_classical_circuit(seed)
    circuit.operations = [op for op in circuit.operations if op.name not in {"measure", "reset"} or not op.condition]
    if any(op.name == "while" for op in circuit.operations):
        with pytest.raises(UnsupportedError, match=r"operation \d+: PennyLane's tapes have no loop"):
            dump(circuit, "pennylane")
        return
    circuit.set([0, 1], number_of(0, 1))  # so that both clbits appear in the number
    script = dump(circuit, "pennylane")
    width = max(script.measurements[0].mv.branches.values()).bit_length() or 1
    marginal: dict[str, float] = {}
    for key, probability in outcomes_of(parse(script)).items():
        value = key[-width:].zfill(2)
        marginal[value] = marginal.get(value, 0) + probability
    assert marginal == pytest.approx(outcomes_of(circuit), abs=1e-7)


def test_pennylane_runs_dumped_assignments():
    circuit = (
        Circuit(2, 3, num_hidden=1).h(0).measure(0, 3).set([0], Expression("not", (number_of(3),))).h(1).measure(1, 1)
    )
    circuit.set([0], Expression("not", (number_of(3),))).set([2], Expression("^", (number_of(0), number_of(1)))).x(
        0, when={2: 1}
    ).set([1], 1, when={2: 0})
    script = dump(circuit, "pennylane").copy(shots=400)
    (counts,) = qml.execute([script], qml.device("default.qubit", seed=5))
    wanted = {int(key, 2): probability for key, probability in outcomes_of(circuit).items()}
    assert {int(value) for value in counts} == wanted.keys()
    for value, number in counts.items():
        assert abs(number / 400 - wanted[int(value)]) < 5 * math.sqrt(0.25 / 400)  # 5 sigma


def test_a_hidden_clbit_is_not_counted():
    circuit = Circuit(1, 1, num_hidden=1).h(0).measure(0, 1).reset(0).x(0, when={1: 1}).measure(0, 0)
    (counts,) = dump(circuit, "pennylane").measurements
    assert len(counts.mv) == 1


def test_parameters_need_values_in_a_tape():
    with pytest.raises(CircuitInvalidError, match="parameters have no value: t"):
        dump(Circuit(1).rx(parameter("t"), 0), "pennylane")


def test_dumped_measurements_are_the_last_thing_if_they_can_be():
    assert dump(Circuit(2).h(0).measure_all(), "pennylane").operations == [qml.H(0)]
    assert_same_behaviour(parse(dump(Circuit(1).h(0).measure_all(), "pennylane")), Circuit(1).h(0).measure_all())
