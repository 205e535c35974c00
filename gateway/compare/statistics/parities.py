"""How often clbits are 1, and how often the parity of several clbits is odd.

Where the outcomes outnumber the shots, these are the only counts that are large. All parities of up to 20 clbits come
from one Walsh-Hadamard transform; of more clbits, each and the pairs are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gateway.compare.statistics.outcomes import WIDEST_INTEGER, Codes, bits_of_codes, codes_of_bits

Floats = NDArray[np.float64]

WIDEST_TRANSFORM = 20
"""The number of clbits up to which all parities are looked at."""

MOST_PAIRS = 1 << 18
"""About so many pairs of clbits are looked at; where there are more, those of clbits that are near each other."""

MOST_PRODUCTS = 1 << 31
"""For the pairs, about so many products of two bits are added up, which takes less than a second; or fewer pairs."""

_ENTRIES = 1 << 24
_RADIX = 5


@dataclass(frozen=True, slots=True, eq=False)
class OddWeights:
    """The weight of the outcomes with an odd number of ones in each set of clbits: probability, or shots.

    Args:
        clbits: of each clbit alone, which is the weight of its ones.
        pairs: of each pair.
        larger: of each larger set.
    """

    clbits: Floats
    pairs: Floats
    larger: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Parities:
    """Which sets of clbits are looked at.

    Args:
        width: the number of clbits, each of which is looked at alone.
        varying: the clbits that are looked at together: those that are not the same in all outcomes.
        pairs: positions in ``varying``, shape ``[pairs, 2]``.
        larger: sets of at least three, as masks over the positions in ``varying``.
        blocks: the parts of the square of ``varying`` that hold the pairs, as rows and columns.
    """

    width: int
    varying: NDArray[np.int64]
    pairs: NDArray[np.int64]
    larger: NDArray[np.int64]
    blocks: list[tuple[slice, slice]]

    @classmethod
    def of(cls, codes: Codes, width: int) -> Parities:
        """Return the sets of clbits that tell something about a distribution, or samples, with these outcomes."""
        varying = _varying(codes, width)
        number = len(varying)
        span = max(1, min(number, 2 * MOST_PAIRS // max(number, 1), MOST_PRODUCTS // max(number * len(codes), 1)))
        blocks = [
            (slice(at, min(at + span, number)), slice(at, min(at + 2 * span, number))) for at in range(0, number, span)
        ]
        pairs = [rows.start + np.argwhere(_above_diagonal(rows, columns)) for rows, columns in blocks]
        masks = np.arange(1 << number if number <= WIDEST_TRANSFORM else 0)
        larger = masks[np.bitwise_count(masks) > 2]  # noqa: PLR2004 - one clbit, or a pair
        return cls(width, varying, np.concatenate([np.zeros((0, 2), np.int64), *pairs]), larger, blocks)

    def odd_weights(self, codes: Codes, weights: NDArray[Any]) -> OddWeights:
        """Return the weight of odd outcomes for each set."""
        if len(self.varying) <= WIDEST_TRANSFORM:
            return self._transformed(codes, weights)
        clbits = _ones(codes, weights, self.width)
        alone = clbits[self.varying]
        both = self._both(codes, weights)
        first, second = self.pairs.T
        return OddWeights(clbits, np.maximum(alone[first] + alone[second] - 2 * both, 0.0), np.zeros(0))

    def pair(self, index: int) -> list[int]:
        """Return the clbits of a pair, ascending."""
        return [int(clbit) for clbit in self.varying[self.pairs[index]]]

    def larger_set(self, index: int) -> list[int]:
        """Return the clbits of a larger set, ascending."""
        mask = int(self.larger[index])
        return [int(clbit) for position, clbit in enumerate(self.varying) if mask >> position & 1]

    def _transformed(self, codes: Codes, weights: NDArray[Any]) -> OddWeights:
        number = len(self.varying)
        dense = np.bincount(
            _compressed(codes, self.width, self.varying), weights=weights, minlength=1 << number
        ).astype(np.float64)
        odd = np.maximum((dense.sum() - walsh_hadamard(dense)) / 2, 0.0)
        clbits = np.empty(number) if number == self.width else _ones(codes, weights, self.width)
        clbits[self.varying] = odd[1 << np.arange(number)]
        return OddWeights(clbits, odd[(1 << self.pairs).sum(axis=1)], odd[self.larger])

    def _both(self, codes: Codes, weights: NDArray[Any]) -> Floats:
        """Return the weight of the outcomes in which both clbits of a pair are 1."""
        sums = [np.zeros(_above_diagonal(*block).shape) for block in self.blocks]
        for bits, part in _bits(codes, weights, self.width):
            ones = bits[:, self.varying].astype(np.float64)
            weighted = ones * part[:, None]
            for index, (rows, columns) in enumerate(self.blocks):
                sums[index] += weighted[:, rows].T @ ones[:, columns]
        return np.concatenate([total[_above_diagonal(*block)] for total, block in zip(sums, self.blocks, strict=True)])


def walsh_hadamard(values: Floats) -> Floats:
    """Return the Walsh-Hadamard transform of 2**n values: entry m is the sum of ``(-1)**popcount(x & m) values[x]``."""
    number = len(values).bit_length() - 1
    transformed = values
    for first in range(0, number, _RADIX):
        bits = min(_RADIX, number - first)
        indices = np.arange(1 << bits)
        signs = 1.0 - 2.0 * (np.bitwise_count(indices[:, None] & indices) & 1)
        # The highest bits are transformed and become the lowest, so that each has its place again after the last.
        transformed = (signs @ transformed.reshape(1 << bits, -1)).T.ravel()
    return transformed


def _varying(codes: Codes, width: int) -> NDArray[np.int64]:
    """Return the clbits that are not the same in all outcomes."""
    if not len(codes) or not width:
        return np.zeros(0, dtype=np.int64)
    if width <= WIDEST_INTEGER:
        differing = int(np.bitwise_or.reduce(codes ^ codes[0]))
        return np.array([clbit for clbit in range(width) if differing >> clbit & 1], dtype=np.int64)
    ones = np.zeros(width, dtype=np.int64)
    for bits, _ in _bits(codes, codes, width):
        ones += bits.sum(axis=0, dtype=np.int64)
    return np.flatnonzero((ones > 0) & (ones < len(codes)))


def _above_diagonal(rows: slice, columns: slice) -> NDArray[np.bool_]:
    return np.arange(rows.start, rows.stop)[:, None] < np.arange(columns.start, columns.stop)


def _compressed(codes: Codes, width: int, clbits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the codes of some clbits alone: bit k of a code is clbit ``clbits[k]``."""
    if len(clbits) == width:
        return codes
    if width > WIDEST_INTEGER:
        parts = [codes_of_bits(bits[:, clbits]) for bits, _ in _bits(codes, codes, width)]
        return np.concatenate([np.zeros(0, dtype=np.int64), *parts])
    compressed = np.zeros(len(codes), dtype=np.int64)
    for position, clbit in enumerate(clbits):
        compressed |= (codes >> clbit & 1) << position
    return compressed


def _ones(codes: Codes, weights: NDArray[Any], width: int) -> Floats:
    """Return the weight of the outcomes in which each clbit is 1."""
    total = np.zeros(width)
    for bits, part in _bits(codes, weights, width):
        total += part.astype(np.float64) @ bits
    return total


def _bits(codes: Codes, weights: NDArray[Any], width: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[Any]]]:
    """Yield the bits of the outcomes with their weights, so many at a time that they fit into memory."""
    rows = max(1, _ENTRIES // max(width, 1))
    for start in range(0, len(codes), rows):
        yield bits_of_codes(codes[start : start + rows], width), weights[start : start + rows]
