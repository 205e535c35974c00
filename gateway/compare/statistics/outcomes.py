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

_BIG_ENDIAN = np.dtype(">i8")
_INTEGER_BYTES = _BIG_ENDIAN.itemsize


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

    @classmethod
    def of_state(cls, state: NDArray[np.complex128]) -> Distribution:
        """Return the distribution of all qubits of a state vector; bit k of a code is qubit k."""
        chances = np.abs(state) ** 2
        (indices,) = np.nonzero(chances)
        return cls(len(state).bit_length() - 1, indices.astype(np.int64), chances[indices])

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
    characters = np.frombuffer("".join(bitstrings).encode("ascii"), dtype=np.uint8).reshape(len(bitstrings), width)
    return _codes(np.asarray(characters & 1, dtype=np.uint8), width)


def decode(codes: Codes, width: int) -> list[str]:
    """Return the bitstrings of codes, in their order."""
    if not width:
        return [""] * len(codes)
    text = (_columns(codes, width) + ord("0")).tobytes().decode("ascii")
    return [text[start : start + width] for start in range(0, len(text), width)]


def codes_of_bits(bits: NDArray[Any]) -> Codes:
    """Return the codes of outcomes.

    Args:
        bits: 0 or 1, shape ``[outcomes, clbits]``; column k is clbit k.
    """
    return _codes(np.asarray(bits[:, ::-1], dtype=np.uint8), bits.shape[1])


def bits_of_codes(codes: Codes, width: int) -> NDArray[np.uint8]:
    """Return the bits of outcomes, shape ``[outcomes, clbits]``; column k is clbit k."""
    return _columns(codes, width)[:, ::-1]


def _codes(columns: NDArray[np.uint8], width: int) -> Codes:
    """Return the codes of bits whose first column is the last clbit."""
    if width > WIDEST_INTEGER:
        packed = np.packbits(columns, axis=1)
        return packed.view(f"S{packed.shape[1]}").ravel()
    packed = np.zeros((len(columns), _INTEGER_BYTES), dtype=np.uint8)
    if width:
        size = -(-width // 8)
        padded = np.zeros((len(columns), 8 * size), dtype=np.uint8)
        padded[:, 8 * size - width :] = columns
        packed[:, _INTEGER_BYTES - size :] = np.packbits(padded, axis=1)
    return packed.view(_BIG_ENDIAN).ravel().astype(np.int64)


def _columns(codes: Codes, width: int) -> NDArray[np.uint8]:
    """Return the bits of codes, the last clbit in the first column."""
    if width > WIDEST_INTEGER:
        size = -(-width // 8)
        packed = np.frombuffer(np.ascontiguousarray(codes).tobytes(), dtype=np.uint8).reshape(len(codes), size)
        return np.unpackbits(packed, axis=1, count=width)
    packed = codes.astype(_BIG_ENDIAN).view(np.uint8).reshape(len(codes), _INTEGER_BYTES)
    size = -(-width // 8)
    return np.unpackbits(packed[:, _INTEGER_BYTES - size :], axis=1)[:, 8 * size - width :]


def flipped(codes: Codes, clbit: int, width: int) -> Codes:
    """Return the codes of the outcomes with one clbit inverted, in their order."""
    if width <= WIDEST_INTEGER:
        return np.asarray(codes ^ (1 << clbit))
    size = -(-width // 8)
    packed = np.frombuffer(np.ascontiguousarray(codes).tobytes(), dtype=np.uint8).reshape(len(codes), size).copy()
    byte, bit = divmod(width - 1 - clbit, 8)
    packed[:, byte] ^= 0x80 >> bit
    return packed.view(codes.dtype).ravel()


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
    places, present = find(codes, wanted)
    if not len(codes):
        return np.zeros(len(wanted), dtype=values.dtype)
    return np.where(present, values[places], values.dtype.type(0))


def find(codes: Codes, wanted: Codes) -> tuple[NDArray[np.intp], NDArray[np.bool_]]:
    """Return the place of each wanted code among sorted codes, and whether it is there; if not, any place."""
    if not len(codes):
        return np.zeros(len(wanted), dtype=np.intp), np.zeros(len(wanted), dtype=np.bool_)
    last = len(codes) - 1
    if codes.dtype == np.int64 and codes[0] == 0 and codes[last] == last:  # all codes up to the last
        return np.minimum(wanted, last).astype(np.intp), wanted <= last
    places = np.minimum(np.searchsorted(codes, wanted), last)
    return places, codes[places] == wanted


def _sorted(mapping: Mapping[str, Any], width: int, dtype: type[np.generic]) -> tuple[Codes, NDArray[Any]]:
    values = np.fromiter(mapping.values(), dtype=dtype, count=len(mapping))
    codes = encode(list(mapping), width)
    present = values > 0
    codes, values = codes[present], values[present]
    order = np.argsort(codes, kind="stable")
    return codes[order], values[order]
