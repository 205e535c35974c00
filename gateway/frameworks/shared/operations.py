"""Prepares operations for other frameworks: by condition, by loop, and without identities that only name qubits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from gateway.circuit.circuit import Circuit, Condition, Operation
from gateway.circuit.conditions import clbits_of
from gateway.circuit.operations import CONTROL, marks_of_loops


def grouped(operations: Iterable[Operation]) -> Iterator[tuple[Condition, list[Operation]]]:
    """Yield each condition with the consecutive operations that one block under it can hold.

    A block tests its condition only once, so it ends after a measurement into a clbit that the condition tests.
    """
    for condition, group in groupby(operations, key=lambda op: op.condition):
        tested_clbits = clbits_of(condition)
        block: list[Operation] = []
        for op in group:
            block.append(op)
            if not tested_clbits.isdisjoint(op.clbits):
                yield condition, block
                block = []
        if block:
            yield condition, block


def sections(operations: Sequence[Operation]) -> Iterator[tuple[Operation | None, Sequence[Operation]]]:
    """Yield operations in sections, in order.

    Each section is ``(None, operations)`` without control flow, ``(set, ())``, or ``(while, body)``, whose body may
    have sections of its own.
    """
    ends = dict(marks_of_loops(operations))
    begin = place = 0
    while place < len(operations):
        op = operations[place]
        if op.name not in CONTROL:
            place += 1
            continue
        if begin < place:
            yield None, operations[begin:place]
        end = ends.get(place, place)
        yield op, operations[place + 1 : end]
        begin = place = end + 1
    if begin < place:
        yield None, operations[begin:place]


def without_mere_names(circuit: Circuit) -> Circuit:
    """Return the circuit without any ``id`` on a qubit that nothing else acts on.

    In a framework that knows only qubits that something acts on, such an identity just says that there is
    an idle qubit.
    """
    busy_qubits = {qubit for op in circuit.operations if op.name != "id" for qubit in op.qubits}
    operations = [op for op in circuit.operations if op.name != "id" or op.qubits[0] in busy_qubits]
    return circuit.with_operations(operations)
