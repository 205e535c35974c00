"""A slow, plain simulator for tests, which follows every branch of a circuit exactly, global phase included."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from gateway.circuit import Circuit
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
    """Compare two circuits by their density matrix for each value of the clbits.

    Operations that do not wait for each other may stand in another order, which changes nothing here.
    """
    assert (first.num_qubits, first.num_clbits) == (second.num_qubits, second.num_clbits)
    ours, theirs = _ensembles(first), _ensembles(second)
    assert ours.keys() == theirs.keys()
    for bits, matrix in ours.items():
        np.testing.assert_allclose(matrix, theirs[bits], atol=1e-7)


def _ensembles(circuit: Circuit) -> dict[int, np.ndarray]:
    matrices: dict[int, np.ndarray] = {}
    for bits, state in branches(circuit.num_qubits, moves(circuit)):
        matrices[bits] = matrices.get(bits, 0) + np.outer(state, state.conj())
    return {bits: matrix for bits, matrix in matrices.items() if np.trace(matrix).real > 1e-9}
