"""A slow, plain simulator for tests, which follows every branch of a circuit exactly, global phase included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from gateway.circuit import Circuit, Operation
from gateway.circuit.expressions import value_of_clbits
from gateway.circuit.gates import GATES, Step


class Move(NamedTuple):
    """One step of a circuit: a matrix, or ``None`` for a measurement (with a clbit) or a reset (without one)."""

    matrix: np.ndarray | None
    qubits: tuple[int, ...]
    clbit: int | None = None
    when: Callable[[int], bool] = lambda _: True


def apply(matrix: np.ndarray, qubits: tuple[int, ...], state: np.ndarray) -> np.ndarray:
    """Apply a little-endian matrix to some qubits of a little-endian state (or columns of states)."""
    total = state.shape[0].bit_length() - 1
    tensor = state.reshape([2] * total + [-1])
    axes = [total - 1 - qubit for qubit in reversed(qubits)]
    k = len(qubits)
    gate = np.asarray(matrix, dtype=complex).reshape([2] * (2 * k))
    moved = np.tensordot(gate, tensor, axes=(range(k, 2 * k), axes))
    return np.moveaxis(moved, range(k), axes).reshape(state.shape)


def unitary(circuit: Circuit) -> np.ndarray:
    """Return the little-endian unitary of a circuit of gates and barriers."""
    state = np.eye(2**circuit.num_qubits, dtype=complex)
    for move in moves(circuit):
        assert move.matrix is not None
        assert move.when(0)
        state = apply(move.matrix, move.qubits, state)
    return state


def steps_unitary(num_qubits: int, steps: Iterable[Step]) -> np.ndarray:
    """Return the unitary of a definition's steps."""
    state = np.eye(2**num_qubits, dtype=complex)
    for name, qubits, params in steps:
        state = apply(np.array(GATES[name].unitary(*params)), qubits, state)
    return state


def moves(circuit: Circuit) -> list[Move]:
    """Return the steps of a circuit, barriers left out."""

    def holds(condition: tuple) -> Callable[[int], bool]:
        return lambda bits: all(comparison.holds(bits) for comparison in condition)

    steps = []
    for op in circuit.operations:
        if op.name == "barrier":
            continue
        matrix = None if op.name in {"measure", "reset"} else np.array(GATES[op.name].unitary(*op.params))
        steps.append(Move(matrix, op.qubits, op.clbits[0] if op.clbits else None, holds(op.condition)))
    return steps


def branches(num_qubits: int, todo: list[Move]) -> list[tuple[int, np.ndarray]]:
    """Return the clbits and the unnormalised state of every branch, those of weight zero left out."""
    start = np.zeros(2**num_qubits, dtype=complex)
    start[0] = 1
    alive = [(0, start)]
    for move in todo:
        following = []
        for bits, state in alive:
            if not move.when(bits):
                following.append((bits, state))
            elif move.matrix is not None:
                following.append((bits, apply(move.matrix, move.qubits, state)))
            else:
                following += _collapsed(bits, state, move)
        alive = following
    return alive


def _collapsed(bits: int, state: np.ndarray, move: Move) -> list[tuple[int, np.ndarray]]:
    (qubit,) = move.qubits
    ones = (np.arange(len(state)) >> qubit & 1).astype(bool)
    outcomes = []
    for outcome in (0, 1):
        part = np.where(ones == bool(outcome), state, 0)
        if np.linalg.norm(part) < 1e-9:
            continue
        if move.clbit is None:
            flipped = apply(np.array([[0, 1], [1, 0]]), (qubit,), part) if outcome else part
            outcomes.append((bits, flipped))
        else:
            outcomes.append((bits & ~(1 << move.clbit) | outcome << move.clbit, part))
    return outcomes


def assert_same_branches(first: list[tuple[int, np.ndarray]], second: list[tuple[int, np.ndarray]]) -> None:
    assert [bits for bits, _ in first] == [bits for bits, _ in second]
    for (_, a), (_, b) in zip(first, second, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-9)


def assert_same_behaviour(first: Circuit, second: Circuit) -> None:
    """Compare two circuits by everything they can do from the state zero, phase included."""
    assert (first.num_qubits, first.num_clbits) == (second.num_qubits, second.num_clbits)
    assert_same_branches(branches(first.num_qubits, moves(first)), branches(second.num_qubits, moves(second)))


