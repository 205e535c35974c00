"""Changes which clbits are the outcome of a circuit that others have built, and adds clbits for measurements."""

from __future__ import annotations

from collections.abc import Sequence

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


def with_outcome(circuit: Circuit, clbits: Sequence[int], more_clbits: int = 0) -> Circuit:
    """Return a copy whose outcome are some of the clbits, and new ones after them; all others become hidden.

    Args:
        circuit: the circuit, which stays as it is.
        clbits: different clbits of its outcome; the first one becomes clbit 0.
        more_clbits: how many clbits are added after these.
    """
    width = len(clbits) + more_clbits
    others = sorted({*range(circuit.num_clbits + circuit.num_hidden)}.difference(clbits))
    numbers = {clbit: place for place, clbit in enumerate(clbits)}
    numbers |= {clbit: width + place for place, clbit in enumerate(others)}
    operations = [with_clbits_numbered(operation, numbers.__getitem__) for operation in circuit.operations]
    return Circuit(circuit.num_qubits, width, operations, len(others), circuit.notes)
