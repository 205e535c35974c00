"""A plan leaves out what no clbit depends on, and keeps few qubits at a time."""

from __future__ import annotations

from gateway.circuit import Circuit
from gateway.compare.exact.plan import Part, make_plan


def names(part: Part) -> list[str]:
    return [op.name for op in (*part.operations, *part.readings)]


def test_operations_outside_of_the_light_cone_are_left_out():
    circuit = Circuit(3, 1).h(0).h(2).cx(2, 1).measure(0, 0).x(0).gphase(1.0).barrier()
    (part,) = make_plan(circuit)
    assert names(part) == ["h", "measure"]


def test_a_measurement_that_is_overwritten_only_ends_what_its_qubit_shares():
    circuit = Circuit(2, 1).h(0).cx(0, 1).measure(0, 0).h(0).measure(1, 0)
    (part,) = make_plan(circuit)
    assert [op.clbits for op in part.readings if op.clbits] == [(next(iter(part.clbits)),)]
    assert list(part.clbits.values()) == [0]


def test_qubits_that_never_meet_are_in_different_parts():
    circuit = Circuit(4).h(0).cx(0, 1).h(2).cx(2, 3).measure_all()
    assert [sorted(part.clbits.values()) for part in make_plan(circuit)] == [[0, 1], [2, 3]]


def test_a_condition_joins_the_qubits_that_it_connects():
    circuit = Circuit(2, 2).h(0).measure(0, 0).x(1, when={0: 1}).measure(1, 1)
    assert len(make_plan(circuit)) == 1


def test_a_reset_begins_another_qubit():
    circuit = Circuit(1, 2).h(0).measure(0, 0).reset(0).h(0).measure(0, 1)
    assert len(make_plan(circuit)) == 2


def test_qubits_enter_late_and_leave_early():
    circuit = Circuit(5, 5)
    for qubit in range(5):
        circuit.h(qubit)
    for qubit in range(4):
        circuit.cx(qubit, qubit + 1)
    (part,) = make_plan(circuit.measure_all())
    assert part.smallest_work()[0] == 2
    assert (
        names(part)
        == ["h", "h", "cx", "measure", "h", "cx", "measure", "h", "cx", "measure", "h", "cx"] + ["measure"] * 2
    )


def test_a_qubit_that_is_not_measured_leaves_all_the_same():
    circuit = Circuit(3, 1).h(0).cx(0, 1).cx(1, 2).h(2).measure(2, 0)
    (part,) = make_plan(circuit)
    assert names(part) == ["h", "cx", "measure", "cx", "measure", "h", "measure"]
    assert part.smallest_work()[0] == 2


def test_a_clbit_that_nothing_tests_any_more_is_forgotten():
    circuit = Circuit(2, 2).h(0).measure(0, 0).x(1, when={0: 1}).h(1).measure(1, 1).measure(1, 0)
    (part,) = make_plan(circuit)
    test = next(index for index, op in enumerate(part.operations) if op.condition)
    assert [kind for kind, _ in part.forgotten[test]] == ["clbit"]
