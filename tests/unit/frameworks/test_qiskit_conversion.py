"""The traps of Qiskit's circuits."""

from __future__ import annotations

import numpy as np
import pytest
from qiskit import ClassicalRegister, QuantumCircuit, QuantumRegister, transpile
from qiskit.circuit import (
    AnnotatedOperation,
    Clbit,
    ControlModifier,
    Gate,
    Instruction,
    InverseModifier,
    Parameter,
    PowerModifier,
    Qubit,
)
from qiskit.circuit.classical import expr, types
from qiskit.circuit.library import (
    CXGate,
    DiagonalGate,
    HGate,
    LinearFunction,
    MCPhaseGate,
    MCXGate,
    MSGate,
    MultiplierGate,
    PauliEvolutionGate,
    PauliGate,
    PermutationGate,
    QFTGate,
    RGate,
    RVGate,
    RYGate,
    RZGate,
    SGate,
    StatePreparation,
    SXGate,
    UGate,
    UnitaryGate,
    XGate,
    ZGate,
)
from qiskit.quantum_info import Operator, SparsePauliOp, random_clifford, random_unitary
from qiskit.synthesis import SuzukiTrotter
from support.circuits import random_circuit
from support.simulation import assert_same_behaviour, unitary

from gateway.circuit import Circuit, Comparison, Expression
from gateway.circuit import bits as read
from gateway.circuit.lowering import lower
from gateway.errors import CircuitInvalidError, LimitError, UnsupportedError
from gateway.frameworks import parse
from gateway.frameworks.qiskit.gates import GATES as QISKIT_GATES


def same(circuit: QuantumCircuit) -> Circuit:
    """Return the shared circuit after comparing the two matrices."""
    found = parse(circuit)
    np.testing.assert_allclose(unitary(found), Operator(circuit).data, atol=1e-7)
    return found


def with_gate(gate: object, *, num_qubits: int = 0) -> QuantumCircuit:
    circuit = QuantumCircuit(num_qubits or gate.num_qubits)
    circuit.append(gate, range(gate.num_qubits))
    return circuit


# ---------------------------------------------------------------------------- gates


GATES = [
    RGate(0.3, 5.0),
    RVGate(0.3, -4.0, 2.0),
    MSGate(3, 0.7),
    PauliGate("XYZI"),
    StatePreparation([0.6, 0, 0, 0.8j]),
    PermutationGate([2, 0, 1]),
    QFTGate(3),
    DiagonalGate([1, 1j, -1, np.exp(0.3j)]),
    random_clifford(3, seed=6),
    LinearFunction([[1, 1], [0, 1]]),
    MultiplierGate(1),
    CXGate(ctrl_state=0),
    MCXGate(3, ctrl_state=0b010),
    MCXGate(6),
    MCPhaseGate(0.4, 4),
    UGate(5.0, 1.0, 2.0).control(2, ctrl_state=1, annotated=False),
    RZGate(0.3).control(3, annotated=False),
    SXGate().control(2, ctrl_state="01", annotated=False),
    HGate().control(3, annotated=False),
    HGate().power(0.3),
    SGate().inverse().control(1, annotated=False),
    UnitaryGate(random_unitary(2, seed=1)),
    UnitaryGate(random_unitary(4, seed=2)),
    UnitaryGate(random_unitary(8, seed=3)),
    UnitaryGate(random_unitary(2, seed=4)).control(2, annotated=False),
    UnitaryGate(random_unitary(4, seed=5)).control(1, ctrl_state=0, annotated=False),
    UnitaryGate(np.exp(0.4j) * np.eye(2)),
    UnitaryGate([[0, 1j], [1, 0]]),
    AnnotatedOperation(SGate(), [InverseModifier(), ControlModifier(2, ctrl_state=1)]),
    AnnotatedOperation(RYGate(0.4), [PowerModifier(0.5), ControlModifier(1), InverseModifier()]),
    AnnotatedOperation(AnnotatedOperation(UGate(1, 2, 3), ControlModifier(1)), [PowerModifier(3), ControlModifier(1)]),
]


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_gates_beyond_the_table_are_exact_with_their_phase(gate):
    same(with_gate(gate))


@pytest.mark.parametrize("gate", GATES, ids=lambda gate: gate.name)
def test_gates_beyond_the_table_are_exact_on_qubits_in_another_order(gate):
    circuit = QuantumCircuit(gate.num_qubits + 1)
    circuit.append(gate, range(gate.num_qubits, 0, -1))
    same(circuit)


