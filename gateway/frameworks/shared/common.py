"""What the conversions share: what they refuse with, and small questions about bits and phases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

import numpy as np

from gateway.circuit.circuit import Circuit, Condition, Operation
from gateway.circuit.conditions import clbits_of
from gateway.circuit.gates import GATES, Step
from gateway.errors import CircuitInvalidError, UnsupportedError

SAME_STATE = 1e-9
"""How far the overlap of two states may be from 1 for them to be the same."""


class Unreadable(ValueError):  # noqa: N818 - reads as a fact; the reader adds where it stands
    """A condition that no conjunctions of comparisons can say."""


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


def missing_phase(steps: Iterable[Step], state: Any) -> float:  # noqa: ANN401 - an array of any framework
    """Return the phase that steps lack to bring the state zero to a given one.

    Args:
        steps: on some qubits, few enough for their state.
        state: little-endian amplitudes that the steps give but for a global phase.

    Raises:
        ValueError: they do not.
    """
    wanted = np.asarray(state, dtype=complex).reshape(-1)
    total = len(wanted).bit_length() - 1
    state_of_steps = np.zeros([2] * total, dtype=complex)
    state_of_steps[(0,) * total] = 1
    for name, qubits, params in steps:
        state_of_steps = _applied(np.array(GATES[name].unitary(*params), dtype=complex), qubits, state_of_steps)
    overlap = np.vdot(state_of_steps.reshape(-1), wanted)
    if abs(abs(overlap) - 1) > SAME_STATE:
        raise ValueError(f"the steps give another state: the overlap is {abs(overlap):.9f}")
    return float(np.angle(overlap))


def _applied(matrix: Any, qubits: Sequence[int], state: Any) -> Any:  # noqa: ANN401 - arrays
    """Apply a gate; axis ``-1 - k`` of the state is qubit ``k``."""
    if not qubits:
        return state * matrix[0, 0]
    count, axes = len(qubits), [state.ndim - 1 - qubit for qubit in reversed(qubits)]
    moved = np.tensordot(matrix.reshape([2] * 2 * count), state, axes=(list(range(count, 2 * count)), axes))
    return np.moveaxis(moved, range(count), axes)
