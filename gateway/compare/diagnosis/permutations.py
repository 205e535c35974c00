"""Clbits in an order of their own, as where a simulator moves qubits about and does not put them back.

There are far too many orders to try. How often each clbit is 1, and each pair of clbits at once, leaves few of them:
they are searched one clbit after another, and an order is given up as soon as a pair contradicts it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from gateway.compare.diagnosis.hypotheses import Hypothesis, Prediction
from gateway.compare.diagnosis.marginals import Floats, contradicts, pairs
from gateway.compare.diagnosis.readings import rearranged
from gateway.compare.statistics.outcomes import Distribution

LEAST_MOVED = 3
"""Two clbits that change places have a name of their own."""

MOST_ORDERS = 1_000
"""Of more orders that nothing contradicts, none is a hypothesis."""

MOST_OUTCOMES = 2**19
"""So many outcomes may be rearranged, in all orders together."""

MOST_STEPS = 20_000
"""A search that takes more steps finds nothing."""

MOST_BITS = 2**20
"""Of more bits (outcomes times clbits), pairs are not counted."""

EQUAL = 1e-9
"""Probabilities that differ by less are the same: two clbits that may change places without a difference are twins."""


def permutations(reference: Distribution, observed: Distribution, shots: float) -> Iterator[Hypothesis]:
    """Yield the orders of clbits that what was observed does not contradict.

    Args:
        reference: the right distribution.
        observed: relative frequencies, or exact probabilities.
        shots: how many shots the frequencies come from; for exact probabilities, any large number.
    """
    outcomes = max(len(reference.codes), len(observed.codes))
    if reference.width < LEAST_MOVED or outcomes * reference.width > MOST_BITS:
        return
    most = min(MOST_ORDERS, max(MOST_OUTCOMES // max(outcomes, 1), 1))
    for sources in _Search(reference, observed, shots).orders(most):
        moved = [clbit for clbit, source in enumerate(sources) if clbit != source]
        if len(moved) >= LEAST_MOVED:
            predict = partial(_rearranged, reference, sources, moved)
            yield Hypothesis("clbits-permuted", predict, len(moved) - 1)


def _rearranged(reference: Distribution, sources: Sequence[int], moved: Sequence[int]) -> Prediction:
    places = ", ".join(f"{clbit} from {sources[clbit]}" for clbit in moved)
    return Prediction(rearranged(reference, sources), f"the clbits in another order ({places})")


class _Search:
    """A search for orders of clbits.

    Args:
        reference: the right distribution.
        observed: what was observed.
        shots: how many shots that comes from.
    """

    def __init__(self, reference: Distribution, observed: Distribution, shots: float) -> None:
        self._right, self._seen, self._shots = pairs(reference), pairs(observed), shots
        clbits = range(reference.width)
        may_hold = ~contradicts(np.diag(self._seen)[:, None], np.diag(self._right)[None, :], shots)
        self._sources = [np.flatnonzero(row).tolist() for row in may_hold]
        self._clbits = sorted(clbits, key=lambda clbit: len(self._sources[clbit]))
        self._twins = [_twin(reference, self._right, clbit) for clbit in clbits]
        self._steps = 0

    def orders(self, most: int) -> list[list[int]]:
        """Return the orders that nothing contradicts: for each clbit, which it holds; none if they are more."""
        found: list[list[int]] = []
        for order in self._extended({}):
            found.append([order[clbit] for clbit in range(len(order))])
            if len(found) > most:
                return []
        return [] if self._steps > MOST_STEPS else found

    def _extended(self, order: dict[int, int]) -> Iterator[dict[int, int]]:
        if len(order) == len(self._clbits):
            yield dict(order)
            return
        clbit, tried = self._clbits[len(order)], set()
        used = set(order.values())
        for source in sorted(self._sources[clbit], key=lambda source: source != clbit):
            if source in used or self._twins[source] in tried:
                continue
            tried.add(self._twins[source])
            self._steps += 1
            if self._steps > MOST_STEPS:
                return
            if not self._contradicted(order, clbit, source):
                order[clbit] = source
                yield from self._extended(order)
                del order[clbit]

    def _contradicted(self, order: dict[int, int], clbit: int, source: int) -> bool:
        others, their_sources = list(order), list(order.values())
        return bool(np.any(contradicts(self._seen[clbit, others], self._right[source, their_sources], self._shots)))


def _twin(reference: Distribution, right: Floats, clbit: int) -> int:
    """Return the first clbit that may change places with this one without a difference."""
    for other in range(clbit):
        order = list(range(reference.width))
        order[clbit], order[other] = other, clbit
        if np.abs(right[np.ix_(order, order)] - right).max() <= EQUAL:
            exchanged = rearranged(reference, order)
            if np.array_equal(exchanged.codes, reference.codes) and np.allclose(
                exchanged.probabilities, reference.probabilities, rtol=0, atol=EQUAL
            ):
                return other
    return clbit
