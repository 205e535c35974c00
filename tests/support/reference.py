"""A small, independent simulator, to compare others with: exact, in numpy, for about ten qubits.

It shares nothing with the code under test but the matrices of the gate table, which have their own
tests. Its bit order is that of the project: little-endian matrices, clbit 0 is the rightmost character of a key.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gateway.circuit.circuit import Circuit, Operation
from gateway.circuit.gates import GATES
from gateway.observables import Observable

Array = npt.NDArray[np.complex128]

_NEGLIGIBLE = 1e-13


def unitary(circuit: Circuit) -> Array:
    """Return the circuit's matrix of shape ``(2**n, 2**n)``, global phase included.

    Raises:
        ValueError: the circuit measures, resets or tests clbits.
    """
    size = 2**circuit.num_qubits
    state = np.eye(size, dtype=complex).reshape([2] * circuit.num_qubits + [size])
    for op in circuit.operations:
        if op.name == "barrier":
            continue
        if op.name not in GATES or op.condition:
            msg = f"{op} has no matrix"
            raise ValueError(msg)
        state = _apply(state, circuit.num_qubits, op)
    return state.reshape(size, size)


def distribution(circuit: Circuit) -> dict[str, float]:
    """Return the exact probability of every outcome that can occur; all clbits begin as 0.

    Keys have ``num_clbits`` characters, clbit 0 rightmost; the empty string if there are none.
    The cost doubles with every measurement whose outcome or qubit is used again, not with the others.
    """
    size = circuit.num_qubits
    zero = np.zeros([2] * size, dtype=complex)
    zero[(0,) * size] = 1
    late = _final_measurements(circuit)
    branches = [_Branch(zero, 0)]
    for index, op in enumerate(circuit.operations):
        if op.name != "barrier" and index not in late:
            branches = [after for branch in branches for after in _advance(branch, size, op)]
    probabilities: defaultdict[int, float] = defaultdict(float)
    for branch in branches:
        _read_out(branch, size, list(late.values()), probabilities)
    return {
        format(bits, f"0{circuit.num_clbits}b") if circuit.num_clbits else "": p for bits, p in probabilities.items()
    }


def expectation(circuit: Circuit, terms: Observable) -> float:
    """Return the exact value of a sum of Pauli strings at the end of a circuit, after its measurements."""
    size = circuit.num_qubits
    zero = np.zeros([2] * size, dtype=complex)
    zero[(0,) * size] = 1
    branches = [_Branch(zero, 0)]
    for op in circuit.operations:
        if op.name != "barrier":
            branches = [after for branch in branches for after in _advance(branch, size, op)]
    total = 0.0
    for branch in branches:
        for term in terms:
            after = branch.state
            for letter, qubit in zip(term.paulis, term.qubits, strict=True):
                after = _apply(after, size, Operation(letter.lower(), (qubit,)))
            total += term.coefficient * float(np.vdot(branch.state, after).real)
    return total


@dataclass(frozen=True, slots=True)
class _Branch:
    """One history of outcomes: a state whose squared norm is its probability, and the clbits."""

    state: Array
    bits: int

    def probability(self) -> float:
        return float(np.vdot(self.state, self.state).real)


def _apply(state: Array, size: int, op: Operation) -> Array:
    """Apply a gate; axis ``size - 1 - k`` of the state is qubit ``k``."""
    matrix = np.array(GATES[op.name].unitary(*op.params), dtype=complex)
    if not op.qubits:
        return state * matrix[0, 0]
    count = len(op.qubits)
    axes = [size - 1 - qubit for qubit in reversed(op.qubits)]
    moved = np.tensordot(matrix.reshape([2] * 2 * count), state, axes=(list(range(count, 2 * count)), axes))
    return np.moveaxis(moved, range(count), axes)


def _advance(branch: _Branch, size: int, op: Operation) -> list[_Branch]:
    """Return the branches that follow a branch after one operation."""
    if not all(comparison.holds(branch.bits) for comparison in op.condition):
        return [branch]
    if op.name in GATES:
        return [_Branch(_apply(branch.state, size, op), branch.bits)]
    after = []
    for outcome in (0, 1):
        here = (slice(None),) * (size - 1 - op.qubits[0])
        state = np.zeros_like(branch.state)
        state[(*here, 0 if op.name == "reset" else outcome)] = branch.state[(*here, outcome)]
        bits = branch.bits
        if op.name == "measure":
            bits = bits & ~(1 << op.clbits[0]) | outcome << op.clbits[0]
        successor = _Branch(state, bits)
        if successor.probability() > _NEGLIGIBLE:
            after.append(successor)
    return after


def _final_measurements(circuit: Circuit) -> dict[int, tuple[int, int]]:
    """Return index -> (qubit, clbit) of the measurements that can wait, since nothing later depends on them."""
    used_qubits: set[int] = set()
    used_clbits: set[int] = set()
    late = {}
    for index in range(len(circuit.operations) - 1, -1, -1):
        op = circuit.operations[index]
        if op.name == "barrier":
            continue
        if (
            op.name == "measure"
            and not op.condition
            and not (op.qubits[0] in used_qubits or op.clbits[0] in used_clbits)
        ):
            late[index] = (op.qubits[0], op.clbits[0])
        used_qubits.update(op.qubits)
        used_clbits.update(op.clbits, *(comparison.clbits for comparison in op.condition))
    return late


def _read_out(branch: _Branch, size: int, late: list[tuple[int, int]], total: defaultdict[int, float]) -> None:
    """Add the outcomes of the measurements that waited."""
    kept = [size - 1 - qubit for qubit, _ in late]
    summed = tuple(axis for axis in range(size) if axis not in kept)
    probabilities = (np.abs(branch.state) ** 2).sum(axis=summed)
    places = sorted(late, key=lambda pair: -pair[0])  # the order of the axes that are left
    for index in np.argwhere(probabilities > _NEGLIGIBLE):
        bits = branch.bits
        for outcome, (_, clbit) in zip(index, places, strict=True):
            bits = bits & ~(1 << clbit) | int(outcome) << clbit
        total[bits] += float(probabilities[tuple(index)])
