from __future__ import annotations

import numpy as np
import pytest

from gateway.compare.diagnosis import Observations
from gateway.compare.diagnosis.samples import common_divisor, difference_of_runs, findings, same_for_every_seed
from gateway.compare.statistics.outcomes import Distribution, Sample

RIGHT = Distribution.of({f"{code:03b}": (code + 1) / 36 for code in range(8)}, 3)


def drawn(seed: int, shots: int = 1000, repeats: int = 1) -> Sample:
    counts = np.random.default_rng(seed).multinomial(shots // repeats, RIGHT.probabilities) * repeats
    return Sample(3, RIGHT.codes[counts > 0], counts[counts > 0])


def together(runs: list[Sample]) -> Sample:
    counts = np.zeros(8, dtype=np.int64)
    for run in runs:
        counts[run.codes] += run.counts
    return Sample(3, np.flatnonzero(counts), counts[counts > 0])


def observed(runs: list[Sample], **options) -> Observations:
    return Observations(sample=together(runs), runs=tuple(runs), **options)


def names(observations: Observations) -> list[tuple[str, str]]:
    return [(cause.name, cause.detail) for cause in findings(observations, RIGHT).causes]


def test_right_runs_have_no_cause():
    runs = [drawn(seed) for seed in range(5)]
    assert names(observed(runs, requested=5000, same_seed=(runs[0], drawn(0)))) == []


def test_other_counts_for_the_same_seed_show_that_it_is_ignored():
    expected = [("seed-ignored", "a simulator that gives other counts for the same seed")]
    assert names(Observations(sample=drawn(0), same_seed=(drawn(0), drawn(1)))) == expected


def test_the_same_counts_for_every_seed_show_that_it_is_ignored():
    expected = [("seed-ignored", "a simulator that gives the same counts for every seed")]
    assert names(observed([drawn(0)] * 3)) == expected


def test_counts_that_chance_makes_equal_show_nothing():
    coin = Sample.of({"0": 10, "1": 10}, 1)
    assert not same_for_every_seed([coin, coin])
    assert same_for_every_seed([coin] * 12)
    certain = Sample.of({"0": 1000}, 1)
    assert not same_for_every_seed([certain] * 100)
    assert not same_for_every_seed([])


@pytest.mark.parametrize(
    ("requested", "detail"),
    [(1001, "a run of 1,000 shots in place of 1,001"), (999, "a run of 1,000 shots in place of 999")],
)
def test_shots_that_are_too_few_or_too_many_are_counted(requested, detail):
    assert names(Observations(sample=drawn(0), requested=requested)) == [("shots-missing", detail)]


def test_no_shots_at_all_are_missing():
    nothing = Sample(3, np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64))
    observations = Observations(sample=nothing, requested=10, runs=(nothing, nothing))
    assert names(observations) == [("shots-missing", "a run of 0 shots in place of 10")]


def test_counts_that_are_all_multiples_of_a_number_are_not_independent_shots():
    runs = [drawn(seed, repeats=4) for seed in range(5)]
    detail = "shots that depend on each other: every count is a multiple of 4"
    assert names(observed(runs)) == [("shots-correlated", detail)]
    halved = findings(observed(runs), RIGHT).sample
    assert halved.shots == sum(run.shots for run in runs) // 4


def test_few_counts_may_have_a_common_divisor_by_chance():
    sample = Sample(3, RIGHT.codes[:3], np.array([4, 8, 12]))
    assert common_divisor([sample]) == 1
    assert common_divisor([]) == 1


def test_a_common_divisor_is_as_likely_as_it_is_said_to_be():
    even = sum(
        all(count % 2 == 0 for count in np.random.default_rng(seed).multinomial(50, [0.2, 0.3, 0.5]))
        for seed in range(4000)
    )
    assert even / 4000 == pytest.approx(1 / 4, abs=0.03)  # (1/2) ** 2, for the last count follows from the others


def test_runs_that_differ_too_much_are_not_independent_shots():
    runs = [drawn(seed, repeats=10) for seed in range(5)]
    for run in runs:
        run.counts[0] += 1  # all but a common divisor
    detail = "shots that depend on each other: the runs differ by more than chance"
    assert names(observed(runs)) == [("shots-correlated", detail)]
    assert findings(observed(runs), RIGHT).sample.shots == 0


def test_runs_that_are_too_regular_are_not_independent_shots():
    expected = np.round(1008 * RIGHT.probabilities).astype(np.int64)
    shifts = [np.zeros(8, dtype=np.int64), np.array([1, -1] * 4), np.array([-1, 1] * 4)]
    runs = [Sample(3, RIGHT.codes, expected + shift) for shift in shifts]
    detail = "shots that depend on each other: they are more regular than chance"
    assert names(observed(runs)) == [("shots-correlated", detail)]


def test_without_a_distribution_runs_are_compared_with_each_other_alone():
    runs = [drawn(seed, repeats=10) for seed in range(5)]
    assert [cause.name for cause in findings(observed(runs), None).causes] == ["shots-correlated"]


def test_one_run_differs_from_nothing():
    assert difference_of_runs([drawn(0)]) == 1
    assert difference_of_runs([]) == 1


def test_the_differences_of_right_runs_are_no_smaller_than_chance():
    p_values = [difference_of_runs([drawn(3 * seed + k, shots=200) for k in range(3)]) for seed in range(300)]
    assert sum(p_value <= 0.05 for p_value in p_values) <= 30


def test_runs_beside_the_sample_are_looked_at_too_and_it_is_judged_whole():
    runs = tuple(drawn(seed, repeats=10) for seed in range(5))
    assert names(Observations(sample=drawn(9, shots=5001), runs=runs))[0][0] == "shots-correlated"
    beside = findings(Observations(sample=drawn(9, shots=5001), runs=(drawn(0), drawn(0))), RIGHT)
    assert [cause.name for cause in beside.causes] == ["seed-ignored"]
    assert beside.sample.shots == 5001


def test_a_sample_that_is_too_regular_is_found_beside_other_runs():
    counts = np.round(36_000 * RIGHT.probabilities).astype(np.int64)
    sample = Sample(3, RIGHT.codes, counts)
    assert [name for name, _ in names(Observations(sample=sample, runs=(drawn(0), drawn(1))))] == ["shots-correlated"]


def test_of_equal_runs_one_is_judged():
    assert findings(observed([drawn(0)] * 3), RIGHT).sample.shots == 1000
    assert findings(observed([drawn(0), drawn(1)]), RIGHT).sample.shots == 2000