@pytest.mark.filterwarnings("ignore::scipy.sparse.SparseEfficiencyWarning")  # about Qiskit's matrix
def test_an_evolution_is_what_its_synthesis_makes_of_it():
    commuting = PauliEvolutionGate(SparsePauliOp(["XX", "ZZ"], [0.3, 0.4]), time=1.1)
    same(with_gate(commuting))
    trotter = PauliEvolutionGate(SparsePauliOp(["XX", "ZI"], [0.3, 0.4]), time=1.1, synthesis=SuzukiTrotter(reps=2))
    np.testing.assert_allclose(unitary(parse(with_gate(trotter))), Operator(trotter.definition).data, atol=1e-7)


def test_the_phase_of_a_circuit_and_of_its_parts_counts():
    inner = QuantumCircuit(1, global_phase=0.4)
    inner.x(0)
    circuit = QuantumCircuit(2, global_phase=1.5)
    circuit.append(inner.to_gate(), [1])
    circuit.append(inner.to_gate().control(annotated=False), [1, 0])
    same(circuit)


def test_a_gate_of_someones_own_with_a_known_name_is_what_its_definition_says():
    inner = QuantumCircuit(1, name="h")
    inner.t(0)
    circuit = QuantumCircuit(1)
    circuit.append(inner.to_gate(), [0])
    assert parse(circuit) == Circuit(1).t(0)


def test_a_gate_with_a_matrix_and_no_definition_is_that_matrix():
    class Half(Gate):
        def __init__(self):
            super().__init__("half", 1, [])

        def __array__(self, dtype=None, copy=None):
            return np.diag([1, np.exp(0.3j)])

    same(with_gate(Half()))


def test_labels_and_mutable_gates_change_nothing():
    circuit = QuantumCircuit(1)
    circuit.append(XGate(label="mine"), [0])
    circuit.append(ZGate().to_mutable(), [0])
    assert parse(circuit) == Circuit(1).x(0).z(0)


def test_numbers_of_any_kind_become_floats():
    circuit = QuantumCircuit(1)
    angle = Parameter("a")
    circuit.rx(1, 0)
    circuit.ry(np.float32(0.5), 0)
    circuit.rz(angle * 2, 0)
    found = parse(circuit.assign_parameters({angle: 0.25}))
    assert found == Circuit(1).rx(1, 0).ry(0.5, 0).rz(0.5, 0)
    assert all(type(param) is float for op in found.operations for param in op.params)


# ---------------------------------------------------------------------------- bits


def test_bits_are_numbered_in_the_order_of_the_circuit_whatever_their_registers():
    a, b = QuantumRegister(2, "a"), QuantumRegister(1, "b")
    c, d = ClassicalRegister(1, "c"), ClassicalRegister(2, "d")
    circuit = QuantumCircuit(b, a, d, c)
    circuit.x(a[1])
    circuit.measure(a[1], c[0])
    circuit.measure(b[0], d[1])
    assert parse(circuit) == Circuit(3, 3).x(2).measure(2, 2).measure(0, 1)


def test_bits_without_registers_and_in_two_registers_are_numbered_once():
    bits = [Qubit(), Qubit()]
    register = QuantumRegister(bits=[bits[1], bits[0]], name="r")
    circuit = QuantumCircuit(bits, [Clbit()], register)
    circuit.x(register[0])
    circuit.measure(register[0], 0)
    assert parse(circuit) == Circuit(2, 1).x(1).measure(1, 0)


def test_measure_all_and_barriers_are_kept():
    circuit = QuantumCircuit(2)
    circuit.h(0)
    circuit.measure_all()
    assert parse(circuit) == Circuit(2, 2).h(0).barrier(0, 1).measure(0, 0).measure(1, 1)


def test_a_transpiled_circuit_acts_on_the_qubits_it_was_laid_out_on():
    circuit = QuantumCircuit(2, 2)
    circuit.h(0)
    circuit.cx(0, 1)
    circuit.measure([0, 1], [1, 0])
    there = transpile(circuit, initial_layout=[4, 2], coupling_map=[[2, 3], [3, 4], [4, 2], [2, 4], [0, 1]],
                      basis_gates=["h", "cx"])  # fmt: skip
    found = parse(there)
    assert (found.num_qubits, found.operations[:2]) == (5, Circuit(5).h(4).cx(4, 2).operations)
    assert {(op.qubits, op.clbits) for op in found.operations[2:]} == {((4,), (1,)), ((2,), (0,))}


