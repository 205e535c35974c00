"""Seeds for samplers whose neighbouring seeds are not independent."""

from __future__ import annotations

_FACTOR = 0x9E3779B1
"""Odd, so that multiplication modulo ``2**32`` loses no seed; near ``2**32`` over the golden ratio,
so that the images of neighbours lie far apart (Knuth, The Art of Computer Programming 3, 6.4)."""


def spread(seed: int) -> int:
    """Return another seed below ``2**32``, a different one for every seed, far from those of its neighbours.

    Aer draws shot ``i`` of a dynamic circuit with the seed ``seed + i``: runs with the seeds 1 and
    2 would share all their random numbers but one, and adding up their counts would gain nothing.
    """
    return seed * _FACTOR % 2**32
