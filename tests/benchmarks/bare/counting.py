"""Counts drawn bits in the fast way, for samplers that leave counting to their user."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def count_indices(indices: NDArray[np.integer], width: int) -> dict[str, int]:
    """Count numbers below ``2**width``; ``bincount`` takes a tenth of the time of ``unique`` at 20 bits."""
    times = np.bincount(indices, minlength=2**width)
    (found,) = np.nonzero(times)
    keys = map(f"{{:0{width}b}}".format, found.tolist())
    return dict(zip(keys, times[found].tolist(), strict=True))


def count_rows(rows: NDArray[np.generic]) -> dict[str, int]:
    """Count rows of 0 and 1, ``[shots, width]``, the first column being the leftmost character."""
    shots, width = rows.shape
    packed = np.packbits(rows, axis=1)
    words = np.zeros((shots, 8), dtype=np.uint8)
    words[:, : packed.shape[1]] = packed
    numbers = words.view(">u8").reshape(-1).astype(np.uint64) >> np.uint64(64 - width)
    return count_indices(numbers.astype(np.int64), width)
