"""Makes single shots from counts, for frameworks that need them."""

from __future__ import annotations

from random import Random

from gateway.counts import Counts


def shots_of(counts: Counts) -> list[str]:
    """Return one bitstring per shot, in random order.

    Shots are independent, so all orders that give these counts are equally likely, and a random order is a
    sample like any other. The seed of the run determines the order.
    """
    shots = [key for key, times in sorted(counts.items()) for _ in range(times)]
    seed = None if counts.provenance is None else counts.provenance.seed
    Random(seed).shuffle(shots)  # noqa: S311 - an order, no secret
    return shots
