"""A few operations of a circuit alone: most faults are those of one gate, or of two that follow each other.

A circuit of which no operation can be left out may still be far from the smallest one. Here the operations that are
left are put between plain gates that make most faults of them visible.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

from gateway.circuit import Circuit, Operation
from gateway.compare.reproducer.compacting import final_measurements, renumbered, used_clbits, used_qubits
from gateway.compare.reproducer.weighing import total_weight

MOST_OPERATIONS = 32
"""Longer circuits are not taken apart."""

Layer = tuple[str, str]
"""The gate on all qubits but the last, and the gate on the last one; empty for none."""

_BEFORE: tuple[Layer, ...] = (
    ("", ""), ("x", "x"), ("x", ""), ("h", "h"), ("h", ""), ("", "h"), ("h", "x"), ("x", "h"), ("sx", "sx"),
)  # fmt: skip
_AFTER: tuple[Layer, ...] = (("", ""), ("h", "h"), ("h", ""), ("sx", "sx"), ("sx", ""), ("", "sx"))


def isolated(circuit: Circuit) -> Iterator[Circuit]:
    """Yield circuits of one or two operations between plain gates, the lightest first; all weigh less than this one."""
    if len(circuit.operations) > MOST_OPERATIONS:
        return
    limit = total_weight(circuit.operations)
    weighed = []
    for number, (group, before, after) in enumerate(product(_groups(circuit.operations), _BEFORE, _AFTER)):
        candidate = _between(group, before, after)
        weighed.append((total_weight(candidate.operations), number, candidate))
    yield from [candidate for weight, _, candidate in sorted(weighed, key=lambda it: it[:2]) if weight < limit]


def _groups(operations: list[Operation]) -> list[tuple[Operation, ...]]:
    """Return each operation, and each pair of operations that follow each other on a qubit or a clbit."""
    final = final_measurements(operations)
    inner = [op for index, op in enumerate(operations) if index not in final and op.qubits and op.name != "barrier"]
    pairs: list[tuple[Operation, ...]] = []
    last: dict[tuple[str, int], Operation] = {}
    for op in inner:
        wires = [*(("qubit", qubit) for qubit in op.qubits), *(("clbit", clbit) for clbit in used_clbits([op]))]
        pairs += [(last[wire], op) for wire in wires if wire in last]
        last.update(dict.fromkeys(wires, op))
    return list(dict.fromkeys([*((op,) for op in inner), *pairs]))


def _between(group: tuple[Operation, ...], before: Layer, after: Layer) -> Circuit:
    """Return operations between two layers, with all qubits measured into new clbits."""
    qubits = {qubit: place for place, qubit in enumerate(sorted(used_qubits(group)))}
    clbits = {clbit: place for place, clbit in enumerate(sorted(used_clbits(group)))}
    last = qubits[group[-1].qubits[-1]]

    def layer(names: Layer) -> list[Operation]:
        return [Operation(names[qubit == last], (qubit,)) for qubit in range(len(qubits)) if names[qubit == last]]

    operations = [*layer(before), *[renumbered(op, qubits, clbits) for op in group], *layer(after)]
    measurements = [Operation("measure", (qubit,), (), (len(clbits) + qubit,)) for qubit in range(len(qubits))]
    return Circuit(len(qubits), len(clbits) + len(qubits), [*operations, *measurements])
