"""Adds clbits to a circuit that others have built, for measurements of one's own."""

from __future__ import annotations

from gateway.circuit.circuit import Circuit
from gateway.circuit.emitter import with_clbits_numbered


def widened(circuit: Circuit, num_qubits: int, more_clbits: int) -> Circuit:
    """Return a copy with more clbits after those of the outcome; the hidden ones move behind them.

    Args:
        circuit: the circuit, which stays as it is.
        num_qubits: the number of qubits of the copy; qubits are only added.
        more_clbits: how many clbits are added.
    """
    first = circuit.num_clbits

    def number(clbit: int) -> int:
        return clbit if clbit < first else clbit + more_clbits

    operations = list(circuit.operations)
    if circuit.num_hidden:
        operations = [with_clbits_numbered(operation, number) for operation in operations]
    size = max(num_qubits, circuit.num_qubits), first + more_clbits
    return Circuit(*size, operations, circuit.num_hidden, circuit.notes)