def test_instructions_with_measurements_inside_are_unrolled():
    inner = QuantumCircuit(2, 2, global_phase=0.3)
    inner.reset(0)
    inner.measure([0, 1], [1, 0])
    circuit = QuantumCircuit(3, 3)
    circuit.append(inner.to_instruction(), [2, 0], [0, 2])
    assert parse(circuit) == Circuit(3, 3).gphase(0.3).reset(2).measure(2, 2).measure(0, 0)


def test_initialize_resets_and_prepares():
    circuit = QuantumCircuit(2)
    circuit.x(0)
    circuit.initialize([0.6, 0, 0, 0.8])
    found = parse(circuit)
    assert [op.name for op in found.operations[:3]] == ["x", "reset", "reset"]


# ---------------------------------------------------------------------------- control flow


def registers() -> tuple[QuantumCircuit, ClassicalRegister, ClassicalRegister]:
    c, d = ClassicalRegister(2, "c"), ClassicalRegister(3, "d")
    return QuantumCircuit(QuantumRegister(2, "q"), c, d), c, d


def conditions(circuit: QuantumCircuit) -> list[tuple[str, tuple[Comparison, ...]]]:
    return [(op.name, op.condition) for op in parse(circuit).operations]


def test_an_if_on_a_bit_or_a_register_is_a_comparison():
    circuit, c, d = registers()
    with circuit.if_test((c[1], 0)):
        circuit.x(0)
    with circuit.if_test((d, 5)):
        circuit.x(1)
    with circuit.if_test((c, 4)):
        circuit.y(1)
    assert conditions(circuit) == [("x", (Comparison((1,), 0),)), ("x", (Comparison((2, 3, 4), 5),))]


def test_else_has_the_opposite_condition_and_phases_of_blocks_are_conditional():
    circuit, c, _ = registers()
    with circuit.if_test((c, 2)) as otherwise:
        circuit.x(0)
    with otherwise:
        circuit.z(0)
    block = QuantumCircuit(1, global_phase=0.5)
    circuit.if_test((c[0], 1), block, [0], [])
    two = Comparison((0, 1), 2)
    assert conditions(circuit) == [
        ("x", (two,)),
        ("z", (Comparison((0, 1), 2, equal=False),)),
        ("gphase", (Comparison((0,), 1),)),
    ]


def test_nested_ifs_are_conjunctions():
    circuit, c, d = registers()
    with circuit.if_test((c[0], 1)):
        with circuit.if_test((d, 3)) as otherwise:
            circuit.x(0)
        with otherwise:
            circuit.y(0)
    outer = Comparison((0,), 1)
    assert conditions(circuit) == [
        ("x", (outer, Comparison((2, 3, 4), 3))),
        ("y", (outer, Comparison((2, 3, 4), 3, equal=False))),
    ]


def test_expressions_hold_for_exactly_the_values_that_qiskit_means():
    _, c, d = registers()
    cases = {
        "and": (expr.logic_and(c[0], expr.logic_not(d[1])), lambda c, d: c & 1 and not d >> 1 & 1),
        "or": (expr.logic_or(c[0], expr.equal(d, 5)), lambda c, d: c & 1 or d == 5),
        "not and": (expr.logic_not(expr.logic_and(c[0], c[1])), lambda c, _: c != 3),
        "less": (expr.less(c, d), lambda c, d: c < d),
        "arithmetic": (expr.equal(expr.add(c, 3), 2), lambda c, _: (c + 3) % 4 == 2),
        "bitwise": (expr.equal(expr.bit_xor(expr.bit_not(d), 2), 1), lambda _, d: (~d ^ 2) & 7 == 1),
        "index": (expr.index(d, 2), lambda _, d: d >> 2 & 1),
        "shift": (expr.greater(expr.shift_left(d, 1), 3), lambda _, d: (d << 1) % 8 > 3),
        "cast": (expr.cast(c, types.Bool()), lambda c, _: c != 0),
        "cast wider": (expr.equal(expr.cast(c, types.Uint(8)), 3), lambda c, _: c == 3),
        "contradiction": (expr.logic_and(c[0], expr.logic_not(c[0])), lambda *_: False),
        "bits compared": (expr.not_equal(c[0], d[0]), lambda c, d: c & 1 != d & 1),
    }
    for name, (condition, meant) in cases.items():
        circuit = registers()[0]
        circuit.x(0)
        with circuit.if_test(condition) as otherwise:
            circuit.z(0)
        with otherwise:
            circuit.z(1)
        found = parse(circuit).operations
        for bits in range(32):
            taken = {op.qubits[0] for op in found[1:] if all(part.holds(bits) for part in op.condition)}
            assert taken == {0 if meant(bits & 3, bits >> 2) else 1}, (name, bits)


