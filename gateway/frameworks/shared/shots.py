"""Single shots for frameworks that want them, from counts."""

from __future__ import annotations

from random import Random

from gateway.counts import Counts


def shots_of(counts: Counts) -> list[str]:
    """Return one bitstring per shot, in random order.

    Shots do not depend on each other, so of all orders that give these counts each is equally
    likely: one drawn at random is a sample like any other. The run's seed draws it.
    """
    shots = [key for key, times in sorted(counts.items()) for _ in range(times)]
    seed = None if counts.provenance is None else counts.provenance.seed
    Random(seed).shuffle(shots)  # noqa: S311 - an order, no secret
    return shots
