"""Circuits of old Qrisp clients become the right circuits: names, definitions, bits, and refusals."""

from __future__ import annotations

import cmath
import math

import numpy as np
import pytest
from legacy.qrisp.messages import bell, bits, circuit, definition, op
from support import reference

from gateway.circuit import Circuit, Comparison, Limits, Operation
from gateway.errors import CircuitInvalidError, LimitError, UnsupportedError
from gateway.legacy.qrisp.objects import MAX_DEPTH, Definition, QuantumCircuit, RunMessage, as_circuit
from gateway.protocol.messages import decode, encode


def only(instruction, qubits="a b c", clbits="x y"):
    """Return the one operation that an instruction becomes."""
    (operation,) = as_circuit(circuit(qubits, clbits, instruction)).operations
    return operation


def u3(theta, phi, lam):
    return reference.unitary(Circuit(1).u(theta, phi, lam, 0))


def same_up_to_phase(first, second):
    overlap = np.vdot(first, second) / len(first)
    return math.isclose(abs(overlap), 1, abs_tol=1e-12) and np.allclose(first * overlap, second)


def test_a_bell_pair_has_its_bits_in_the_order_they_are_listed():
    expected = Circuit(2, 2).h(0).cx(0, 1).x(1).measure(0, 0).measure(1, 1)
    assert as_circuit(bell()) == expected


@pytest.mark.parametrize(
    ("name", "params", "ours"),
    [
        *((name, (), (name, ())) for name in ("x", "y", "z", "h", "s", "t", "sx", "id")),
        ("s_dg", (), ("sdg", ())),
        ("t_dg", (), ("tdg", ())),
        ("sx_dg", (), ("sxdg", ())),
        ("x_dg", (), ("x", ())),
        *((name, (0.3,), (name, (0.3,))) for name in ("rx", "ry", "rz", "p", "u1")),
        ("rx_dg", (0.3,), ("rx", (-0.3,))),
        ("u3", (0.1, 0.2, 0.3), ("u3", (0.1, 0.2, 0.3))),
    ],
)
def test_gates_on_one_qubit_have_their_names_in_the_table(name, params, ours):
    assert only(op(name, "b", params=params)) == Operation(ours[0], (1,), ours[1])


@pytest.mark.parametrize(
    ("name", "params", "ours"),
    [
        *((name, (), name) for name in ("cx", "cy", "cz", "swap")),
        *((name, (0.3,), name) for name in ("rxx", "rzz", "cp")),
        ("xxyy", (0.3, 0.4), "xx_plus_yy"),
    ],
)
def test_gates_on_two_qubits_have_theirs(name, params, ours):
    assert only(op(name, "c a", params=params)) == Operation(ours, (2, 0), params)


@pytest.mark.parametrize(
    ("name", "params"),
    [
        # what qrisp 0.3.2 sends for the inverse of sx, of U1(0.5), of the identity, and for X
        ("sx_dg", (-math.pi / 2, -math.pi / 2, math.pi / 2)),
        ("u1_dg", (0, 0, -0.5)),
        ("id_dg", (0, 0, 0)),
        ("x", (math.pi, 0, math.pi)),
        ("rx", (0.7, -math.pi / 2, math.pi / 2)),
        ("rz", (0, 0.7, 0)),
    ],
)
def test_the_three_angles_that_qrisp_leaves_on_a_named_gate_are_those_of_the_gate(name, params):
    found = reference.unitary(Circuit(1, 0, [only(op(name, "a", params=params), "a", "")]))
    assert same_up_to_phase(found, u3(*params))


def test_a_global_phase_loses_the_qubit_it_is_said_to_be_on():
    assert only(op("gphase", "b", params=[0.4])) == Operation("gphase", (), (0.4,))


def test_the_definition_of_xxyy_that_qrisp_sends_is_our_gate():
    half = math.pi / 2
    sent = definition(
        "a b",
        op("rz", "a", params=[0.4]), op("rz", "b", params=[-half]), op("sx", "b"), op("rz", "b", params=[half]),
        op("s", "a"), op("cx", "b a"), op("ry", "b", params=[-0.15]), op("ry", "a", params=[-0.15]), op("cx", "b a"),
        op("s_dg", "a"), op("rz", "b", params=[-half]), op("sx_dg", "b"), op("rz", "b", params=[half]),
        op("rz", "a", params=[-0.4]),
    )  # fmt: skip
    written_out = as_circuit(circuit("q0 q1", "", op("xxyy", "q0 q1", params=[0.3, 0.4], definition=sent)))
    by_name = as_circuit(circuit("q0 q1", "", op("xxyy", "q0 q1", params=[0.3, 0.4])))
    assert len(written_out.operations) == 14
    assert same_up_to_phase(reference.unitary(written_out), reference.unitary(by_name))


