"""How far two exact results are apart, and how much of it rounding explains."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.compare.statistics.outcomes import Codes, Distribution, decode, group
from gateway.results import Precision

_MERGED = 1e-10
"""Probabilities closer than this are equal: decision diagrams, for one, merge numbers that are about so close."""

_HALF_BITS = {Precision.DOUBLE: 2.0**-53, Precision.SINGLE: 2.0**-24}
"""Half the distance of neighbouring numbers near 1."""


def tolerance(circuit: Circuit, precision: Precision = Precision.DOUBLE) -> float:
    """Return the largest difference of probabilities, or of amplitudes, that rounding explains.

    The errors of operations add up like a random walk; a gate is lowered to some ten operations, and each of these
    rounds an amplitude a few times. An angle that a simulator takes in half-turns or degrees is rounded in proportion
    to its size. For double precision and ordinary angles, a fixed allowance is larger.

    Args:
        circuit: the circuit.
        precision: the lower one of those that are compared.
    """
    gates = (operation for operation in circuit.operations if operation.name in GATES)
    angles = math.fsum((angle / 4) ** 2 for gate in gates for angle in gate.params)
    return max(_MERGED, 32 * _HALF_BITS[precision] * math.sqrt(len(circuit.operations) + 16 + angles))


def allowance(tolerance: float, exact: Distribution) -> float:
    """Return what rounding explains of a difference between the probabilities of a distribution.

    An amplitude that is off by d makes a probability p about ``2 d sqrt(p)`` off: where every outcome is rare, less
    than the tolerance, which would hide all of them.
    """
    return max(_MERGED, tolerance * math.sqrt(exact.probabilities.max(initial=0.0)))


def largest_difference(first: Distribution, second: Distribution) -> float:
    """Return the largest absolute difference of an outcome's probability; 1 between different numbers of clbits."""
    if first.width != second.width:
        return 1.0
    return float(np.abs(_differences(first, second)[1]).max(initial=0.0))


def most_different(first: Distribution, second: Distribution) -> str:
    """Return the outcome whose probability differs most between two distributions of one width; empty if none does.

    Of outcomes that differ as much, those that the second one lacks come first.
    """
    outcomes, differences = _differences(first, second)
    if not len(outcomes):
        return ""
    place = int(np.argmax(differences))
    if differences[place] < np.abs(differences).max() * (1 - 1e-9):
        place = int(np.argmin(differences))
    return decode(outcomes[place : place + 1], first.width)[0]


def state_difference(first: NDArray[np.complex128], second: NDArray[np.complex128]) -> tuple[float, bool]:
    """Return the largest difference of the amplitudes of two states, and whether a global phase alone explains it.

    Args:
        first: shape ``[2**num_qubits]``.
        second: the same shape.
    """
    difference = float(np.max(np.abs(first - second)))
    overlap = abs(np.vdot(first, second))
    return difference, bool(abs(overlap - 1) < difference / 100)


def _differences(first: Distribution, second: Distribution) -> tuple[Codes, NDArray[np.float64]]:
    """Return the outcomes of either distribution, and how much more likely each is in the first one."""
    codes = np.concatenate([first.codes, second.codes])
    return group(codes, np.concatenate([first.probabilities, -second.probabilities]))
