"""Merges branches that nothing tells apart: those with equal values whose states are the same up to a factor."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.compare.exact.kernels import Amplitudes, squares

SAME = 1e-13
"""States are the same if none of their amplitudes differ by more than this, relative to the norm."""

Values = NDArray[np.uint8]


def merge(amplitudes: Amplitudes, values: Values) -> tuple[Amplitudes, Values, bool]:
    """Return one branch for all that are the same; its probability is the sum of theirs.

    Args:
        amplitudes: ``[branches, size]``; the squared norm of a row is the branch's probability, which is not 0.
        values: uint8 ``[branches, columns]``.

    Returns:
        The amplitudes and the values of the branches that are left, and whether some of these have equal values.
    """
    rng = np.random.default_rng(0)
    numbers = values @ rng.integers(-(2**62), 2**62, values.shape[1])
    num_values = len(np.unique(numbers))
    if num_values == len(values):
        return amplitudes, values, False
    chances = squares(amplitudes).sum(axis=1)
    probe = rng.standard_normal((2, amplitudes.shape[1]))
    overlaps = np.abs(amplitudes @ (probe[0] + 1j * probe[1])) / np.sqrt(chances)
    numbers += np.rint(overlaps * 2**20).astype(np.int64)  # the same branches have the same number, but for rare cases
    _, first, groups = np.unique(numbers, return_index=True, return_inverse=True)
    leaders = first[groups]
    merged = leaders != np.arange(len(values))
    merged[merged] = (values[merged] == values[leaders[merged]]).all(axis=1)
    merged[merged] = _same(amplitudes[merged], amplitudes[leaders[merged]])
    sums = chances + np.bincount(leaders[merged], weights=chances[merged], minlength=len(values))
    factors = np.sqrt(sums / chances)[~merged]
    return amplitudes[~merged] * factors[:, None], values[~merged], len(factors) > num_values


def _same(states: Amplitudes, others: Amplitudes) -> NDArray[np.bool_]:
    """Return for each pair of states, ``[pairs, size]``, whether they are the same up to a factor."""
    norms = squares(others).sum(axis=1)
    factors = (others.conj() * states).sum(axis=1) / norms
    differences = np.abs(states - factors[:, None] * others).max(axis=1)
    same: NDArray[np.bool_] = differences <= SAME * np.sqrt(squares(states).sum(axis=1))
    return same