def test_a_definition_takes_the_place_of_the_operation_with_the_bits_it_is_applied_to():
    inner = definition("u v", op("cx", "v u"))
    outer = definition("p q r", op("inner", "r p", definition=inner), op("x", "q"))
    found = as_circuit(circuit("a b c d", "", op("outer", "d b a", definition=outer)))
    assert found.operations == [Operation("cx", (3, 0)), Operation("x", (1,))]


def test_a_definition_is_believed_more_than_a_name():
    # Qrisp calls a doubly controlled X on the state 00 the same as one on the state 11
    sent = definition("a b c", op("x", "a"), op("x", "b"), op("h", "c"))
    found = as_circuit(circuit("a b c", "", op("swap", "a b c", definition=sent)))
    assert [operation.name for operation in found.operations] == ["x", "x", "h"]


def test_a_definition_may_measure():
    sent = definition("a", op("measure", "a", "m"), clbits="m")
    assert only(op("look", "b", "y", definition=sent)) == Operation("measure", (1,), (), (1,))


def test_an_empty_definition_does_nothing():
    assert as_circuit(circuit("a b", "", op("cp", "a b", params=[0], definition=definition("a b")))).operations == []


def test_a_definition_may_be_a_single_operation_as_the_published_description_says():
    text = b"""{"qc": {"qubits": [{"identifier": "a"}, {"identifier": "b"}], "clbits": [], "data": [
        {"op": {"name": "mine", "num_qubits": 2, "num_clbits": 0, "definition":
            {"name": "rzz", "num_qubits": 2, "num_clbits": 0, "params": [0.5]}},
         "qubits": [{"identifier": "b"}, {"identifier": "a"}], "clbits": []}]}, "shots": 5, "token": ""}"""
    assert as_circuit(decode(RunMessage, text).qc) == Circuit(2).rzz(0.5, 1, 0)


def test_a_conditional_operation_happens_when_all_its_clbits_are_one():
    assert only(op("c_if_x", "a", "y")) == Operation("x", (0,), (), (), (Comparison((1,), 1),))
    assert only(op("c_if_rz", "a", "x y", [0.5])) == Operation("rz", (0,), (0.5,), (), (Comparison((0, 1), 3),))
    assert only(op("c_if_s_dg", "b", "x")) == Operation("sdg", (1,), (), (), (Comparison((0,), 1),))
    assert only(op("c_if_reset", "b", "x")) == Operation("reset", (1,), (), (), (Comparison((0,), 1),))


def test_resets_and_barriers_are_kept_and_marks_of_allocation_are_not():
    found = as_circuit(circuit("a b", "", op("qb_alloc", "a"), op("reset", "a"), op("barrier", "a b")))
    assert found.operations == [Operation("reset", (0,)), Operation("barrier", (0, 1))]


def test_delays_only_take_time_and_a_note_says_so():
    found = as_circuit(circuit("a", "x", op("x", "a"), op("delay", "a", params=(100.0,)), op("measure", "a", "x")))
    assert found == Circuit(1, 1).x(0).measure(0, 0)
    assert found.notes == ("timing has no effect here",)
    assert as_circuit(bell()).notes == ()


def test_a_message_survives_json():
    message = RunMessage(bell(), 10, "t")
    assert decode(RunMessage, encode(message)) == message


