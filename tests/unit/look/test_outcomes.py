from __future__ import annotations

import random

import pytest

from gateway.look.outcomes import largest, rest, scale_end, shown


def of_width(width: int, values: list[int]) -> dict[str, int]:
    return {format(index, f"0{width}b"): value for index, value in enumerate(values)}


def test_up_to_16_outcomes_are_shown_in_numerical_order():
    values = dict(reversed(of_width(4, [5, 9, 1, *range(13)]).items()))
    assert shown(values) == (sorted(values), 0, 0)


def test_of_more_the_14_most_likely_are_shown_and_the_rest_is_summed():
    values = of_width(5, list(range(1, 33)))
    bitstrings, others, rest_of_all = shown(values)
    assert bitstrings == [format(index, "05b") for index in range(31, 17, -1)]
    assert (others, rest_of_all) == (18, sum(range(1, 19)))


def test_what_the_caller_puts_first_stands_above_the_most_likely():
    values = of_width(5, [100, *range(1, 32)])
    assert shown(values, first=["00001", "11111"], rows=4).bitstrings == ["00001", "11111", "00000", "11110"]


def test_an_outcome_that_the_caller_puts_first_need_not_be_among_the_values():
    values = of_width(5, [1] * 31)
    assert shown(values, first=["11111"], rows=3) == (["11111", "00000", "00001"], 28, 29)


def test_equal_values_are_in_order_of_the_bitstring():
    values = dict(random.Random(5).sample(sorted(of_width(6, [3] * 64).items()), 64))
    assert [bits for bits, _ in largest(values, 5)] == [format(index, "06b") for index in range(5)]


def test_the_largest_are_those_that_a_whole_sort_would_put_first():
    rng = random.Random(7)
    for size in (1, 2, 30, 500):
        values = {format(index, "09b"): rng.randrange(1, 6) for index in rng.sample(range(512), size)}
        for number in (1, 14, 600):
            assert largest(values, number) == sorted(values.items(), key=lambda item: (-item[1], item[0]))[:number]


def test_nothing_is_shown_of_nothing():
    assert shown({}) == ([], 0, 0)
    assert largest({}, 5) == []
    assert largest({"0": 1}, 0) == []


def test_the_rest_of_probabilities_is_never_negative():
    values = dict.fromkeys(of_width(5, [0] * 32), 1 / 32)
    assert rest(values, list(values)) == 0
    assert rest(values, list(values)[:31]) == pytest.approx(1 / 32)


@pytest.mark.parametrize(
    ("most", "end"), [(0.58, 0.6), (0.041, 0.045), (0.65, 0.65), (1.0, 1.0), (0.96, 1.0), (0.0, 1.0), (1e-9, 1e-9)]
)
def test_a_scale_ends_at_a_round_share(most, end):
    assert scale_end([most, most / 2]) == end


def test_no_value_is_longer_than_its_scale():
    rng = random.Random(3)
    for _ in range(1000):
        most = 10 ** rng.uniform(-12, 0)
        assert most <= scale_end([most]) <= min(1.5001 * most, 1)
    assert scale_end([]) == 1
