"""Builds a unitary matrix from gates of the table, exactly and with its phase.

The synthesis makes the matrix diagonal by rotating two rows at a time (Givens rotations). It goes through the
rows in the order of a Gray code, so two neighbouring rows differ in one qubit, and each rotation is a gate on
that qubit under the control of all others (arXiv:quant-ph/9503016, section 8). It takes about ``4**n / 2`` such
gates for n qubits, so it is meant for the small matrices that people write by hand.
"""

from __future__ import annotations

import cmath
from collections.abc import Sequence
from typing import Any

import numpy as np

from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, steps_of_matrix

MAX_QUBITS = 6
UNITARY_TOLERANCE = 1e-9
"""How far a matrix may be from a unitary one, in any entry."""

_TINY = 1e-14


def steps_of_unitary(matrix: Any, qubits: Sequence[int]) -> list[Step]:  # noqa: ANN401 - an array of any framework
    """Return a unitary as steps on qubits.

    Args:
        matrix: little-endian: the first of ``qubits`` is the least significant bit of an index.
        qubits: the qubits that the matrix acts on, in order; none for a global phase.

    Raises:
        ValueError: the matrix is not a unitary for that many qubits, or has more than ``MAX_QUBITS``.
    """
    rows = np.array(matrix, dtype=complex)
    size = 1 << len(qubits)
    if len(qubits) > MAX_QUBITS:
        raise ValueError(f"a matrix of {len(qubits)} qubits; at most {MAX_QUBITS}")
    if rows.shape != (size, size):
        raise ValueError(f"a matrix of shape {rows.shape} does not fit {len(qubits)} qubits")
    if not np.allclose(rows @ rows.conj().T, np.eye(size), atol=UNITARY_TOLERANCE):
        raise ValueError("the matrix is not unitary")
    if len(qubits) == 1:
        (a, b), (c, d) = rows.tolist()
        return steps_of_matrix(a, b, c, d, qubits[0])
    order = [index ^ index >> 1 for index in range(size)]
    rotations = _triangularize(rows, order)
    steps = _phases([rows[index, index] for index in range(size)], qubits)
    for upper, lower, rotation in reversed(rotations):
        steps += _two_level(upper, lower, rotation.conj().T, qubits)
    return steps


def steps_of_preparation(amplitudes: Any, qubits: Sequence[int]) -> list[Step]:  # noqa: ANN401 - an array
    """Return steps that bring qubits from the state 0 to a state, with its phase.

    Args:
        amplitudes: little-endian: the first of ``qubits`` is the least significant bit of an index.
        qubits: the qubits that the state is on, in order.

    Raises:
        ValueError: the amplitudes are no state of so many qubits, or these are more than ``MAX_QUBITS``.
    """
    state = np.array(amplitudes, dtype=complex)
    if state.shape != (1 << len(qubits),) or abs(np.linalg.norm(state) - 1) > UNITARY_TOLERANCE:
        raise ValueError(f"amplitudes of shape {state.shape} and norm {np.linalg.norm(state):.9f} are no state")
    # Columns that are made orthogonal to the state, in the order of the basis, complete it to a unitary.
    columns, _ = np.linalg.qr(np.column_stack([state, np.eye(len(state))]))
    columns[:, 0] = state
    return steps_of_unitary(columns, qubits)


def _triangularize(rows: Any, order: Sequence[int]) -> list[tuple[int, int, Any]]:  # noqa: ANN401 - arrays
    """Make a unitary diagonal in place, and return the rotations of pairs of rows that did so, in order."""
    rotations = []
    for place, column in enumerate(order):
        for next_place in range(len(order) - 1, place, -1):
            upper, lower = order[next_place - 1], order[next_place]
            a, b = rows[upper, column], rows[lower, column]
            if abs(b) < _TINY:
                continue
            length = np.hypot(abs(a), abs(b))
            rotation = np.array([[a.conjugate(), b.conjugate()], [-b, a]]) / length
            rows[[upper, lower]] = rotation @ rows[[upper, lower]]
            rotations.append((upper, lower, rotation))
    return rotations


def _two_level(first: int, second: int, matrix: Any, qubits: Sequence[int]) -> list[Step]:  # noqa: ANN401
    """Return the steps of a matrix on two basis states that differ in one qubit."""
    place = (first ^ second).bit_length() - 1
    (a, b), (c, d) = matrix.tolist()
    if first >> place & 1:  # the first row has the qubit at 1
        a, b, c, d = d, c, b, a
    others = [other for other in range(len(qubits)) if other != place]
    zeros = [qubits[other] for other in others if not first >> other & 1]
    return control(steps_of_matrix(a, b, c, d, qubits[place]), [qubits[other] for other in others], zeros)


def _phases(entries: Sequence[complex], qubits: Sequence[int]) -> list[Step]:
    """Return the steps of a diagonal matrix; the phase of an index is the sum over the subsets of its ones."""
    angles = [cmath.phase(entry) for entry in entries]
    for place in range(len(qubits)):
        for index in range(len(angles)):
            if index >> place & 1:
                angles[index] -= angles[index ^ 1 << place]
    steps: list[Step] = []
    for index, angle in enumerate(angles):
        if abs(angle) > _TINY:
            subset = [qubit for place, qubit in enumerate(qubits) if index >> place & 1]
            steps += control([("gphase", (), (angle,))], subset)
    return steps
