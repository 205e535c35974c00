"""What the conversions from other frameworks share: exact matrices, and what they refuse with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from gateway.circuit.circuit import Circuit, Condition, Operation
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import steps_of_matrix
from gateway.errors import CircuitInvalidError, UnsupportedError

UNITARY_TOLERANCE = 1e-9
"""How far a matrix may be from a unitary one, in any entry."""


def refused(operation: int, what: str, why: str) -> UnsupportedError:
    """Return the error for an operation the shared circuit cannot say.

    Args:
        operation: its place in the framework's circuit, counting from 0.
        what: its name there.
        why: the shared circuit cannot say it.
    """
    return UnsupportedError(f"operation {operation}: {what}: {why}", feature=what)


def unbound(names: Iterable[str]) -> CircuitInvalidError:
    """Return the error for parameters without a value."""
    listed = ", ".join(sorted(names))
    return CircuitInvalidError(f"parameters have no value: {listed}; bind them first", rule="unbound parameters")


def steps_of_unitary(matrix: Any, qubit: int) -> list[Step] | None:  # noqa: ANN401 - an array of any framework
    """Return a matrix of one qubit as a phase and one gate, or ``None`` if it is not unitary."""
    if np.shape(matrix) != (2, 2) or not is_unitary(matrix):
        return None
    (a, b), (c, d) = np.asarray(matrix, dtype=complex).tolist()
    return steps_of_matrix(a, b, c, d, qubit)


def is_unitary(matrix: Any) -> bool:  # noqa: ANN401 - an array of any framework
    """Say whether a square matrix is unitary."""
    entries = np.asarray(matrix, dtype=complex)
    return np.allclose(entries @ entries.conj().T, np.eye(len(entries)), atol=UNITARY_TOLERANCE)


def grouped(operations: Iterable[Operation]) -> Iterator[tuple[Condition, list[Operation]]]:
    """Yield a condition and the operations in a row that one block under it can hold.

    A block tests its condition once, so it ends after what measures into a clbit that is tested.
    """
    for condition, found in groupby(operations, key=lambda op: op.condition):
        tested = {clbit for comparison in condition for clbit in comparison.clbits}
        block: list[Operation] = []
        for op in found:
            block.append(op)
            if not tested.isdisjoint(op.clbits):
                yield condition, block
                block = []
        if block:
            yield condition, block


def holds(condition: Condition, bits: int) -> bool:
    """Say whether a condition holds when clbit ``k`` is bit ``k`` of ``bits``."""
    return all(comparison.holds(bits) for comparison in condition)


def bits_of(clbits: Sequence[int], value: int) -> list[tuple[int, int]]:
    """Return each clbit with its bit of a value, the first clbit the least significant."""
    return [(clbit, value >> place & 1) for place, clbit in enumerate(clbits)]


def without_mere_names(circuit: Circuit) -> Circuit:
    """Take out each ``id`` on a qubit that nothing else acts on.

    Where a framework knows a qubit only by what acts on it, an identity is how it says that there is
    an idle one.
    """
    used = {qubit for op in circuit.operations if op.name != "id" for qubit in op.qubits}
    kept = [op for op in circuit.operations if op.name != "id" or op.qubits[0] in used]
    return Circuit(circuit.num_qubits, circuit.num_clbits, kept)
