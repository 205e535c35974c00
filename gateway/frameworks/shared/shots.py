"""Makes single shots from counts, for frameworks that need them."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Any

from gateway.counts import Counts

if TYPE_CHECKING:
    import numpy as np


def shots_of(counts: Counts) -> list[str]:
    """Return one bitstring per shot, in random order.

    Shots are independent, so all orders that give these counts are equally likely, and a random order is a
    sample like any other. The seed of the run determines the order.
    """
    shots = [key for key, times in sorted(counts.items()) for _ in range(times)]
    seed = None if counts.provenance is None else counts.provenance.seed
    Random(seed).shuffle(shots)  # noqa: S311 - an order, no secret
    return shots


def shot_table(counts: Counts) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return a row of zeros and ones for each shot, in random order, with clbit ``k`` in column ``k``.

    :func:`shots_of` says why the order is random. NumPy draws it here, because a million shots are common.
    """
    import numpy as np  # noqa: PLC0415 - bitstrings need none

    keys = sorted(counts)
    characters = np.frombuffer("".join(keys).encode(), dtype=np.uint8).reshape(len(keys), counts.width)
    rows = np.repeat(np.arange(len(keys)), [counts[key] for key in keys])
    order = np.random.default_rng(None if counts.provenance is None else counts.provenance.seed).permutation(rows)
    table: np.ndarray[Any, np.dtype[np.uint8]] = (characters[:, ::-1] - ord("0"))[order]
    return table
