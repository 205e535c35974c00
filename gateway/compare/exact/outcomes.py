"""Reads the outcomes of the parts of a circuit, and multiplies those of independent parts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.compare.exact.bounds import Bounds
from gateway.compare.exact.branches import NEGLIGIBLE, Branches
from gateway.compare.exact.kernels import squares
from gateway.compare.exact.plan import Part
from gateway.compare.statistics.outcomes import WIDEST_INTEGER, Codes, Distribution

Bits = NDArray[np.uint8]


class Outcomes(NamedTuple):
    """The outcomes of one part; the same may be there several times.

    Args:
        clbits: clbit of the circuit -> its bit in each outcome, uint8 ``[outcomes]``.
        probabilities: float64 ``[outcomes]``.
    """

    clbits: dict[int, Bits]
    probabilities: NDArray[np.float64]


def read(part: Part, branches: Branches, bounds: Bounds) -> Outcomes:
    """Return the outcomes of a part whose operations have been applied to the branches.

    Raises:
        LimitError: there are too many outcomes.
    """
    places: dict[int, int] = {}  # clbit of the part -> bit of the index into the amplitudes
    for op in part.readings:
        if op.qubits[0] in branches.qubits:
            places.update(dict.fromkeys(op.clbits, branches.qubits.index(op.qubits[0])))
        else:
            branches.apply(op)
    kept = sorted(set(places.values()))
    probabilities = _marginal(squares(branches.amplitudes), kept)
    rows, indices = np.nonzero(probabilities > NEGLIGIBLE)
    bounds.check_outcomes(len(rows), len(part.clbits) + 1)
    bits = {
        clbit: (indices >> kept.index(places[number]) & 1).astype(np.uint8)
        if number in places
        else branches.values[rows, branches.columns["clbit", number]]
        for number, clbit in part.clbits.items()
    }
    return Outcomes(bits, probabilities[rows, indices])


def _marginal(probabilities: NDArray[np.float64], kept: list[int]) -> NDArray[np.float64]:
    """Return ``[branches, 2**len(kept)]``: the probabilities of some bits of the index, in ascending order."""
    branches, size = probabilities.shape
    for bit in reversed(range(size.bit_length() - 1)):
        if bit not in kept:
            probabilities = probabilities.reshape(branches, -1, 2, 2**bit).sum(axis=2)
    return probabilities.reshape(branches, -1)


def product(parts: Iterable[Outcomes], width: int, bounds: Bounds) -> Distribution:
    """Return the distribution of a circuit with so many clbits, whose independent parts have these outcomes.

    Raises:
        LimitError: there are too many outcomes.
    """
    bytes_each = -(-width // 8)
    ones: list[int] = []
    clbits: dict[int, Bits] = {}
    probabilities = np.ones(1)
    for part in parts:
        size, factor = len(probabilities), len(part.probabilities)
        bounds.check_outcomes(size * factor, bytes_each + len(clbits) + len(part.clbits) + 1)
        if factor > 1:
            clbits = {clbit: np.repeat(bits, factor) for clbit, bits in clbits.items()}
        for clbit, bits in part.clbits.items():
            if (bits != bits[0]).any():
                clbits[clbit] = np.tile(bits, size)
            elif bits[0]:
                ones.append(clbit)
        probabilities = np.outer(probabilities, part.probabilities).ravel()
    clbits, probabilities = _distinct(clbits, probabilities)
    certain = np.ones(len(probabilities), dtype=np.uint8)
    codes = _codes(clbits | dict.fromkeys(ones, certain), len(probabilities), width)
    likely = probabilities > NEGLIGIBLE
    return Distribution(width, codes[likely], probabilities[likely] / probabilities[likely].sum())


def _distinct(
    clbits: dict[int, Bits], probabilities: NDArray[np.float64]
) -> tuple[dict[int, Bits], NDArray[np.float64]]:
    """Return distinct outcomes in ascending order, each with the sum of its probabilities.

    Only clbits that are not the same in all outcomes are given: few of them can be sorted as integers.
    """
    places = {clbit: clbits[clbit] for clbit in sorted(clbits)}
    keys = _codes(dict(enumerate(places.values())), len(probabilities), len(places))
    if (keys[1:] > keys[:-1]).all():
        return clbits, probabilities
    _, first, groups = np.unique(keys, return_index=True, return_inverse=True)
    sums: NDArray[np.float64] = np.bincount(groups, weights=probabilities).astype(np.float64)
    return {clbit: bits[first] for clbit, bits in clbits.items()}, sums


def _codes(clbits: dict[int, Bits], count: int, width: int) -> Codes:
    """Return the codes of so many outcomes of ``width`` clbits; those clbits that are not given are 0."""
    if width <= WIDEST_INTEGER:
        integers = np.zeros(count, dtype=np.int64)
        for clbit, bits in clbits.items():
            integers |= bits.astype(np.int64) << clbit
        return integers
    packed = np.zeros((count, -(-width // 8)), dtype=np.uint8)
    for clbit, bits in clbits.items():
        byte, bit = divmod(width - 1 - clbit, 8)
        packed[:, byte] |= bits << (7 - bit)
    return packed.view(f"S{packed.shape[1]}")[:, 0]
