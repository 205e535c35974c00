"""Arithmetic on density matrices, in numpy: what :mod:`adapters.shared.states` is for state vectors.

A density matrix is complex128 ``[2**n, 2**n]``; both indices are little-endian, qubit ``q`` their bit ``q``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.shared.states import Distribution, direction, marginal

Mixed = NDArray[np.complexfloating[Any, Any]]


def probability_of_one(state: Mixed, qubit: int) -> float:
    """Return the probability that measuring the qubit gives 1: the share of 1 in both."""
    halves = _diagonal(state).reshape(-1, 2, 2**qubit).sum(axis=(0, 2))
    return float(halves[1] / halves.sum())


def project(state: Mixed, qubit: int, outcome: int, *, flip: bool = False) -> Mixed:
    """Return the normalised density matrix after the measurement of a qubit gave ``outcome``, which is possible.

    Args:
        state: the density matrix before, which is not modified.
        qubit: the qubit that was measured.
        outcome: 0 or 1.
        flip: set the qubit to the other value afterwards, as a reset to 0 does after the outcome 1.
    """
    after = np.zeros_like(state)
    block = _split(state, qubit)[:, outcome, :, :, outcome, :]
    new = outcome ^ flip
    _split(after, qubit)[:, new, :, :, new, :] = block
    after /= _diagonal(after).sum()
    return after


def distribution(state: Mixed, qubits: Sequence[int]) -> Distribution:
    """Return the exact distribution ``[2**k]`` of k distinct qubits, normalised, the first one least significant."""
    return marginal(np.maximum(_diagonal(state), 0.0), qubits)


def fingerprint(state: Mixed) -> float:
    """Return a number that differs for two density matrices by no more than they do in the Frobenius norm."""
    vector = direction(len(state))
    return float(abs(np.vdot(vector, state @ vector)))


def distance(state: Mixed, other: Mixed) -> float:
    """Return the distance of two density matrices in the Frobenius norm."""
    return float(np.linalg.norm(state - other))


def _diagonal(rho: Mixed) -> NDArray[np.float64]:
    return np.array(rho.diagonal().real, dtype=np.float64)


def _split(rho: Mixed, qubit: int) -> NDArray[Any]:
    """Return a view ``[high, 2, low, high, 2, low]`` in which the qubit has axes of its own."""
    high, low = rho.shape[0] >> (qubit + 1), 1 << qubit
    return rho.reshape(high, 2, low, high, 2, low)
