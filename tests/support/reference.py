"""A small, independent simulator, to compare others with: exact, in numpy, for about ten qubits.

It shares nothing with the code under test but the matrices of the gate table, which have their own
tests. Its bit order is that of the project: little-endian matrices, clbit 0 is the rightmost character of a key.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt

from gateway.circuit.circuit import Circuit, Operation
from gateway.circuit.expressions import value_of_clbits
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
    The cost doubles with every measurement whose outcome or qubit is used again, not with the others. Circuits with
    assignments and loops go another way, :func:`distribution_of_densities`, and have about five qubits.
    """
    if any(op.name in {"set", "while"} for op in circuit.operations):
        return distribution_of_densities(circuit)
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
    return _by_bitstring(circuit, probabilities)


def distribution_of_densities(circuit: Circuit) -> dict[str, float]:
    """Return the same as :func:`distribution`, from one density matrix for each value of all clbits.

    A loop is followed until the probability of being in it is negligible. The cost grows with the values of the clbits
    and as the fourth power of two with the qubits, not with the number of measurements or turns.
    """
    zero = np.zeros((2**circuit.num_qubits,) * 2, dtype=complex)
    zero[0, 0] = 1
    densities = _run_block(circuit, 0, len(circuit.operations), {0: zero})
    return _by_bitstring(circuit, {bits: float(np.trace(density).real) for bits, density in densities.items()})


def _by_bitstring(circuit: Circuit, probabilities: Mapping[int, float]) -> dict[str, float]:
    """Return probabilities of the clbits as a number by the bitstring of those that are not hidden."""
    shown: defaultdict[str, float] = defaultdict(float)
    for bits, probability in probabilities.items():
        key = format(bits & (1 << circuit.num_clbits) - 1, f"0{circuit.num_clbits}b") if circuit.num_clbits else ""
        shown[key] += probability
    return {key: probability for key, probability in shown.items() if probability > _NEGLIGIBLE}


_Densities = dict[int, Array]
"""Clbits as a number -> density matrix ``(2**n, 2**n)``, whose trace is their probability."""


def _run_block(circuit: Circuit, begin: int, end: int, densities: _Densities) -> _Densities:
    """Return the densities after some operations, loops as one."""
    index = begin
    while index < end:
        op = circuit.operations[index]
        if op.name == "while":
            after = _end_of_loop(circuit, index)
            densities = _run_loop(circuit, index, after, densities)
            index = after
        elif op.name != "barrier":
            changed: defaultdict[int, Array] = defaultdict(lambda: np.zeros((2**circuit.num_qubits,) * 2, complex))
            for bits, density in densities.items():
                for bits_after, density_after in _step(circuit.num_qubits, op, bits, density):
                    changed[bits_after] += density_after
            densities = {bits: density for bits, density in changed.items() if np.trace(density).real > _NEGLIGIBLE**2}
        index += 1
    return densities


def _run_loop(circuit: Circuit, begin: int, end: int, densities: _Densities) -> _Densities:
    left: _Densities = {}
    while True:
        inside = {}
        for bits, density in densities.items():
            if all(comparison.holds(bits) for comparison in circuit.operations[begin].condition):
                inside[bits] = density
            else:
                left[bits] = left[bits] + density if bits in left else density
        if sum(np.trace(density).real for density in inside.values()) < _NEGLIGIBLE:
            return left
        densities = _run_block(circuit, begin + 1, end, inside)


def _end_of_loop(circuit: Circuit, begin: int) -> int:
    depth = 0
    for index in range(begin, len(circuit.operations)):
        depth += {"while": 1, "end": -1}.get(circuit.operations[index].name, 0)
        if not depth:
            return index
    msg = "the loop has no end"
    raise ValueError(msg)


def _step(size: int, op: Operation, bits: int, density: Array) -> list[tuple[int, Array]]:
    """Return the clbits and densities that follow after one operation."""
    if not all(comparison.holds(bits) for comparison in op.condition):
        return [(bits, density)]
    if op.name == "set":
        value = value_of_clbits(op.params[0], lambda clbit: bits >> clbit & 1)
        for place, clbit in enumerate(op.clbits):
            bits = bits & ~(1 << clbit) | (value >> place & 1) << clbit
        return [(bits, density)]
    if op.name in GATES:
        return [(bits, _on_both_sides(density, size, lambda state: _apply(state, size, op)))]
    after = []
    for outcome in (0, 1):
        bits_after = bits & ~(1 << op.clbits[0]) | outcome << op.clbits[0] if op.name == "measure" else bits
        to = 0 if op.name == "reset" else outcome
        project = partial(_projected, size=size, qubit=op.qubits[0], outcome=outcome, to=to)
        after.append((bits_after, _on_both_sides(density, size, project)))
    return after


def _on_both_sides(density: Array, size: int, act: Callable[[Array], Array]) -> Array:
    """Return ``A density A*`` for what acts on states: as ``A (A density)*``, for a density is its own adjoint."""
    shape = [2] * size + [2**size]
    once = act(density.reshape(shape)).reshape(density.shape)
    return act(once.conj().T.reshape(shape)).reshape(density.shape)


def _projected(state: Array, *, size: int, qubit: int, outcome: int, to: int) -> Array:
    here = (slice(None),) * (size - 1 - qubit)
    after = np.zeros_like(state)
    after[(*here, to)] = state[(*here, outcome)]
    return after


def density_matrix(circuit: Circuit) -> Array:
    """Return the density matrix ``(2**n, 2**n)`` at the end of a circuit, after its measurements and loops."""
    zero = np.zeros((2**circuit.num_qubits,) * 2, dtype=complex)
    zero[0, 0] = 1
    return np.sum(list(_run_block(circuit, 0, len(circuit.operations), {0: zero}).values()), axis=0)


def expectation(circuit: Circuit, terms: Observable) -> float:
    """Return the exact value of a sum of Pauli strings at the end of a circuit, after its measurements and loops."""
    size = circuit.num_qubits
    density = density_matrix(circuit)
    total = 0.0
    for term in terms:
        after = density.reshape([2] * size + [2**size])
        for letter, qubit in zip(term.paulis, term.qubits, strict=True):
            after = _apply(after, size, Operation(letter.lower(), (qubit,)))
        total += term.coefficient * float(np.trace(after.reshape(2**size, 2**size)).real)
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
