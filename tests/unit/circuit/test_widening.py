from __future__ import annotations

from gateway.circuit import Circuit, Comparison, Operation
from gateway.circuit.expressions import bits
from gateway.circuit.widening import widened, with_outcome


def test_more_clbits_come_after_those_of_the_outcome():
    circuit = Circuit(2, 1).h(0).measure(0, 0)
    wider = widened(circuit, 0, 2)
    wider.measure(1, 2)
    assert wider == Circuit(2, 3).h(0).measure(0, 0).measure(1, 2)
    assert circuit == Circuit(2, 1).h(0).measure(0, 0)


def test_qubits_are_only_added():
    assert widened(Circuit(0, 0), 1, 1) == Circuit(1, 1)
    assert widened(Circuit(3, 0), 1, 0) == Circuit(3, 0)


def test_hidden_clbits_move_behind_the_new_ones():
    hidden, moved = 1, 4
    circuit = Circuit(1, 1, [], 1, ("a note",)).measure(0, hidden).x(0, when={hidden: 1}).measure(0, 0)
    circuit.append(Operation("set", (), (bits(0, hidden),), (0, hidden), (Comparison((0,), 1),)))
    wider = widened(circuit, 1, 3)
    expected = Circuit(1, 4, [], 1).measure(0, moved).x(0, when={moved: 1}).measure(0, 0)
    expected.append(Operation("set", (), (bits(0, moved),), (0, moved), (Comparison((0,), 1),)))
    assert wider == expected
    assert wider.notes == ("a note",)


def test_chosen_clbits_become_the_outcome_and_all_others_are_hidden():
    circuit = Circuit(2, 3, num_hidden=1).measure(0, 0).measure(1, 2).x(0, when={0: 1}).set([3, 1], bits(0, 2))
    chosen = with_outcome(circuit, [2, 1])
    assert (chosen.num_clbits, chosen.num_hidden) == (2, 2)
    assert chosen.operations == (
        Circuit(2, 2, num_hidden=2).measure(0, 2).measure(1, 0).x(0, when={2: 1}).set([3, 1], bits(2, 0)).operations
    )
    assert circuit.operations[0].clbits == (0,)
    chosen.validate()


def test_new_clbits_come_after_those_that_are_chosen():
    circuit = Circuit(1, 2).measure(0, 1)
    assert with_outcome(circuit, (), 3) == Circuit(1, 3, [Operation("measure", (0,), (), (4,))], 2)
    assert with_outcome(circuit, (1,), 1) == Circuit(1, 2, [Operation("measure", (0,), (), (0,))], 1)
