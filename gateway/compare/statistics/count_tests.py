"""Tests of single counts, whose tails are exact: of outcomes, and of clbits and their parities."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from gateway.compare.record import Test
from gateway.compare.statistics.fit_tests import rare_classes
from gateway.compare.statistics.nulls import Null
from gateway.compare.statistics.outcomes import Codes, decode
from gateway.compare.statistics.parities import OddWeights, Parities
from gateway.compare.statistics.tails import SMALLEST, CountLaw, most_striking

Floats = NDArray[np.float64]


def single_outcome(null: Null, law: CountLaw, codes: Codes, width: int) -> Test | None:
    """Return the test of the most striking outcome, and of the rare ones together; nothing if there is one outcome."""
    if len(codes) < 2:  # noqa: PLR2004 - a single outcome has no choice
        return None
    rare = rare_classes(null)[null.classes.of]
    counts, likelihoods = null.counts, null.likelihoods
    if rare.any():
        counts, likelihoods = (np.append(each, each[rare].sum()) for each in (counts, likelihoods))

    def described(index: int) -> str:
        if index == len(codes):
            return f"{int(rare.sum())} rare outcomes together"
        return f"outcome {decode(codes[index : index + 1], width)[0]}"

    return _test("single-outcome", law, counts, likelihoods, described)


def parity_tests(parities: Parities, law: CountLaw, counts: OddWeights, likelihoods: OddWeights) -> list[Test]:
    """Return the tests of the most striking clbit, pair of clbits, and larger set of clbits."""
    kinds: tuple[tuple[str, Floats, Floats, Callable[[int], list[int]]], ...] = (
        ("clbit", counts.clbits, likelihoods.clbits, lambda index: [index]),
        ("clbit-pair", counts.pairs, likelihoods.pairs, parities.pair),
        ("parity", counts.larger, likelihoods.larger, parities.larger_set),
    )
    return [
        _test(name, law, odd, expected, partial(_in_words, members))
        for name, odd, expected, members in kinds
        if len(odd)
    ]


def _in_words(members: Callable[[int], list[int]], index: int) -> str:
    """Return the clbits of a set as words: ``clbit 3``, ``clbits 0 and 3``, ``clbits 0, 1 and 3``."""
    *others, last = map(str, members(index))
    return f"clbits {', '.join(others)} and {last}" if others else f"clbit {last}"


def _test(name: str, law: CountLaw, counts: Floats, likelihoods: Floats, described: Callable[[int], str]) -> Test:
    index, p_value = most_striking(law, counts, likelihoods)
    return Test(
        name=name,
        statistic=law.difference(float(counts[index]), float(likelihoods[index])),
        p_value=min(1.0, max(SMALLEST, p_value * len(counts))),
        points_at=described(index),
    )
