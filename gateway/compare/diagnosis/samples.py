"""Causes that lie in the shots, not in their distribution: the seed, their number, their independence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.special import gammaln

from gateway.compare.diagnosis.observations import Observations
from gateway.compare.diagnosis.regularity import too_regular
from gateway.compare.record import Cause
from gateway.compare.statistics import correction, tests
from gateway.compare.statistics.outcomes import Distribution, Sample, group

RARE = 1e-6
"""A right simulator gives what is named here with at most this probability."""


class Findings(NamedTuple):
    """What the shots show by themselves.

    Args:
        causes: those that lie in the shots.
        sample: the counts that a distribution can be judged by; empty if the shots are not independent.
    """

    causes: tuple[Cause, ...]
    sample: Sample


def findings(observations: Observations, right: Distribution | None) -> Findings:
    """Return what the shots show by themselves.

    Args:
        observations: what a simulator gave.
        right: the distribution that it should have drawn from, or says that it has drawn from, if one is known.
    """
    sample, requested = observations.sample, observations.requested
    runs = observations.runs or (sample,)
    complete = sum(run.shots for run in runs) == sample.shots
    causes = []
    if requested is not None and sample.shots != requested:
        causes.append(_cause("shots-missing", f"a run of {sample.shots:,} shots in place of {requested:,}"))
    if same_for_every_seed(runs):
        causes.append(_cause("seed-ignored", "a simulator that gives the same counts for every seed"))
        runs = runs[:1]
        sample = runs[0] if complete else sample
    elif observations.same_seed is not None and not _same_counts(*observations.same_seed):
        causes.append(_cause("seed-ignored", "a simulator that gives other counts for the same seed"))
    detail = "shots that depend on each other: "
    divisor = common_divisor(runs)
    if divisor > 1:
        causes.append(_cause("shots-correlated", f"{detail}every count is a multiple of {divisor}"))
        sample = Sample(sample.width, sample.codes, np.maximum(sample.counts // divisor, 1))
    elif difference_of_runs(runs) < RARE:
        causes.append(_cause("shots-correlated", f"{detail}the runs differ by more than chance"))
        sample = Sample(sample.width, sample.codes[:0], sample.counts[:0])
    elif right is not None and _regularity([runs] if complete else [runs, (sample,)], right) < RARE:
        causes.append(_cause("shots-correlated", f"{detail}they are more regular than chance"))
    return Findings(tuple(causes), sample)


def _cause(name: str, detail: str) -> Cause:
    return Cause(name=name, detail=detail, p_value=1.0)


def same_for_every_seed(runs: Sequence[Sample]) -> bool:
    """Return whether runs with different seeds are the same, although chance makes that rarer than ``RARE``.

    Given how often each outcome came in all runs together, shots are dealt to the runs like cards, whatever the
    distribution is.
    """
    if not runs or not all(_same_counts(runs[0], run) for run in runs):
        return False
    number, counts, shots = len(runs), runs[0].counts, runs[0].shots
    ways = (gammaln(number * counts + 1) - number * gammaln(counts + 1)).sum()
    all_ways = gammaln(number * shots + 1) - number * gammaln(shots + 1)
    return bool(ways - all_ways < math.log(RARE))


def common_divisor(runs: Sequence[Sample]) -> int:
    """Return what all counts are multiples of, unless chance makes that more likely than ``RARE``; else 1.

    Given the counts of the outcomes before it, a count is binomial. The probability that it is a multiple of g is the
    mean of ``(1 - q + q w)**n`` over the g-th roots w of 1.
    """
    counts = [run.counts for run in runs if run.shots]
    divisor = math.gcd(*[int(count) for each in counts for count in each])
    if divisor < 2:  # noqa: PLR2004 - everything is a multiple of 1
        return 1
    roots = np.exp(2j * np.pi * np.arange(divisor) / divisor)
    logarithm = 0.0
    for each in counts:
        left = each[::-1].cumsum()[::-1].astype(np.float64)  # the shots of an outcome and of those after it
        shares = each / left
        means = (np.abs(1 - shares[:, None] + shares[:, None] * roots) ** left[:, None]).mean(axis=1)
        logarithm += float(np.log(np.minimum(means[:-1], 1.0)).sum())
    return divisor if logarithm < math.log(RARE) else 1


def difference_of_runs(runs: Sequence[Sample]) -> float:
    """Return the p-value of the differences between runs: each is compared with all earlier ones together."""
    filled = [run for run in runs if run.shots]
    p_values = [
        test.p_value
        for place, run in enumerate(filled[1:], start=1)
        for test in tests.between(run, _together(filled[:place]))
    ]
    return min(correction.holm(p_values), default=1.0)


def _together(runs: Sequence[Sample]) -> Sample:
    codes = np.concatenate([run.codes for run in runs])
    return Sample(runs[0].width, *group(codes, np.concatenate([run.counts for run in runs])))


def _same_counts(first: Sample, second: Sample) -> bool:
    return np.array_equal(first.codes, second.codes) and np.array_equal(first.counts, second.counts)


def _regularity(groups: Sequence[Sequence[Sample]], right: Distribution) -> float:
    """Return the p-value for too much regularity in one of some groups of runs."""
    return len(groups) * min(too_regular(group, right) for group in groups)
