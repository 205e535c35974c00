from __future__ import annotations

from gateway.circuit import Circuit, Comparison, Operation
from gateway.circuit.expressions import bits
from gateway.circuit.widening import widened


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