def test_conditions_that_are_conjunctions_need_no_truth_table_however_wide():
    bits = ClassicalRegister(30, "c")
    circuit = QuantumCircuit(QuantumRegister(1), bits)
    condition = expr.lift(bits[0])
    for bit in bits[1:20]:
        condition = expr.logic_and(condition, expr.logic_not(bit))
    with circuit.if_test(condition) as otherwise:
        circuit.x(0)
    with otherwise:
        circuit.z(0)
    assert conditions(circuit) == [
        ("x", (Comparison(tuple(range(20)), 1),)),
        ("z", (Comparison(tuple(range(20)), 1, equal=False),)),
    ]


def test_a_condition_on_too_many_clbits_for_a_table_is_computed_into_a_hidden_clbit():
    register = ClassicalRegister(30, "c")
    circuit = QuantumCircuit(QuantumRegister(1), register)
    with circuit.if_test(expr.less(register, 1000)) as otherwise:
        circuit.x(0)
    with otherwise:
        circuit.z(0)
    found = parse(circuit)
    assert [op.name for op in found.operations] == ["set", "set", "x", "z"]
    less = Expression("<", (read(*range(30)), 1000))
    assert [op.params for op in found.operations[:2]] == [
        (Expression("!=", (less, 0)),),
        (Expression("!=", (Expression("not", (less,)), 0)),),
    ]
    assert [op.condition for op in found.operations[2:]] == [(Comparison((30,), 1),), (Comparison((31,), 1),)]


def test_switch_takes_the_case_of_the_value_and_else_the_default():
    circuit, c, d = registers()
    with circuit.switch(d) as case:
        with case(1, 6):
            circuit.x(0)
        with case(3):
            circuit.y(0)
        with case(case.DEFAULT):
            circuit.z(0)
    with circuit.switch(expr.bit_and(c, 1)) as case, case(1):
        circuit.h(0)
    found = parse(circuit).operations
    for bits in range(32):
        taken = [op.name for op in found if all(part.holds(bits) for part in op.condition)]
        assert taken == [{1: "x", 6: "x", 3: "y"}.get(bits >> 2, "z")] + ["h"] * (bits & 1)


def test_constant_loops_are_unrolled_with_their_parameter():
    circuit = QuantumCircuit(2)
    angle = Parameter("k")
    with circuit.for_loop(range(3), angle):
        circuit.rx(angle * 0.5, 0)
        with circuit.for_loop((0, 7)):
            circuit.h(1)
    expected = Circuit(2)
    for k in range(3):
        expected.rx(k * 0.5, 0).h(1).h(1)
    assert parse(circuit) == expected


def test_a_box_without_duration_only_groups():
    circuit = QuantumCircuit(1)
    with circuit.box():
        circuit.h(0)
    assert parse(circuit) == Circuit(1).h(0)


def test_an_if_that_measures_into_its_own_condition_first_writes_the_condition_down():
    circuit, c, _ = registers()
    with circuit.if_test((c[0], 1)):
        circuit.measure(0, c[0])
        circuit.x(1)
    parsed = parse(circuit)
    hidden = parsed.num_clbits
    assert parsed.num_hidden == 1
    assert [(op.name, op.clbits) for op in parsed.operations] == [("set", (hidden,)), ("measure", (0,)), ("x", ())]
    assert [op.condition for op in parsed.operations[1:]] == [(Comparison((hidden,), 1),)] * 2


# ---------------------------------------------------------------------------- refusals


def with_float() -> QuantumCircuit:
    circuit = QuantumCircuit(1, 1)
    value = circuit.add_var("v", expr.lift(0.5))
    with circuit.if_test(expr.less(value, 1.0)):
        circuit.x(0)
    return circuit


def with_input() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    with circuit.if_test(circuit.add_input("flag", types.Bool())):
        circuit.x(0)
    return circuit


