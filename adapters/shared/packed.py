"""Outcomes with their probabilities in arrays: bitstrings are packed into words of bits, and never written as text.

A bitstring of ``width`` clbits has ``ceil(width / 64)`` words; clbit ``k`` is bit ``k % 64`` of word ``k // 64``.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from adapters.shared.room import hold_outcomes
from gateway.outcomes import Outcomes, added_up

Words = NDArray[np.uint64]

_WORD_BITS = 64
_BYTE_VALUES = np.arange(256, dtype=np.uint64)
_ONE = np.uint64(1)
_AT_LEAST = 256
"""So many outcomes are gathered at least before equal ones are added up."""


class OutcomeSum:
    """Adds up the probabilities of outcomes, which may come several times, and keeps the order in which they came.

    Args:
        width: number of clbits.
    """

    def __init__(self, width: int) -> None:
        self._width = width
        self._words: list[Words] = []
        self._values: list[NDArray[np.float64]] = []
        self._number = self._distinct = 0
        self._is_distinct = False

    def add(self, words: Words, values: NDArray[np.float64], *, is_distinct: bool = False) -> None:
        """Add outcomes; the caller has taken room for them (:func:`adapters.shared.room.take_packed_outcomes`).

        Args:
            words: their bitstrings, ``[m, words]``, which are handed over, as the values are.
            values: the probability of each, ``[m]``.
            is_distinct: whether no two of them are equal.
        """
        self._is_distinct = is_distinct and not self._words
        self._words.append(words)
        self._values.append(values)
        self._number += len(values)
        if not self._is_distinct and self._number > 2 * max(self._distinct, _AT_LEAST):
            self._merge()
        hold_outcomes(self._number)

    def outcomes(self) -> Outcomes:
        """Return each outcome once, with the sum of its probabilities."""
        if not self._is_distinct:
            self._merge()
        return Outcomes.of_words(self._words[0], self._values[0], self._width)

    def _merge(self) -> None:
        words = np.concatenate([np.empty((0, _num_words(self._width)), np.uint64), *self._words])
        words, values = added_up(words, np.concatenate([np.empty(0), *self._values]))
        self._words, self._values, self._is_distinct = [words], [values], True
        self._number = self._distinct = len(values)


def words_of(indices: NDArray[np.int64], places: Mapping[int, int], width: int) -> Words:
    """Return indices of a distribution as packed bitstrings, ``[m, words]``.

    Args:
        indices: ``[m]``.
        places: clbit -> the bit of the index that it takes; the other clbits are 0.
        width: number of clbits.
    """
    num_words = _num_words(width)
    if num_words == 1 and all(clbit == place for clbit, place in places.items()):
        return (indices & sum(1 << clbit for clbit in places)).astype(np.uint64).reshape(-1, 1)
    words = np.zeros((len(indices), num_words), dtype=np.uint64)
    for low in range(0, max(places.values(), default=-1) + 1, 8):  # a table for each byte of the index
        table = np.zeros((256, num_words), dtype=np.uint64)
        for clbit, place in places.items():
            if low <= place < low + 8:
                table[:, clbit // _WORD_BITS] |= (_BYTE_VALUES >> np.uint64(place - low) & _ONE) << _shift(clbit)
        values = (indices >> low) & 255
        for word in range(num_words):
            if table[:, word].any():
                words[:, word] |= table[values, word]
    return words


def write_column(words: Words, clbit: int, bits: NDArray[np.uint8]) -> None:
    """Write the values of a clbit, which are 0 so far, into packed bitstrings.

    Args:
        words: ``[m, words]``, which are changed.
        clbit: of the circuit.
        bits: 0 and 1, ``[m]``.
    """
    words[:, clbit // _WORD_BITS] |= bits.astype(np.uint64) << _shift(clbit)


def _shift(clbit: int) -> np.uint64:
    return np.uint64(clbit % _WORD_BITS)


def _num_words(width: int) -> int:
    return max(-(-width // _WORD_BITS), 1)