@pytest.mark.parametrize(
    ("instruction", "error", "words"),
    [
        (op("foo", "a"), UnsupportedError, r"operation 0 \(foo\): there is no operation 'foo'"),
        (op("u3_dg", "a", params=[1, 2, 3]), UnsupportedError, "'u3_dg'"),
        (op("2cx", "a b c"), UnsupportedError, "'2cx'"),
        (op("c_if_foo", "a", "x"), UnsupportedError, "'foo'"),
        (op("c_if_measure", "a", "x y"), UnsupportedError, "which of its clbits"),
        (op("c_if_x", "a"), UnsupportedError, "'c_if_x'"),
        (op("x", "a", "x"), CircuitInvalidError, "only measurements write"),
        (op("x", "a", params=[1]), CircuitInvalidError, "x takes 0 parameters, not 1"),
        (op("rx", "a"), CircuitInvalidError, "rx takes 1 parameter, not 0"),
        (op("rx", "a", params=[1, 2]), CircuitInvalidError, "rx takes 1 parameter, not 2"),
        (op("rx", "a", params=[math.nan]), CircuitInvalidError, "not a finite number"),
        (op("u3", "a", params=[1]), CircuitInvalidError, "3 parameters, not 1"),
        (op("cx", "a"), CircuitInvalidError, "acts on 2 qubits, not 1"),
        (op("cx", "a a"), CircuitInvalidError, "a qubit twice"),
        (op("x", "z"), CircuitInvalidError, "no qubit 'z'"),
        (op("measure", "a", "z"), CircuitInvalidError, "no clbit 'z'"),
        (op("measure", "a b", "x"), CircuitInvalidError, "one qubit, not 2"),
        (op("reset", "a b"), CircuitInvalidError, "one qubit, not 2"),
        (op("d", "a", definition=definition("a b")), CircuitInvalidError, "its definition has 2 qubits"),
        (op("d", "a", definition=definition("a", op("foo", "a"))), UnsupportedError, r"\(d\): operation 0 \(foo\)"),
    ],
)
def test_what_cannot_be_said_is_refused_with_its_name_and_place(instruction, error, words):
    with pytest.raises(error, match=words) as caught:
        as_circuit(circuit("a b c", "x y", instruction))
    assert str(caught.value).startswith("operation 0 (")
    assert getattr(caught.value, "operation", 0) == 0


def test_numbers_of_bits_that_contradict_the_bits_are_refused():
    right = op("x", "a")
    wrong = type(right)(type(right.op)("x", 2, 0), right.qubits, right.clbits)
    with pytest.raises(CircuitInvalidError, match="on 1 qubits and 0 clbits, but takes 2 and 0"):
        as_circuit(circuit("a", "", wrong))


@pytest.mark.parametrize("kind", ["qubit", "clbit"])
def test_identifiers_are_unique(kind):
    sent = circuit("a a", "") if kind == "qubit" else circuit("", "a a")
    with pytest.raises(CircuitInvalidError, match=f"two {kind}s have the same identifier"):
        as_circuit(sent)


def nested(depth: int) -> Definition:
    found = definition("a", op("x", "a"))
    for _ in range(depth - 1):
        found = definition("a", op("d", "a", definition=found))
    return found


def test_definitions_may_be_nested_so_deep_and_no_deeper():
    assert only(op("d", "a", definition=nested(MAX_DEPTH))).name == "x"
    with pytest.raises(LimitError, match=f"deeper than {MAX_DEPTH}"):
        as_circuit(circuit("a", "", op("d", "a", definition=nested(MAX_DEPTH + 1))))


@pytest.mark.parametrize(
    ("limits", "what"),
    [(Limits(qubits=1), "2 qubits"), (Limits(clbits=1), "2 clbits"), (Limits(operations=4), "more than 4 operations")],
)
def test_what_is_too_large_is_refused(limits, what):
    with pytest.raises(LimitError, match=what):
        as_circuit(bell(), limits)


def test_an_error_deep_inside_names_the_innermost_place_and_the_outermost():
    found = definition("a", op("x", "a"), op("foo", "a"))
    for _ in range(3):
        found = definition("a", op("d", "a", definition=found))
    with pytest.raises(UnsupportedError, match=r"^operation 1 \(e\): operation 1 \(foo\): there is no operation"):
        as_circuit(circuit("a", "", op("x", "a"), op("e", "a", definition=found)))


def test_a_circuit_without_anything_is_one():
    assert as_circuit(QuantumCircuit()) == Circuit()
    assert as_circuit(QuantumCircuit(bits("a"))) == Circuit(1)
    assert cmath.isclose(reference.unitary(as_circuit(circuit("a", "", op("id", "a"))))[0, 0], 1)
