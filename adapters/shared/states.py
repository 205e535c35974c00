"""Arithmetic on dense state vectors, in numpy.

Everything here is little-endian: qubit ``q`` is bit ``q`` of the index into ``[2**n]``.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from adapters.shared.room import take_outcomes

_PIECE_BYTES = 2**22
"""Bitstrings are written piece by piece: on the way they take several times the memory that they take in the end."""

State = NDArray[np.complexfloating[Any, Any]]
Distribution = NDArray[np.float64]


def _split(state: State, qubit: int) -> NDArray[Any]:
    """Return a view ``[high, 2, low]`` whose middle axis is the qubit."""
    return state.reshape(-1, 2, 2**qubit)


def probability_of_one(state: State, qubit: int) -> float:
    """Return the probability that measuring the qubit gives 1.

    It is the share of 1 in both: the norm of a state may be as wrong as its amplitudes, as after an angle of millions
    of turns, and with one outcome held to a norm of 1 the other would seem possible although all its amplitudes are 0.
    """
    zeros, ones = (float(np.vdot(half, half).real) for half in (_split(state, qubit)[:, k, :] for k in (0, 1)))
    return ones / (zeros + ones)


def project(state: State, qubit: int, outcome: int, *, flip: bool = False) -> State:
    """Return the normalised state after the measurement of a qubit gave ``outcome``, which is possible.

    The state is normalised by its own norm: one minus the probability of the other outcome has few digits if it is
    small, and after some measurements the norm would be so wrong that impossible outcomes look possible.

    Args:
        state: the state before, which is not modified.
        qubit: the qubit that was measured.
        outcome: 0 or 1.
        flip: set the qubit to the other value afterwards, as a reset to 0 does after the outcome 1.
    """
    after = np.zeros_like(state)
    amplitudes = _split(state, qubit)[:, outcome, :]
    norm = np.sqrt(np.vdot(amplitudes, amplitudes).real)
    np.multiply(amplitudes, 1 / norm, out=_split(after, qubit)[:, outcome ^ flip, :])
    return after


_SMALL = 2**12
"""A vector of so many numbers takes no memory to speak of."""

_FEW_AMPLITUDES = 2**16
"""States are compared piece by piece, so that the comparison needs no memory to speak of."""


def fingerprint(state: State) -> float:
    """Return a number that is the same for states that are equal up to a global phase, and hardly ever for others.

    It is the length of the state's component along one fixed vector of the norm 1, so it differs by no more than the
    states do. For large states the vector is a product, which needs the memory of its two factors only.
    """
    if state.size <= _SMALL:
        return float(abs(np.vdot(direction(state.size), state)))
    low = 1 << (state.size.bit_length() - 1) // 2
    value = np.vdot(direction(state.size // low), state.reshape(-1, low) @ direction(low))
    return float(abs(value))


@lru_cache(maxsize=64)
def direction(size: int) -> State:
    """Return a fixed vector of complex numbers without any structure, whose norm is 1."""
    parts = np.random.default_rng(size).standard_normal((2, size))
    vector: State = parts[0] + 1j * parts[1]
    return vector / np.linalg.norm(vector)


def distance(state: State, other: State) -> float:
    """Return the distance of two normalised states whose phases are made to agree.

    It is computed from the difference of the states: the fidelity has only half of its digits.
    """
    overlap = np.vdot(other, state)
    norms = [float(np.sqrt(np.vdot(vector, vector).real)) for vector in (state, other)]
    if abs(overlap) < norms[0] * norms[1] * 0.5:
        return 1.0  # or more
    factor = overlap / abs(overlap) * norms[0] / norms[1]
    square = 0.0
    for begin in range(0, state.size, _FEW_AMPLITUDES):
        piece = slice(begin, begin + _FEW_AMPLITUDES)
        difference = state[piece] - factor * other[piece]
        square += float(np.vdot(difference, difference).real)
    return float(np.sqrt(square) / norms[0])


def distribution(state: State, qubits: Sequence[int]) -> Distribution:
    """Return the exact distribution ``[2**k]`` of k distinct qubits, normalised.

    Args:
        state: complex64 or complex128 ``[2**n]``.
        qubits: the first one listed is the least significant bit of the result's index.
    """
    probabilities = np.square(state.real, dtype=np.float64)
    probabilities += np.square(state.imag, dtype=np.float64)
    return marginal(probabilities, qubits)


def marginal(probabilities: Distribution, qubits: Sequence[int]) -> Distribution:
    """Return the distribution ``[2**k]`` of k distinct qubits, normalised.

    Args:
        probabilities: those of all basis states, ``[2**n]``, which this may modify.
        qubits: the first one listed is the least significant bit of the result's index.
    """
    n = probabilities.size.bit_length() - 1
    if list(qubits) != list(range(n)):
        # The axis of qubit q in [2] * n is n - 1 - q. The sum runs over the axes of the other qubits.
        axes = [n - 1 - q for q in reversed(qubits)]
        rest = tuple(axis for axis in range(n) if axis not in set(axes))
        cube = probabilities.reshape((2,) * n)
        marginal = cube.sum(axis=rest)
        order = sorted(axes)
        probabilities = marginal.transpose([order.index(axis) for axis in axes]).reshape(-1)
    probabilities /= probabilities.sum()
    return probabilities


def bitstrings(indices: NDArray[np.int64], places: dict[int, int], other_bits: int, width: int) -> list[str]:
    """Write indices of a distribution as bitstrings, clbit 0 rightmost (about 0.3 us each).

    Args:
        indices: ``[m]``.
        places: clbit -> the bit of the index that it takes.
        other_bits: the values of the other clbits as a number, clbit 0 the least significant bit.
        width: number of clbits.

    Raises:
        LimitError: so many bitstrings do not fit into the memory that the run may use.
    """
    take_outcomes(len(indices), width)
    if not width:
        return [""] * len(indices)
    others = np.frombuffer(f"{other_bits:0{width}b}".encode(), dtype=np.uint8) if len(places) < width else None
    rows = max(_PIECE_BYTES // width, 1)
    keys: list[str] = []
    for begin in range(0, len(indices), rows):
        piece = indices[begin : begin + rows]
        text = np.empty((len(piece), width), dtype=np.uint8)
        if others is not None:
            text[:] = others
        for clbit, place in places.items():
            text[:, width - 1 - clbit] = (piece >> place & 1) + ord("0")
        keys += texts(text)
    return keys


def texts(characters: NDArray[np.uint8]) -> list[str]:
    """Return rows of ASCII characters, ``[m, width]``, as strings; width is at least 1."""
    width = characters.shape[1]
    return characters.view(f"S{width}").reshape(-1).astype(f"U{width}").tolist()
