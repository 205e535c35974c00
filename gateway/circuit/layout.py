"""Where the operations of a drawing stand: each in the earliest column in which it crosses no other.

The rows are, from top to bottom, that of the global phases if there are any, one for each qubit, and that of the
clbits. An operation takes all rows between its highest and its lowest qubit, and down to the clbits if it writes or
tests some. An assignment takes the row of the clbits only, and the beginning and the end of a loop take all rows.
"""

from __future__ import annotations

from typing import NamedTuple

from gateway.circuit.operations import CONTROL, CircuitData, Operation


class Layout(NamedTuple):
    """The columns of a drawing.

    Args:
        columns: the operations of each column; no two of a column share a row.
        has_phases: whether there is a row for global phases, which is then the first one.
        left_out: the number of operations at the end of the circuit that have no place.
    """

    columns: list[list[Operation]]
    has_phases: bool
    left_out: int


def layout(circuit: CircuitData, *, most_operations: int, most_columns: int | None = None) -> Layout:
    """Return where the first operations of a circuit stand, in a time that does not depend on how many more there are.

    Args:
        circuit: the circuit.
        most_operations: how many operations have a place at most.
        most_columns: how many columns there are at most; the first operation that would need another one, and all
            after it, have no place.
    """
    operations = circuit.operations[:most_operations]
    has_phases = any(_is_phase(operation) for operation in operations)
    bottom = circuit.num_qubits + has_phases
    ends = [0] * (bottom + 1)
    columns: list[list[Operation]] = []
    placed = 0
    for operation in operations:
        rows = _rows(operation, int(has_phases), bottom)
        column = max(ends[rows], default=0)
        if column == most_columns:
            break
        placed += 1
        if not operation.qubits and operation.name == "barrier":
            continue  # a barrier on nothing
        ends[rows] = [column + 1] * (rows.stop - rows.start)
        if column == len(columns):
            columns.append([])
        columns[column].append(operation)
    return Layout(columns, has_phases, len(circuit.operations) - placed)


def _is_phase(op: Operation) -> bool:
    return not op.qubits and op.name != "barrier" and op.name not in CONTROL


def _rows(op: Operation, first_qubit: int, bottom: int) -> slice:
    """Return the rows that an operation takes."""
    if op.name in CONTROL:
        return slice(bottom if op.name == "set" else 0, bottom + 1)
    top, last = (min(op.qubits) + first_qubit, max(op.qubits) + first_qubit) if op.qubits else (0, 0)
    return slice(top, (bottom if op.clbits or op.condition else last) + 1)


def has_clbits(circuit: CircuitData) -> bool:
    """Return whether a drawing has a row for the clbits."""
    return circuit.num_clbits + circuit.num_hidden > 0
