from __future__ import annotations

import math

import msgspec
import pytest

from gateway.circuit import Circuit, Comparison, Limits, Operation
from gateway.errors import CircuitInvalidError, LimitError


def test_builder_methods_append_and_chain():
    circuit = Circuit(2, 2).h(0).cx(0, 1).rz(0.5, 1).measure(0, 0).reset(1).barrier()
    assert [str(operation) for operation in circuit.operations] == [
        "h 0",
        "cx 0 1",
        "rz(0.5) 1",
        "measure 0 -> 0",
        "reset 1",
        "barrier 0 1",
    ]


def test_a_circuit_survives_the_wire():
    circuit = Circuit(2, 2).u(0.1, 0.2, 0.3, 0).measure(0, 1).x(1, when={1: 1, 0: 0}).barrier(1)
    assert msgspec.json.decode(msgspec.json.encode(circuit), type=Circuit) == circuit
    assert msgspec.json.encode(Operation("cx", (0, 1))) == b'["cx",[0,1],[],[],[]]'


def test_when_takes_a_mapping_a_comparison_or_a_conjunction():
    comparison = Comparison((0, 1), 2)
    expected = ((comparison,), (comparison,), (comparison, Comparison((0,), 1, equal=False)))
    circuit = Circuit(1, 2).x(0, when={0: 0, 1: 1}).x(0, when=comparison).x(0, when=expected[2]).x(0, when={})
    assert tuple(operation.condition for operation in circuit.operations) == (*expected, ())


@pytest.mark.parametrize(("bits", "holds"), [(0b100, True), (0b101, True), (0b110, False), (0b000, False)])
def test_a_comparison_reads_its_first_clbit_as_the_least_significant(bits, holds):
    assert Comparison((1, 2), 0b10).holds(bits) is holds
    assert Comparison((1, 2), 0b10, equal=False).holds(bits) is not holds


def test_measure_all_adds_the_clbits_that_lack():
    circuit = Circuit(3, 1).measure_all()
    assert circuit.num_clbits == 3
    assert [operation.clbits for operation in circuit.operations] == [(0,), (1,), (2,)]


def test_count_ops_lists_the_most_frequent_first():
    assert list(Circuit(2).x(0).h(0).h(1).count_ops().items()) == [("h", 2), ("x", 1)]


def test_depth_counts_chains_over_qubits_and_clbits_but_not_barriers():
    assert Circuit(3).depth() == 0
    assert Circuit(3).h(0).h(1).h(2).depth() == 1
    assert Circuit(3).h(0).barrier().h(1).depth() == 2
    assert Circuit(2, 1).h(0).measure(0, 0).x(1, when={0: 1}).depth() == 3
    assert Circuit(1).gphase(1.0).depth() == 0


@pytest.mark.parametrize(
    ("operation", "rule", "message"),
    [
        (Operation("hh", (0,)), "gate name", "no gate named 'hh'"),
        (Operation("h", (2,)), "qubit index", "names qubit 2, but the circuit has 2 qubits"),
        (Operation("h", (-1,)), "qubit index", "names qubit -1"),
        (Operation("cx", (1, 1)), "distinct qubits", "names qubit 1 twice"),
        (Operation("cx", (1,)), "number of qubits", "cx acts on 2 qubits, not 1"),
        (Operation("rz", (1,)), "number of parameters", "rz takes 1 parameter, not 0"),
        (Operation("rz", (1,), (math.nan,)), "finite angle", "not a finite number"),
        (Operation("rz", (1,), (math.inf,)), "finite angle", "not a finite number"),
        (Operation("measure", (1,)), "number of clbits", "measure writes one clbit"),
        (Operation("measure", (1,), (), (1,)), "clbit index", "names clbit 1, but the circuit has 1 clbits"),
        (Operation("h", (1,), (), (0,)), "number of clbits", "h writes no clbit"),
        (Operation("reset", (0, 1)), "number of qubits", "reset takes one qubit"),
        (Operation("h", (0,), (), (), (Comparison((0,), 2),)), "condition", "never equal 2"),
        (Operation("h", (0,), (), (), (Comparison((), 0),)), "condition", "never equal 0"),
        (Operation("h", (0,), (), (), (Comparison((4,), 0),)), "clbit index", "names clbit 4"),
        (Operation("barrier", (0,), (), (), (Comparison((0,), 0),)), "condition", "barrier cannot be conditional"),
    ],
)
def test_a_broken_operation_is_refused_by_rule(operation, rule, message):
    with pytest.raises(CircuitInvalidError, match=message) as caught:
        Circuit(2, 1).append(operation)
    assert caught.value.rule == rule
    circuit = Circuit(2, 1, [Operation("x", (0,)), operation])
    with pytest.raises(CircuitInvalidError, match=f"operation 1: .*{message}") as caught:
        circuit.validate()
    assert (caught.value.rule, caught.value.operation) == (rule, 1)


def test_a_bad_angle_is_found_even_if_the_same_gate_was_seen_with_a_good_one():
    with pytest.raises(CircuitInvalidError, match="operation 1"):
        Circuit(1, 0, [Operation("rz", (0,), (1.0,)), Operation("rz", (0,), (math.nan,))]).validate()


@pytest.mark.parametrize(
    ("circuit", "limit"),
    [(Circuit(3), "qubits"), (Circuit(1, 3), "clbits"), (Circuit(1).x(0).x(0).x(0), "operations")],
)
def test_a_circuit_over_a_limit_is_refused(circuit, limit):
    with pytest.raises(LimitError, match=f"3 {limit}; at most 2") as caught:
        circuit.validate(Limits(2, 2, 2))
    assert (caught.value.limit, caught.value.requested, caught.value.allowed) == (limit, 3, 2)


@pytest.mark.parametrize("number", [-1, 1.5, True, "2"])
def test_the_number_of_qubits_is_a_whole_number(number):
    with pytest.raises(CircuitInvalidError, match="whole number of qubits"):
        Circuit(number)


@pytest.mark.parametrize("angle", ["1", None, True])
def test_an_angle_must_be_a_number(angle):
    with pytest.raises(CircuitInvalidError, match="a parameter is a number"):
        Circuit(1).rz(angle, 0)
