"""The difference between exact results, and how much of it rounding explains."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gateway.circuit import Circuit
from gateway.compare.statistics.outcomes import Distribution, decode, group
from gateway.results import Precision

_FLOOR = {Precision.DOUBLE: 1e-9, Precision.SINGLE: 2e-5}
_EPSILON = {Precision.DOUBLE: 2.0**-52, Precision.SINGLE: 2.0**-23}


def tolerance(circuit: Circuit, precision: Precision) -> float:
    """Return the difference of probabilities or amplitudes that rounding explains.

    Each operation rounds by a few units in the last place. An angle that a simulator converts to half-turns or degrees
    is rounded in proportion to its size.
    """
    angles = sum(abs(angle) for operation in circuit.operations for angle in operation.params)
    return _FLOOR[precision] + _EPSILON[precision] * (16 * len(circuit.operations) + 4 * angles)


def largest_difference(first: Distribution, second: Distribution) -> tuple[float, str]:
    """Return the largest absolute difference of two distributions of one width, and the outcome that has it."""
    if not len(first.codes) + len(second.codes):
        return 0.0, ""
    codes = np.concatenate([first.codes, second.codes])
    outcomes, differences = group(codes, np.concatenate([first.probabilities, -second.probabilities]))
    largest = float(np.max(np.abs(differences)))
    place = int(np.argmax(differences))
    if differences[place] < largest * (1 - 1e-9):  # of outcomes that differ as much, those that are lacking come first
        place = int(np.argmin(differences))
    return largest, decode(outcomes[place : place + 1], first.width)[0]


def state_difference(first: NDArray[np.complex128], second: NDArray[np.complex128]) -> tuple[float, bool]:
    """Return the largest difference of the amplitudes of two states, and whether a global phase alone explains it.

    Args:
        first: shape ``[2**num_qubits]``.
        second: the same shape.
    """
    difference = float(np.max(np.abs(first - second)))
    overlap = abs(np.vdot(first, second))
    return difference, bool(abs(overlap - 1) < difference / 100)
