"""The tests of counts: what they see, what they bear, and what must not fool them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compare.statistics import tests
from gateway.compare.statistics.outcomes import Distribution, Sample, codes_of_bits, group

BELL = Distribution.of({"00": 0.5, "11": 0.5}, 2)
STRIKING = 1e-9


def by_name(found: tuple) -> dict:
    return {test.name: test for test in found}


def against(counts: dict[str, int], probabilities: dict[str, float], *, error: float = 1e-12) -> dict:
    width = len(next(iter(probabilities)))
    reference = tests.prepare(Distribution.of(probabilities, width), error=error)
    return by_name(tests.against(Sample.of(counts, width), reference))


def flat(width: int, seed: int = 0) -> Distribution:
    """Return probabilities as those of a deep random circuit (Porter and Thomas)."""
    return Distribution(width, np.arange(1 << width), np.random.default_rng(seed).dirichlet(np.ones(1 << width)))


def drawn(distribution: Distribution, shots: int, seed: int = 0) -> Sample:
    counts = np.random.default_rng(seed).multinomial(shots, distribution.probabilities)
    return Sample(distribution.width, distribution.codes[counts > 0], counts[counts > 0])


def wide(width: int, shots: int, seed: int, bits: np.ndarray | None = None) -> Sample:
    """Return shots of so many random clbits."""
    bits = np.random.default_rng(seed).integers(0, 2, size=(shots, width)) if bits is None else bits
    return Sample(width, *group(codes_of_bits(bits), np.ones(len(bits), dtype=np.int64)))


# ---------------------------------------------------------------------- what they see


def test_two_percent_of_impossible_shots_are_a_contradiction_and_the_outcome_is_named():
    support = against({"00": 4900, "11": 4892, "01": 150, "10": 58}, {"00": 0.5, "11": 0.5})["support"]
    assert support.p_value < 1e-100
    assert (support.statistic, support.points_at) == (208, "outcome 01")


def test_a_bell_pair_drawn_57_to_43_is_seen():
    found = against({"00": 570, "11": 430}, {"00": 0.5, "11": 0.5})
    assert found["goodness-of-fit"].p_value == pytest.approx(1.07e-5, rel=0.05)


def test_the_outcome_that_comes_too_often_is_named():
    reference = flat(6)
    counts = drawn(reference, 1000).to_dict()
    counts["010011"] = counts.get("010011", 0) + 80
    single = by_name(tests.against(Sample.of(counts, 6), tests.prepare(reference)))["single-outcome"]
    assert single.points_at == "outcome 010011"
    assert single.p_value < STRIKING
    assert single.statistic > 0.05


def test_a_biased_clbit_is_named_where_outcomes_outnumber_shots():
    bits = np.random.default_rng(1).integers(0, 2, size=(1000, 70))
    fair = wide(70, 1000, 2)
    bits[:, 69] = np.random.default_rng(3).random(1000) < 0.7
    clbit = by_name(tests.between(wide(70, 1000, 0, bits), fair))["clbit"]
    assert clbit.points_at == "clbit 69"
    assert clbit.p_value < STRIKING


def test_a_pair_of_clbits_that_are_equal_too_often_is_named():
    bits = np.random.default_rng(1).integers(0, 2, size=(2000, 70))
    copied = np.random.default_rng(2).random(2000) < 0.4
    bits[copied, 5] = bits[copied, 60]
    pair = by_name(tests.between(wide(70, 2000, 0, bits), wide(70, 2000, 4)))["clbit-pair"]
    assert pair.points_at == "clbits 5 and 60"
    assert pair.p_value < STRIKING


def test_a_larger_parity_that_is_wrong_is_named():
    even = {f"{code:04b}": 1 / 16 for code in range(16)}
    counts = {key: 100 if key[0:3].count("1") % 2 else 60 for key in even}
    parity = against(counts, even)["parity"]
    assert parity.points_at == "clbits 1, 2 and 3"
    assert parity.p_value < STRIKING


@pytest.mark.parametrize("share", [0.3, -0.3])
def test_cross_entropy_sees_a_distribution_that_is_too_flat_and_one_that_is_too_peaked(share: float):
    reference = flat(10)
    p = reference.probabilities
    q = (1 - share) * p + share / 1024 if share > 0 else p**1.3 / (p**1.3).sum()
    sample = drawn(Distribution(10, reference.codes, q), 2000)
    assert by_name(tests.against(sample, tests.prepare(reference)))["cross-entropy"].p_value < 1e-6


def test_outcomes_that_are_rare_together_are_looked_at_together():
    rare = {f"{code:07b}": 1e-6 for code in range(1, 101)}
    counts = {"0000000": 990} | dict.fromkeys(list(rare)[:10], 1)
    single = against(counts, rare | {"0000000": 1 - 1e-4})["single-outcome"]
    assert single.points_at == "100 rare outcomes together"
    assert single.p_value < STRIKING


# ---------------------------------------------------------------------- what must not fool them


def test_a_probability_of_1e_17_is_none_whoever_says_it():
    found = against({"00": 500, "11": 490, "01": 10}, {"00": 0.5, "11": 0.5, "01": 1e-17})
    assert found["support"].p_value < 1e-50


def test_one_shot_in_an_impossible_outcome_is_weighed_by_what_rounding_explains():
    counts, probabilities = {"0": 999_999, "1": 1}, {"0": 1.0}
    assert against(counts, probabilities)["support"].p_value == pytest.approx(1e-6, rel=1e-2)
    assert against(counts, probabilities, error=1e-6)["support"].p_value > 0.5


def test_references_that_differ_by_1e_9_are_the_same_for_a_million_shots():
    p = flat(4).probabilities
    nearly = p + 1e-9 * np.resize([1, -1], 16)
    sample = drawn(flat(4), 10**6)
    first, second = (
        tests.against(sample, tests.prepare(Distribution(4, np.arange(16), probabilities)))
        for probabilities in (p, nearly)
    )
    assert [test.p_value for test in first] == pytest.approx([test.p_value for test in second], rel=1e-2)


@pytest.mark.parametrize("number", [4, 10])
def test_few_shots_of_equal_outcomes_take_few_values_and_are_not_striking_too_often(number: int):
    uniform = Distribution(10, np.arange(1024), np.full(1024, 1 / 1024))
    reference = tests.prepare(uniform)
    for level in (0.1, 0.01):
        striking = sum(tests.fit(drawn(uniform, 8 * number, seed), reference) <= level for seed in range(1000))
        assert striking <= 1000 * level + 4 * math.sqrt(1000 * level)


@pytest.mark.parametrize("shots", [(1000, 1000), (300, 5000), (100, 50_000)])
def test_samples_of_one_wide_distribution_agree_however_unequal_their_shots(shots):
    distribution = flat(10)
    p_values: dict[str, list[float]] = {}
    for seed in range(60):
        for test in tests.between(drawn(distribution, shots[0], seed), drawn(distribution, shots[1], seed + 1000)):
            p_values.setdefault(test.name, []).append(test.p_value)
    for name, values in p_values.items():
        assert min(values) > 1e-4, name
        assert 0.2 < np.median(values) <= 1, name


def test_the_wide_samples_that_chi_square_tells_apart_are_not():
    distribution = flat(14)
    found = tests.between(drawn(distribution, 5000, 1), drawn(distribution, 5000, 2))
    assert min(test.p_value for test in found) > 1e-3


def test_the_order_of_two_samples_does_not_matter():
    a, b = drawn(flat(5), 300, 1), drawn(flat(5), 5000, 2)
    assert [test.p_value for test in tests.between(a, b)] == [test.p_value for test in tests.between(b, a)]


# ---------------------------------------------------------------------- what they bear


def test_without_clbits_only_the_support_is_tested():
    (support,) = tests.against(Sample.of({"": 10}, 0), tests.prepare(Distribution.of({"": 1.0}, 0)))
    assert (support.name, support.p_value) == ("support", 1.0)
    assert tests.between(Sample.of({"": 10}, 0), Sample.of({"": 7}, 0)) == ()


def test_without_shots_nothing_is_tested():
    nothing = Sample.of({}, 2)
    assert tests.against(nothing, tests.prepare(BELL)) == ()
    assert tests.between(nothing, Sample.of({"00": 3}, 2)) == ()
    assert tests.fit(nothing, tests.prepare(BELL)) == 1


def test_a_certain_outcome_fits_and_any_other_one_does_not():
    certain = {"0101": 1.0}
    assert all(test.p_value == 1 for test in against({"0101": 1000}, certain).values())
    wrong = against({"0111": 1000}, certain)
    assert max(wrong["support"].p_value, wrong["clbit"].p_value) < 1e-290
    assert wrong["clbit"].points_at == "clbit 1"


def test_all_shots_in_impossible_outcomes_leave_the_support_and_the_clbits():
    found = against({"01": 7, "10": 6}, {"00": 0.5, "11": 0.5})
    assert list(found) == ["support", "clbit", "clbit-pair"]
    assert found["clbit-pair"].p_value < STRIKING


def test_one_shot_is_enough_to_be_tested():
    assert all(test.p_value > 0.1 for test in tests.against(drawn(flat(3), 1), tests.prepare(flat(3))))
    assert all(test.p_value > 0.1 for test in tests.between(drawn(flat(3), 1, 1), drawn(flat(3), 1, 2)))


@pytest.mark.parametrize("width", [63, 1000, 4096])
def test_wide_circuits_are_tested(width: int):
    ghz = tests.prepare(Distribution.of({"0" * width: 0.5, "1" * width: 0.5}, width))
    right = Sample.of({"0" * width: 510, "1" * width: 490}, width)
    assert min(test.p_value for test in tests.against(right, ghz)) > 0.1
    wrong = Sample.of({"0" * width: 500, "1" * width: 480, "0" * (width - 2) + "11": 20}, width)
    found = by_name(tests.against(wrong, ghz))
    assert found["support"].p_value < STRIKING
    assert found["clbit-pair"].p_value < STRIKING
    assert set(found["clbit-pair"].points_at.split()) & {"0", "1"}


@pytest.mark.parametrize("function", [tests.against, tests.fit])
def test_other_numbers_of_clbits_are_refused(function):
    with pytest.raises(ValueError, match="counts of 3 clbits cannot be compared with outcomes of 2 clbits"):
        function(Sample.of({"000": 1}, 3), tests.prepare(BELL))


def test_two_samples_of_different_widths_are_refused():
    with pytest.raises(ValueError, match="counts of 1 clbits"):
        tests.between(Sample.of({"0": 1}, 1), Sample.of({"00": 1}, 2))


@pytest.mark.parametrize("probabilities", [{"0": 0.5}, {}, {"0": math.inf}])
def test_a_reference_that_does_not_sum_to_1_is_refused(probabilities):
    with pytest.raises(ValueError, match="sum to"):
        tests.prepare(Distribution.of(probabilities, 1))


@given(
    st.dictionaries(st.text("01", min_size=3, max_size=3), st.integers(1, 10**6), min_size=1),
    st.dictionaries(st.text("01", min_size=3, max_size=3), st.floats(1e-6, 1), min_size=1),
)
def test_every_p_value_is_a_probability(counts, weights):
    total = sum(weights.values())
    found = against(counts, {key: weight / total for key, weight in weights.items()})
    assert all(1e-300 <= test.p_value <= 1 for test in found.values())
    assert all(math.isfinite(test.statistic) for test in found.values())


@given(
    st.dictionaries(st.text("01", min_size=3, max_size=3), st.integers(1, 10**6), min_size=1),
    st.dictionaries(st.text("01", min_size=3, max_size=3), st.integers(1, 10**6), min_size=1),
)
def test_every_p_value_between_two_samples_is_a_probability(a, b):
    found = tests.between(Sample.of(a, 3), Sample.of(b, 3))
    assert all(1e-300 <= test.p_value <= 1 for test in found)
    assert all(test.p_value > 0.05 for test in tests.between(Sample.of(a, 3), Sample.of(a, 3)))


# ---------------------------------------------------------------------- numbers for the diagnosis


def test_the_fit_of_a_right_distribution_is_good_and_that_of_a_wrong_one_is_not():
    sample = drawn(flat(6, 1), 1000)
    assert tests.fit(sample, tests.prepare(flat(6, 1))) > 1e-3
    assert tests.fit(sample, tests.prepare(flat(6, 2))) < 1e-100
    assert tests.fit(Sample.of({"01": 5}, 2), tests.prepare(BELL)) < 1e-30


def test_so_few_shots_that_none_coincide_are_fitted_by_their_cross_entropy():
    likely = Distribution(12, np.arange(4096), np.append(np.full(2048, 0.95 / 2048), np.full(2048, 0.05 / 2048)))
    unlikely = Sample(12, np.arange(3000, 3012), np.ones(12, dtype=np.int64))
    assert tests.fit(unlikely, tests.prepare(likely)) < 1e-6


def test_the_log_likelihood_is_the_sum_over_all_shots():
    sample = Sample.of({"00": 3, "11": 2}, 2)
    skewed = Distribution.of({"00": 0.75, "11": 0.25}, 2)
    assert tests.log_likelihood(sample, skewed) == pytest.approx(3 * math.log(0.75) + 2 * math.log(0.25))
    assert tests.log_likelihood(Sample.of({"01": 1}, 2), skewed) == -math.inf


def test_the_distance_is_half_the_sum_of_the_differences():
    skewed = Distribution.of({"00": 0.75, "01": 0.25}, 2)
    assert tests.distance(BELL, skewed) == pytest.approx(0.5)
    assert tests.distance(Sample.of({"00": 1, "11": 1}, 2), BELL) == 0
    assert tests.distance(Sample.of({"10": 4}, 2), BELL) == 1
    nearly = Distribution.of({"00": 0.5 + 1e-9, "11": 0.5 - 1e-9}, 2)
    assert tests.distance(BELL, nearly) == pytest.approx(1e-9)


def test_a_flat_reference_of_single_precision_is_no_contradiction_in_itself():
    outcomes, random = 2**18, np.random.default_rng(5)
    uniform = Distribution(18, np.arange(outcomes), np.full(outcomes, 1 / outcomes))
    reference = tests.prepare(uniform, error=1e-5)
    counts = random.multinomial(5_000, uniform.probabilities)
    right = Sample(18, np.flatnonzero(counts), counts[counts > 0])
    assert min(test.p_value for test in tests.against(right, reference)) > STRIKING
    half = Sample(18, np.arange(5_000), np.ones(5_000, dtype=np.int64))
    assert min(test.p_value for test in tests.against(half, reference)) < STRIKING


def test_a_reference_of_single_precision_over_many_outcomes_still_tells_them_apart():
    right = flat(18, seed=3)
    reference = tests.prepare(right, error=1e-5)
    assert min(test.p_value for test in tests.against(drawn(right, 20_000), reference)) > STRIKING
    reversed_ = Distribution(18, right.codes, right.probabilities[::-1].copy())
    assert min(test.p_value for test in tests.against(drawn(reversed_, 20_000), reference)) < STRIKING