def assert_same_ensembles(first: Circuit, second: Circuit) -> None:
    """Compare two circuits by their density matrix for each value of the clbits, hidden ones aside.

    Operations that do not wait for each other may stand in another order, which changes nothing here.
    """
    assert (first.num_qubits, first.num_clbits) == (second.num_qubits, second.num_clbits)
    ours, theirs = ensembles(first), ensembles(second)
    assert ours.keys() == theirs.keys()
    for bits, matrix in ours.items():
        np.testing.assert_allclose(matrix, theirs[bits], atol=1e-7)


def outcomes(circuit: Circuit) -> dict[str, float]:
    """Return the exact probability of each bitstring."""
    return {
        format(bits, f"0{circuit.num_clbits}b"): float(np.trace(matrix).real)
        for bits, matrix in sorted(ensembles(circuit).items())
    }


Ensemble = dict[int, np.ndarray]
"""The values of all clbits as one number -> the density matrix, whose trace is the probability."""

NOTHING = 1e-10
"""A loop ends when less than this is still in it."""


def ensembles(circuit: Circuit) -> Ensemble:
    """Return the density matrix for each value of the clbits of the outcome."""
    start = np.zeros([2**circuit.num_qubits] * 2, dtype=complex)
    start[0, 0] = 1
    found: Ensemble = {}
    for bits, matrix in _after({0: start}, circuit.operations).items():
        _add(found, bits & (1 << circuit.num_clbits) - 1, matrix)
    return {bits: matrix for bits, matrix in found.items() if np.trace(matrix).real > 1e-9}


def _after(ensemble: Ensemble, operations: Sequence[Operation]) -> Ensemble:
    """Return an ensemble after operations."""
    place = 0
    while place < len(operations):
        op = operations[place]
        if op.name == "while":
            end = _end_of_loop(operations, place)
            ensemble = _after_loop(ensemble, op, operations[place + 1 : end])
            place = end
        elif op.name != "barrier":
            found: Ensemble = {}
            for bits, matrix in ensemble.items():
                holds = all(comparison.holds(bits) for comparison in op.condition)
                for new_bits, new_matrix in _acted(op, bits, matrix) if holds else [(bits, matrix)]:
                    _add(found, new_bits, new_matrix)
            ensemble = found
        place += 1
    return ensemble


def _end_of_loop(operations: Sequence[Operation], begin: int) -> int:
    depth = 0
    for place in range(begin, len(operations)):
        depth += (operations[place].name == "while") - (operations[place].name == "end")
        if not depth:
            return place
    raise AssertionError("the loop has no end")


def _after_loop(ensemble: Ensemble, loop: Operation, body: Sequence[Operation]) -> Ensemble:
    found: Ensemble = {}
    for _ in range(1000):
        inside: Ensemble = {}
        for bits, matrix in ensemble.items():
            stays = all(comparison.holds(bits) for comparison in loop.condition)
            _add(inside if stays else found, bits, matrix)
        if sum(np.trace(matrix).real for matrix in inside.values()) < NOTHING:
            return found
        ensemble = _after(inside, body)
    raise AssertionError("the loop does not end")


def _acted(op: Operation, bits: int, matrix: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield what an operation makes of a state with these clbits."""
    if op.name == "set":
        value = value_of_clbits(op.params[0], lambda clbit: bits >> clbit & 1)
        for place, clbit in enumerate(op.clbits):
            bits = bits & ~(1 << clbit) | (value >> place & 1) << clbit
        yield bits, matrix
    elif op.name not in {"measure", "reset"}:
        yield bits, _conjugated(np.array(GATES[op.name].unitary(*op.params)), op.qubits, matrix)
    else:
        for outcome in (0, 1):
            part = _conjugated(np.diag([1 - outcome, outcome]), op.qubits, matrix)
            if np.trace(part).real > 1e-18:
                if op.name == "reset":
                    yield bits, _conjugated(np.array([[0, 1], [1, 0]]), op.qubits, part) if outcome else part
                else:
                    yield bits & ~(1 << op.clbits[0]) | outcome << op.clbits[0], part


def _conjugated(gate: np.ndarray, qubits: tuple[int, ...], matrix: np.ndarray) -> np.ndarray:
    half = apply(gate, qubits, matrix)
    return apply(gate, qubits, half.conj().T).conj().T


def _add(ensemble: Ensemble, bits: int, matrix: np.ndarray) -> None:
    ensemble[bits] = ensemble[bits] + matrix if bits in ensemble else matrix
