"""Fitted hypotheses: the right distribution, mixed with another in a proportion that is fitted to what was observed.

A readout error on a clbit mixes it with the distribution in which that clbit is inverted, or always the same;
depolarisation mixes it with the uniform one. The likelihood of a mixture is concave in the proportion, so that its
maximum is where its derivative is zero.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
from scipy.optimize import brentq

from gateway.compare.diagnosis.hypotheses import Hypothesis, Prediction
from gateway.compare.diagnosis.marginals import Floats, ones
from gateway.compare.diagnosis.readings import inverted, stuck
from gateway.compare.statistics.outcomes import Distribution, codes_of_bits, group, lookup

WIDEST_UNIFORM = 20
"""The number of clbits up to which the uniform distribution is written out."""

_STEEPEST = 1e300
_ROUNDING = 1e-15


def mixtures(
    reference: Distribution, observed: Distribution, clbits: Sequence[int], written: Sequence[int]
) -> Iterator[Hypothesis]:
    """Yield the hypotheses that mix the right distribution with one other.

    Args:
        reference: the right distribution.
        observed: the relative frequencies, or the exact probabilities, that the proportions are fitted to.
        clbits: those that may have a readout error.
        written: those that the circuit writes, which depolarisation makes random, alone or with all others.
    """
    if len(written) <= WIDEST_UNIFORM:
        yield Hypothesis("depolarised", partial(_depolarised, reference, observed, written), 1)
    if len(written) < reference.width <= WIDEST_UNIFORM:
        predict = partial(_depolarised, reference, observed, range(reference.width), ", also of clbits never written")
        yield Hypothesis("depolarised", predict, 1, "depolarised clbits that are never written")
    right, seen = ones(reference), ones(observed)
    for clbit in clbits:
        expected = right.copy()
        expected[clbit] = seen[clbit]
        yield Hypothesis("readout-error", partial(_either_way, reference, observed, clbit), 1, ones=expected)
        for value in (0, 1):
            predict = partial(_one_way, reference, observed, clbit, value)
            yield Hypothesis("readout-error", predict, 1, ones=expected)


def _depolarised(
    reference: Distribution, observed: Distribution, clbits: Sequence[int], which: str = ""
) -> Prediction | None:
    detail = f"the right distribution mixed with {{}} of the uniform one{which}"
    return _mixed(reference, uniform(reference.width, clbits), observed, detail)


def _either_way(reference: Distribution, observed: Distribution, clbit: int) -> Prediction | None:
    detail = f"a readout error of {{}} on clbit {clbit}"
    return _mixed(reference, inverted(reference, clbit), observed, detail, largest=0.5)


def _one_way(reference: Distribution, observed: Distribution, clbit: int, value: int) -> Prediction | None:
    detail = f"clbit {clbit} read as {value} in {{}} of the cases where it is {1 - value}"
    return _mixed(reference, stuck(reference, clbit, value), observed, detail)


def _mixed(
    first: Distribution, second: Distribution, observed: Distribution, detail: str, *, largest: float = 1.0
) -> Prediction | None:
    """Return the best mixture; ``None`` if none is better than the first distribution, or possible."""
    ours, theirs = (lookup(part.codes, part.probabilities, observed.codes) for part in (first, second))
    share = best_share(ours, theirs, observed.probabilities)
    if not share or share > largest:
        return None
    codes = np.concatenate([first.codes, second.codes])
    probabilities = np.concatenate([(1 - share) * first.probabilities, share * second.probabilities])
    return Prediction(Distribution(first.width, *group(codes, probabilities)), detail.format(percent(share)))


def best_share(first: Floats, second: Floats, weights: Floats) -> float | None:
    """Return the share of a second distribution in the mixture under which what was observed is most likely.

    Args:
        first: the probabilities of the outcomes under the first distribution.
        second: those under the second one.
        weights: relative frequencies of the outcomes.

    Returns:
        A number from 0 to 1; ``None`` if an outcome was observed that neither distribution has.
    """
    if np.any((first <= 0) & (second <= 0) & (weights > 0)):
        return None
    matters = (weights > 0) & (np.abs(second - first) > _ROUNDING)
    start, rise, weight = first[matters], (second - first)[matters], weights[matters]

    def slope(share: float) -> float:
        with np.errstate(divide="ignore"):
            return float(np.clip((weight * rise / (start + share * rise)).sum(), -_STEEPEST, _STEEPEST))

    if slope(0.0) <= 0:
        return 0.0
    return 1.0 if slope(1.0) >= 0 else float(brentq(slope, 0.0, 1.0, xtol=1e-15, rtol=1e-14))


def uniform(width: int, written: Sequence[int]) -> Distribution:
    """Return the distribution in which some clbits are random, and all others 0."""
    number = 1 << len(written)
    bits = np.zeros((number, width), dtype=np.uint8)
    for place, clbit in enumerate(sorted(written)):
        bits[:, clbit] = np.arange(number) >> place & 1
    return Distribution(width, *group(codes_of_bits(bits), np.full(number, 1 / number)))


def percent(share: float) -> str:
    """Return a share in words."""
    return f"{100 * share:.3g} %"
