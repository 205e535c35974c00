"""The traps of pytket's circuits."""

from __future__ import annotations

import numpy as np
import pytest
from pytket.circuit import (
    Bit,
    BitRegister,
    CircBox,
    ConjugationBox,
    CustomGateDef,
    DiagonalBox,
    DummyBox,
    ExpBox,
    Op,
    OpType,
    PauliExpBox,
    PhasePolyBox,
    QControlBox,
    Qubit,
    StatePreparationBox,
    ToffoliBox,
    Unitary1qBox,
    Unitary2qBox,
    Unitary3qBox,
    reg_eq,
    reg_gt,
    reg_neq,
)
from pytket.circuit import (
    Circuit as TketCircuit,
)
from pytket.pauli import Pauli
from support.frameworks import FRAMEWORKS
from support.simulation import unitary

from gateway.circuit import Circuit, Comparison
from gateway.errors import UnsupportedError
from gateway.frameworks import parse


def same(circuit: TketCircuit) -> Circuit:
    """Return the shared circuit after comparing the two matrices."""
    found = parse(circuit)
    wanted = FRAMEWORKS["pytket"].unitary(circuit, circuit.n_qubits)
    np.testing.assert_allclose(unitary(found), wanted, atol=1e-7)
    return found


def random_unitary(size: int, seed: int) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.linalg.qr(random.normal(size=(size, size)) + 1j * random.normal(size=(size, size)))[0]


# ---------------------------------------------------------------------------- gates and boxes

SHAPES = {
    OpType.Phase: (1, 0), OpType.V: (0, 1), OpType.Vdg: (0, 1), OpType.GPI: (1, 1), OpType.GPI2: (1, 1),
    OpType.AAMS: (3, 2), OpType.TK1: (3, 1), OpType.TK2: (3, 2), OpType.CV: (0, 2), OpType.CVdg: (0, 2),
    OpType.CSXdg: (0, 2), OpType.PhaseGadget: (1, 3), OpType.BRIDGE: (0, 3), OpType.ISWAP: (1, 2),
    OpType.PhasedISWAP: (2, 2), OpType.XXPhase3: (1, 3), OpType.PhasedX: (2, 1), OpType.NPhasedX: (2, 3),
    OpType.CnRx: (1, 4), OpType.CnRy: (1, 3), OpType.CnRz: (1, 3), OpType.CnX: (0, 6), OpType.CnY: (0, 4),
    OpType.CnZ: (0, 5), OpType.ZZMax: (0, 2), OpType.ESWAP: (1, 2), OpType.FSim: (2, 2), OpType.Sycamore: (0, 2),
    OpType.ISWAPMax: (0, 2), OpType.SWAP: (0, 2),
}  # fmt: skip


@pytest.mark.parametrize("kind", SHAPES, ids=lambda kind: kind.name)
def test_gates_are_exact_with_their_phase(kind):
    num_params, num_qubits = SHAPES[kind]
    circuit = TketCircuit(max(num_qubits, 1))
    circuit.add_gate(kind, [0.3, 1.7, 3.9][:num_params], list(range(num_qubits))[::-1])
    same(circuit)


BOXES = {
    "unitary 1": Unitary1qBox(random_unitary(2, 1)),
    "unitary 2": Unitary2qBox(random_unitary(4, 2)),
    "unitary 3": Unitary3qBox(random_unitary(8, 3)),
    "exponential": ExpBox(np.diag([0.3, 1, 2, 3]), 0.4),
    "Pauli": PauliExpBox([Pauli.X, Pauli.Y, Pauli.I], 0.3),
    "circuit": CircBox(TketCircuit(2).H(0).CX(1, 0).add_phase(0.3)),
    "conjugation": ConjugationBox(CircBox(TketCircuit(2).H(0)), CircBox(TketCircuit(2).CRz(0.3, 0, 1))),
    "diagonal": DiagonalBox(np.exp(1j * np.array([0.1, 0.2, 0.3, 0.4]))),
    "permutation": ToffoliBox({(False, False): (True, True), (True, True): (False, False)}),
    "polynomial": PhasePolyBox(2, {Qubit(0): 0, Qubit(1): 1}, {(True, True): 0.3}, np.array([[1, 0], [1, 1]])),
    "preparation": StatePreparationBox(np.array([0.6, 0, 0, 0.8j])),
    "controlled": QControlBox(Op.create(OpType.V), 2),
    "controlled, open": QControlBox(Op.create(OpType.TK1, [0.1, 0.2, 0.3]), 2, [False, True]),
    "controlled box": QControlBox(CircBox(TketCircuit(2).H(0).CX(1, 0).add_phase(0.3)), 1),
    "custom": CustomGateDef.define("mine", TketCircuit(2).T(1).CX(1, 0), []),
}