def resetting_under_control() -> QuantumCircuit:
    inner = QuantumCircuit(1, name="inner")
    inner.reset(0)
    circuit = QuantumCircuit(2)
    circuit.append(AnnotatedOperation(inner.to_instruction(), ControlModifier(1)), [0, 1])
    return circuit


def with_unknown_function() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.h(0)
    circuit.rx(Parameter("a").sign(), 0)
    return circuit


def opaque() -> QuantumCircuit:
    circuit = QuantumCircuit(2)
    circuit.append(Gate("mystery", 2, []), [0, 1])
    return circuit


def saving() -> QuantumCircuit:
    circuit = QuantumCircuit(1)
    circuit.append(Instruction("save_statevector", 1, 0, []), [0])
    return circuit


@pytest.mark.parametrize(
    ("make", "index", "feature"),
    [
        (with_float, 0, "store"),
        (with_input, 0, "if_else"),
        (resetting_under_control, 0, "inner"),
        (with_unknown_function, 1, "sign"),
        (opaque, 0, "mystery"),
        (saving, 0, "save_statevector"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_what_has_no_equivalent_is_refused_by_name(make, index: int, feature: str):
    with pytest.raises(UnsupportedError, match=rf"^operation {index}: {feature}: ") as caught:
        parse(make())
    assert caught.value.feature == feature


def test_the_index_of_what_is_refused_is_that_in_the_circuit_however_deep_it_stands():
    circuit = QuantumCircuit(3)
    circuit.h(0)
    circuit.append(AnnotatedOperation(Gate("mystery", 2, []), ControlModifier(1)), [0, 1, 2])
    with pytest.raises(UnsupportedError, match=r"^operation 1: mystery: "):
        parse(circuit)


def test_angles_that_are_not_finite_are_refused():
    circuit = QuantumCircuit(1)
    circuit.rx(float("nan"), 0)
    with pytest.raises(CircuitInvalidError, match="not a finite number"):
        parse(circuit)


def test_loops_without_end_in_sight_are_refused_in_time():
    circuit = QuantumCircuit(1)
    with circuit.for_loop(range(10**12)):
        pass
    with pytest.raises(LimitError, match="steps"):
        parse(circuit)


# ---------------------------------------------------------------------------- dump


def test_a_dumped_circuit_has_the_registers_and_blocks_a_user_expects():
    circuit = Circuit(2, 2).h(0).measure(0, 0).x(1, when={0: 1}).z(1, when={0: 1}).measure(1, 1).gphase(0.5)
    native = circuit.to("qiskit")
    assert [register.name for register in (*native.qregs, *native.cregs)] == ["q", "c"]
    assert [instruction.name for instruction in native.data] == ["h", "measure", "if_else", "measure"]
    block = native.data[2].operation
    assert block.condition == (native.clbits[0], 1)
    assert [instruction.name for instruction in block.blocks[0].data] == ["x", "z"]
    assert native.global_phase == pytest.approx(0.5)


def test_the_fast_way_to_append_gives_what_append_gives():
    circuit = random_circuit(1, num_qubits=5, num_gates=200)
    slow = QuantumCircuit(5)
    for op in lower(circuit.operations, frozenset(QISKIT_GATES)):
        if op.name == "gphase":
            slow.global_phase += op.params[0]
        else:
            slow.append(QISKIT_GATES[op.name](*op.params), op.qubits)
    fast = circuit.to("qiskit")
    assert fast == slow
    assert [type(a.operation) for a in fast.data] == [type(b.operation) for b in slow.data]


def test_a_condition_on_all_clbits_tests_the_register():
    circuit = Circuit(1, 2).x(0, when={0: 1, 1: 1})
    native = circuit.to("qiskit")
    assert native.data[0].operation.condition == (native.cregs[0], 3)
    assert_same_behaviour(parse(native), circuit)


def test_a_block_ends_where_its_condition_changes():
    circuit = Circuit(2, 1).h(0).measure(0, 0).h(0)
    circuit.measure(0, 0, when={0: 1}).x(1, when={0: 1})
    assert_same_behaviour(parse(circuit.to("qiskit")), circuit)


def test_a_qiskit_whose_conditions_would_be_lost_is_refused(monkeypatch):
    monkeypatch.setattr("qiskit.__version__", "1.4.6")
    with pytest.raises(UnsupportedError, match=r"Qiskit 1\.4\.6 has conditions \(c_if\).*qiskit>=2"):
        parse(QuantumCircuit(1))
