from __future__ import annotations

import math

import pytest

from gateway.look import numbers


@pytest.mark.parametrize(
    ("radians", "text"),
    [
        (0.0, "0"),
        (math.pi, "π"),
        (-math.pi, "-π"),
        (math.pi / 2, "π/2"),
        (-3 * math.pi / 8, "-3π/8"),
        (2 * math.pi, "2π"),
        (0.6 * math.pi, "0.6π"),
        (-2.4 * math.pi, "-2.4π"),
        (1.23 * math.pi, "1.23π"),
        (math.pi / 64, "π/64"),
        (0.7, "0.7"),
        (1e-7, "1e-07"),
        (1000 * math.pi, "3142"),
    ],
)
def test_an_angle_is_a_multiple_of_pi_where_that_is_simple(radians, text):
    assert numbers.angle(radians) == text


def test_a_probability_of_zero_is_never_and_a_tiny_one_is_not():
    assert [numbers.probability(value) for value in (0.0, 0.021593, 3e-9, 1.0)] == [
        "never",
        "0.021593",
        "3e-9",
        "1.000000",
    ]


def test_a_scale_says_where_it_ends():
    assert [numbers.scale(end) for end in (1.0, 0.6, 0.045)] == ["0 to 100\xa0%", "0 to 60\xa0%", "0 to 4.5\xa0%"]


def test_per_cent_has_as_many_decimals_as_its_scale_needs():
    assert [numbers.per_cent(0.0412, end) for end in (0.6, 0.1, 0.01)] == ["4.1", "4.12", "4.120"]


def test_a_p_value_that_nobody_needs_exactly_is_a_bound():
    assert [numbers.p_value(p) for p in (0.543, 3.2e-9, 1e-300)] == ["0.54", "3e-9", "< 1e-12"]
    assert [numbers.p_is(p) for p in (3.2e-9, 1e-300)] == ["p = 3e-9", "p < 1e-12"]


def test_numbers_have_their_noun():
    assert [numbers.several(number, "shot") for number in (0, 1, 10_000)] == ["0 shots", "1 shot", "10,000 shots"]


def test_words_are_listed_as_in_a_sentence():
    assert [numbers.listing(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0 bytes"),
        (1023, "1,023 bytes"),
        (1536, "1.5 KiB"),
        (512 * 2**20, "512 MiB"),
        (1023 * 2**20, "1,023 MiB"),
        (16 * 2**60, "16 EiB"),
        (2**70, "2^70 bytes"),
        (48 * 2**4096, "2^4102 bytes"),
    ],
)
def test_sizes_have_the_largest_unit_that_fits(value, text):
    assert numbers.size(value, " ") == text