@pytest.mark.parametrize("name", BOXES)
def test_boxes_are_exact_with_their_phase(name: str):
    box, circuit = BOXES[name], TketCircuit(3)
    if name == "custom":
        circuit.add_custom_gate(box, [], [2, 0])
    else:
        circuit.add_gate(box, [2, 0, 1][: box.n_qubits])
    same(circuit)


def test_a_box_may_measure_and_have_conditions():
    inner = TketCircuit(2, 2).H(0).Measure(0, 1).X(1, condition_bits=[1], condition_value=1)
    circuit = TketCircuit(3, 3)
    circuit.add_circbox(CircBox(inner), [2, 0, 1, 2])
    assert parse(circuit) == Circuit(3, 3).h(2).measure(2, 2).x(0, when={2: 1})


def test_a_box_without_bits_may_reset():
    circuit = TketCircuit(2).H(0)
    circuit.add_circbox(CircBox(TketCircuit(1).add_gate(OpType.Reset, [0])), [1])
    assert sorted(map(str, parse(circuit).operations)) == ["h 0", "reset 1"]


def test_phases_are_in_half_turns():
    assert same(TketCircuit(1).add_phase(0.25)) == Circuit(1).gphase(np.pi / 4)


def test_an_implicit_permutation_becomes_swaps():
    circuit = TketCircuit(3).H(0).SWAP(0, 1).CX(1, 2).SWAP(2, 0)
    circuit.replace_SWAPs()
    assert circuit.has_implicit_wireswaps
    before = circuit.implicit_qubit_permutation()
    same(circuit)
    assert circuit.implicit_qubit_permutation() == before


# ---------------------------------------------------------------------------- bits and conditions


def test_units_are_numbered_in_the_order_of_their_registers_names():
    circuit = TketCircuit()
    for qubit in (Qubit("b", 0), Qubit("a", 1), Qubit("a", 0)):
        circuit.add_qubit(qubit)
    for bit in (Bit("z", 0), Bit("y", 3)):
        circuit.add_bit(bit)
    circuit.X(Qubit("b", 0)).Measure(Qubit("a", 1), Bit("z", 0))
    found = parse(circuit)
    assert (found.num_qubits, found.num_clbits) == (3, 2)
    assert {str(op) for op in found.operations} == {"x 2", "measure 1 -> 1"}


def test_a_condition_on_bits_is_a_comparison_the_first_bit_least_significant():
    circuit = TketCircuit(1, 3).X(0, condition_bits=[2, 0], condition_value=1)
    circuit.Reset(0, condition_bits=[1], condition_value=0).Measure(0, 1, condition_bits=[0], condition_value=1)
    assert parse(circuit) == (
        Circuit(1, 3).x(0, when=Comparison((2, 0), 1)).reset(0, when={1: 0}).measure(0, 1, when={0: 1})
    )


