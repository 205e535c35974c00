"""Operations in the groups, and qubits with the names, that other frameworks want."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from gateway.circuit.circuit import Circuit, Condition, Operation
from gateway.circuit.conditions import clbits_of


def grouped(operations: Iterable[Operation]) -> Iterator[tuple[Condition, list[Operation]]]:
    """Yield a condition and the operations in a row that one block under it can hold.

    A block tests its condition once, so it ends after what measures into a clbit that is tested.
    """
    for condition, group in groupby(operations, key=lambda op: op.condition):
        tested = clbits_of(condition)
        block: list[Operation] = []
        for op in group:
            block.append(op)
            if not tested.isdisjoint(op.clbits):
                yield condition, block
                block = []
        if block:
            yield condition, block


def without_mere_names(circuit: Circuit) -> Circuit:
    """Take out each ``id`` on a qubit that nothing else acts on.

    Where a framework knows a qubit only by what acts on it, an identity is how it says that there is
    an idle one.
    """
    used = {qubit for op in circuit.operations if op.name != "id" for qubit in op.qubits}
    kept = [op for op in circuit.operations if op.name != "id" or op.qubits[0] in used]
    return Circuit(circuit.num_qubits, circuit.num_clbits, kept)
