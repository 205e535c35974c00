"""The channels of noise as Kraus operators (:mod:`gateway.noise` says what they are)."""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.noise import Channel

Matrix = NDArray[np.complexfloating[Any, Any]]

_PAULIS: tuple[Matrix, ...] = (
    np.eye(2, dtype=complex),
    np.array([[0, 1], [1, 0]], dtype=complex),
    np.array([[0, -1j], [1j, 0]]),
    np.array([[1, 0], [0, -1]], dtype=complex),
)


@lru_cache(maxsize=1024)
def kraus_operators(channel: str, probability: float) -> tuple[Matrix, ...]:
    """Return the Kraus operators of a channel, ``[2**k, 2**k]``, little-endian; those that are 0 are left out."""
    i, x, y, z = _PAULIS
    p = probability
    if channel == Channel.DEPOLARIZING2:
        pairs = [np.kron(second, first) for first, second in product(_PAULIS, repeat=2)]
        weights = [1 - p, *[p / 15] * 15]
        return _weighted(pairs, weights)
    if channel == Channel.DEPOLARIZING:
        return _weighted([i, x, y, z], [1 - p, p / 3, p / 3, p / 3])
    if channel == Channel.BIT_FLIP:
        return _weighted([i, x], [1 - p, p])
    if channel == Channel.PHASE_FLIP:
        return _weighted([i, z], [1 - p, p])
    kept = np.array([[1, 0], [0, sqrt(1 - p)]], dtype=complex)
    lost = np.array([[0, sqrt(p)], [0, 0]], dtype=complex)
    if channel == Channel.PHASE_DAMPING:
        lost = np.array([[0, 0], [0, sqrt(p)]], dtype=complex)
    return (kept, lost) if p else (kept,)


def _weighted(unitaries: list[Matrix], weights: list[float]) -> tuple[Matrix, ...]:
    return tuple(sqrt(weight) * unitary for unitary, weight in zip(unitaries, weights, strict=True) if weight)