def test_expressions_are_tested_where_they_come_from_and_leave_no_scratch_bits():
    register = TketCircuit(0, 3).get_c_register("c")
    meant = [
        (reg_eq(register, 5), lambda c: c == 5),
        (reg_neq(register, 5), lambda c: c != 5),
        (reg_gt(register, 2), lambda c: c > 2),
        (register[0] ^ (register[1] & register[2]), lambda c: (c & 1) ^ (c >> 1 & 1 & c >> 2)),
        ((register[0] | register[1]) ^ 1, lambda c: not c & 3),
    ]
    for expression, holds in meant:
        circuit = TketCircuit(1, 3).X(0, condition=expression)
        found = parse(circuit)
        assert found.num_clbits == 3
        for bits in range(8):
            taken = [op for op in found.operations if all(part.holds(bits) for part in op.condition)]
            assert len(taken) == bool(holds(bits)), (str(expression), bits)


def test_a_condition_computed_before_its_bits_changed_is_written_down():
    circuit = TketCircuit(1, 2)
    register = circuit.get_c_register("c")
    circuit.X(0, condition=register[0] ^ register[1])
    text = circuit.to_dict()
    measured = TketCircuit(1, 2).Measure(0, 0).to_dict()["commands"][0]
    text["commands"].insert(1, measured)
    found = parse(TketCircuit.from_dict(text))
    assert (found.num_clbits, found.num_hidden) == (2, 1)
    assert [(op.name, op.clbits, op.condition) for op in found.operations] == [
        ("set", (2,), ()),
        ("measure", (0,), ()),
        ("x", (), (Comparison((2,), 1),)),
    ]


def test_conditions_on_different_values_become_several():
    circuit = Circuit(1, 2).x(0, when=Comparison((0, 1), 2, equal=False))
    native = circuit.to("pytket")
    assert [(command.op.width, command.op.value) for command in native] == [(1, 1), (2, 0)]


# ---------------------------------------------------------------------------- refusals


def test_boxes_without_contents_are_refused_by_name():
    from pytket.circuit import ResourceBounds, ResourceData  # noqa: PLC0415 - used here only

    data = ResourceData({}, ResourceBounds(1, 1), {}, ResourceBounds(1, 1))
    circuit = TketCircuit(1, 0)
    circuit.add_dummybox(DummyBox(1, 0, data), [0], [])
    with pytest.raises(UnsupportedError, match="operation 0: DummyBox"):
        parse(circuit)


def test_the_index_of_what_is_refused_is_that_in_the_circuit_however_deep_it_stands():
    inner = TketCircuit(1, 2)
    inner.add_clexpr_from_logicexp(BitRegister("c", 2) ** 40, inner.bits)
    circuit = TketCircuit(2, 2).H(0)
    circuit.add_circbox(CircBox(TketCircuit(2, 2).add_circbox(CircBox(inner), [1, 0, 1])), [0, 1, 0, 1])
    with pytest.raises(UnsupportedError, match=r"^operation 1: ClExpr: it computes with RegPow"):
        parse(circuit)


# ---------------------------------------------------------------------------- dump


def test_a_dumped_circuit_is_what_a_user_of_pytket_would_write():
    circuit = Circuit(2, 2).h(0).cx(0, 1).rz(np.pi / 2, 1).measure(0, 0).x(1, when={0: 1}).barrier(0, 1).gphase(np.pi)
    wanted = TketCircuit(2, 2).H(0).CX(0, 1).Rz(0.5, 1).Measure(0, 0)
    wanted.X(1, condition_bits=[0], condition_value=1).add_barrier([0, 1]).add_phase(1)
    assert circuit.to("pytket") == wanted


def test_a_condition_on_more_bits_than_pytket_has_in_a_number_survives_if_few_of_them_are_1():
    circuit = Circuit(1, 70).x(0, when=Comparison(tuple(range(70)), 1 << 69 | 1 << 3))
    back = parse(circuit.to("pytket"))
    (condition,) = [op.condition for op in back.operations]
    assert all(part.holds(1 << 69 | 1 << 3) for part in condition)
    assert not any(part.holds(0) for part in condition)


def test_a_condition_for_which_pytket_has_no_number_is_refused():
    with pytest.raises(UnsupportedError, match="32 bits are 1 at most, and this condition tests 40"):
        Circuit(1, 40).x(0, when=Comparison(tuple(range(40)), 2**40 - 1)).to("pytket")
