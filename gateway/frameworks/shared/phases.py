"""Finds the global phase that a decomposition has lost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from gateway.circuit.gates import GATES, Step

SAME_STATE = 1e-9
"""How far the overlap of two states may be from 1 for them to be the same."""


def missing_phase(steps: Iterable[Step], state: Any) -> float:  # noqa: ANN401 - an array of any framework
    """Return the global phase by which a state differs from what steps make of the zero state.

    Args:
        steps: the steps, on so few qubits that their state fits into memory.
        state: the little-endian amplitudes of the state.

    Raises:
        ValueError: the steps make another state, which differs by more than a global phase.
    """
    amplitudes = np.asarray(state, dtype=complex).reshape(-1)
    total = len(amplitudes).bit_length() - 1
    state_of_steps = np.zeros([2] * total, dtype=complex)
    state_of_steps[(0,) * total] = 1
    for name, qubits, params in steps:
        state_of_steps = _apply_gate(np.array(GATES[name].unitary(*params), dtype=complex), qubits, state_of_steps)
    overlap = np.vdot(state_of_steps.reshape(-1), amplitudes)
    if abs(abs(overlap) - 1) > SAME_STATE:
        raise ValueError(f"the steps give another state: the overlap is {abs(overlap):.9f}")
    return float(np.angle(overlap))


def _apply_gate(matrix: Any, qubits: Sequence[int], state: Any) -> Any:  # noqa: ANN401 - arrays
    """Return the state after a gate; axis ``-1 - k`` of the state is qubit ``k``."""
    if not qubits:
        return state * matrix[0, 0]
    count, axes = len(qubits), [state.ndim - 1 - qubit for qubit in reversed(qubits)]
    contraction = np.tensordot(matrix.reshape([2] * 2 * count), state, axes=(list(range(count, 2 * count)), axes))
    return np.moveaxis(contraction, range(count), axes)
