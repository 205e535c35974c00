"""Counts and exact probabilities as arrays.

An outcome is a *code*. Up to 62 clbits it is an int64 whose bit k is clbit k; beyond, it is a fixed number of bytes,
the bitstring packed from the left, so that codes sort like their bitstrings. Codes are kept sorted and distinct.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

WIDEST_INTEGER = 62
"""The number of clbits up to which a code is an integer."""

Codes = NDArray[Any]


@dataclass(frozen=True, slots=True, eq=False)
class Distribution:
    """Exact probabilities.

    Args:
        width: the number of clbits.
        codes: the outcomes, sorted and distinct.
        probabilities: of each outcome; outcomes that are left out have probability 0.
    """

    width: int
    codes: Codes
    probabilities: NDArray[np.float64]

    @classmethod
    def of(cls, probabilities: Mapping[str, float], width: int) -> Distribution:
        """Return the distribution that a mapping from bitstring (clbit 0 rightmost) to probability describes."""
        codes, values = _sorted(probabilities, width, np.float64)
        return cls(width, codes, values)

    def to_dict(self) -> dict[str, float]:
        """Return bitstring -> probability."""
        return dict(zip(decode(self.codes, self.width), self.probabilities.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """Counts.

    Args:
        width: the number of clbits.
        codes: the outcomes that were seen, sorted and distinct.
        counts: how often each was seen, int64, positive.
    """

    width: int
    codes: Codes
    counts: NDArray[np.int64]

    @classmethod
    def of(cls, counts: Mapping[str, int], width: int) -> Sample:
        """Return the sample that a mapping from bitstring (clbit 0 rightmost) to shots describes."""
        codes, values = _sorted(counts, width, np.int64)
        return cls(width, codes, values)

    @property
    def shots(self) -> int:
        """The number of shots."""
        return int(self.counts.sum())

    def to_dict(self) -> dict[str, int]:
        """Return bitstring -> shots."""
        return dict(zip(decode(self.codes, self.width), self.counts.tolist(), strict=True))


def encode(bitstrings: Sequence[str], width: int) -> Codes:
    """Return the codes of bitstrings, in their order."""
    if not width:
        return np.zeros(len(bitstrings), dtype=np.int64)
    characters = np.frombuffer("".join(bitstrings).encode("ascii"), dtype=np.uint8).reshape(len(bitstrings), width)
    return codes_of_bits(characters[:, ::-1] - ord("0"))


def decode(codes: Codes, width: int) -> list[str]:
    """Return the bitstrings of codes, in their order."""
    if not width:
        return [""] * len(codes)
    characters = (bits_of_codes(codes, width)[:, ::-1] + ord("0")).astype(np.uint8)
    text = characters.tobytes().decode("ascii")
    return [text[start : start + width] for start in range(0, len(text), width)]


def codes_of_bits(bits: NDArray[Any]) -> Codes:
    """Return the codes of outcomes.

    Args:
        bits: 0 or 1, shape ``[outcomes, clbits]``; column k is clbit k.
    """
    number, width = bits.shape
    if width <= WIDEST_INTEGER:
        codes = np.zeros(number, dtype=np.int64)
        for clbit in range(width):
            codes |= bits[:, clbit].astype(np.int64) << clbit
        return codes
    packed = np.packbits(bits[:, ::-1].astype(np.uint8), axis=1)
    return np.ascontiguousarray(packed).view(f"S{packed.shape[1]}").ravel()


def bits_of_codes(codes: Codes, width: int) -> NDArray[np.uint8]:
    """Return the bits of outcomes, shape ``[outcomes, clbits]``; column k is clbit k."""
    if width <= WIDEST_INTEGER:
        bits = np.empty((len(codes), width), dtype=np.uint8)
        for clbit in range(width):
            bits[:, clbit] = codes >> clbit & 1
        return bits
    size = -(-width // 8)
    packed = np.frombuffer(np.ascontiguousarray(codes).tobytes(), dtype=np.uint8).reshape(len(codes), size)
    return np.unpackbits(packed, axis=1, count=width)[:, ::-1]


def group(codes: Codes, values: NDArray[Any]) -> tuple[Codes, NDArray[Any]]:
    """Return the distinct codes, sorted, and the sum of the values of each."""
    distinct, places = np.unique(codes, return_inverse=True)
    if np.issubdtype(values.dtype, np.integer):
        sums = np.zeros(len(distinct), dtype=values.dtype)
        np.add.at(sums, places, values)
        return distinct, sums
    return distinct, np.bincount(places, weights=values, minlength=len(distinct))


def lookup(codes: Codes, values: NDArray[Any], wanted: Codes) -> NDArray[Any]:
    """Return the value of each wanted code, 0 where there is none; ``codes`` are sorted."""
    if not len(codes):
        return np.zeros(len(wanted), dtype=values.dtype)
    places = np.minimum(np.searchsorted(codes, wanted), len(codes) - 1)
    return np.where(codes[places] == wanted, values[places], values.dtype.type(0))


def _sorted(mapping: Mapping[str, Any], width: int, dtype: type[np.generic]) -> tuple[Codes, NDArray[Any]]:
    values = np.fromiter(mapping.values(), dtype=dtype, count=len(mapping))
    codes = encode(list(mapping), width)
    present = values > 0
    codes, values = codes[present], values[present]
    order = np.argsort(codes, kind="stable")
    return codes[order], values[order]
