"""Bitstrings with a number each, as arrays: what probabilities hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import msgspec

from gateway.arrays import Array

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


class Outcomes(msgspec.Struct, frozen=True):
    """Bitstrings with a number each, as arrays.

    Args:
        keys: bytes ``[n, ceil(width / 8)]``, a bitstring in each row: clbit ``k`` is bit ``k % 8`` of byte ``k // 8``.
        values: real numbers ``[n]``.

    Raises:
        ValueError: the arrays have other types, or do not fit together.
    """

    keys: Array
    values: Array

    def __post_init__(self) -> None:
        keys, values = self.keys, self.values
        if (keys.dtype, values.dtype) != ("|u1", "<f8") or len(keys.shape) != 2 or keys.shape[:1] != values.shape:  # noqa: PLR2004 - axes
            raise ValueError("keys are bytes [n, ceil(width / 8)], and values are numbers [n]")

    @classmethod
    def of(cls, values: Mapping[str, float], width: int) -> Outcomes:
        """Return a mapping from bitstrings as arrays."""
        size = -(-width // 8)
        rows = b"".join([int(key or "0", 2).to_bytes(size, "little") for key in values])
        return cls(Array("|u1", (len(values), size), memoryview(rows)), Array.of_floats(values.values(), "<f8"))

    @classmethod
    def of_words(cls, words: NDArray[np.uint64], values: NDArray[np.float64], width: int) -> Outcomes:
        """Return bitstrings that are packed into words, ``[n, ceil(width / 64)]`` and at least one, with their values.

        Args:
            words: clbit ``k`` is bit ``k % 64`` of word ``k // 64``.
            values: ``[n]``, which are handed over.
            width: number of clbits.
        """
        import numpy as np  # noqa: PLC0415 - few results are so large

        rows = np.ascontiguousarray(words, dtype="<u8").view(np.uint8)[:, : -(-width // 8)]
        return cls(Array.of(rows, "|u1"), Array.of(values, "<f8"))

    def __len__(self) -> int:
        return self.values.shape[0]

    def dictionary(self, width: int, start: int = 0, stop: int | None = None) -> dict[str, float]:
        """Return bitstring -> number, for the rows from ``start`` up to ``stop``."""
        stop = len(self) if stop is None else stop
        size = self.keys.shape[1]
        data = bytes(self.keys.data[start * size : stop * size])
        numbers = [int.from_bytes(data[k : k + size], "little") for k in range(0, len(data), size or 1)]
        keys = [format(number, f"0{width}b") for number in numbers] if width else [""] * (stop - start)
        return dict(zip(keys, self.values.floats(start, stop), strict=True))

    def marginal(self, clbits: Sequence[int]) -> Outcomes:
        """Return the sums over the clbits that are not listed; the first one that is becomes clbit 0."""
        import numpy as np  # noqa: PLC0415 - few results are so large

        keys = self.keys.numpy()
        padded = np.zeros((len(self), 8 * max(-(-len(clbits) // 64), 1)), np.uint8)
        for place, clbit in enumerate(clbits):
            padded[:, place // 8] |= (keys[:, clbit // 8] >> (clbit % 8) & 1) << (place % 8)
        words, values = added_up(padded.view("<u8"), self.values.numpy())
        return Outcomes.of_words(words, values, len(clbits))

    def largest(self, number: int) -> Outcomes:
        """Return those with the ``number`` largest values; of equal ones those whose bitstrings come first."""
        import numpy as np  # noqa: PLC0415 - few results are so large

        keys, values = self.keys.numpy(), self.values.numpy()
        least = np.partition(values, -number)[-number]
        above, (level,) = np.flatnonzero(values > least), np.nonzero(values == least)
        first = np.lexsort(keys[level].T) if keys.shape[1] else np.arange(len(level))  # the last byte counts most
        rows = np.concatenate([above, level[first[: number - len(above)]]])
        return Outcomes(Array.of(keys[rows], "|u1"), Array.of(values[rows], "<f8"))


def added_up(words: NDArray[np.uint64], values: NDArray[np.float64]) -> tuple[NDArray[np.uint64], NDArray[np.float64]]:
    """Return each bitstring once, in the order in which they come, with the sum of its values.

    Args:
        words: bitstrings packed into words, ``[n, m]``.
        values: ``[n]``.
    """
    import numpy as np  # noqa: PLC0415 - few results are so large

    rows = words[:, 0] if words.shape[1] == 1 else words  # sorting numbers takes a tenth of sorting rows
    _, first, inverse = np.unique(rows, axis=0, return_index=True, return_inverse=True)
    order = np.argsort(first)
    sums = np.bincount(inverse.reshape(-1), weights=values, minlength=len(first)).astype(np.float64, copy=False)
    return words[first[order]], sums[order]
