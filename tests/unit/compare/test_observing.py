"""What runs with equal and with different seeds tell."""

from __future__ import annotations

from itertools import product
from math import comb

import pytest
from support.circuits import bell
from support.faulty import Right

from gateway.compare.circuits import named_circuits
from gateway.compare.observing import Plan, Seeds, observe
from gateway.counts import Counts


def seeds(*different: dict[str, int]) -> Seeds:
    counts = tuple(map(Counts, different))
    return Seeds((counts[0], counts[0]), counts)


def test_equal_counts_of_all_seeds_are_as_likely_as_shots_that_are_dealt_to_them_like_cards():
    assert seeds({"0": 3, "1": 1}, {"0": 3, "1": 1}).by_chance == pytest.approx(comb(4, 3) ** 2 / comb(8, 6))
    assert seeds({"0": 2, "1": 2}, *[{"0": 2, "1": 2}] * 2).by_chance == pytest.approx(comb(4, 2) ** 3 / comb(12, 6))
    assert seeds({"0": 10}, {"0": 10}).by_chance == 1.0


@pytest.mark.parametrize("likely", [0.7, 0.99])
def test_equal_counts_of_all_seeds_seem_rare_no_more_often_than_they_are(likely):
    shots, number, chances = 4, 3, {}
    for ones in product(range(shots + 1), repeat=number):
        if len(set(ones)) == 1:
            counts = {"0": shots - ones[0], "1": ones[0]}
            chance = (comb(shots, ones[0]) * likely ** (shots - ones[0]) * (1 - likely) ** ones[0]) ** number
            chances[seeds(*[counts] * number).by_chance] = chance + chances.get(seeds(*[counts] * number).by_chance, 0)
    for limit in chances:
        assert sum(chance for p_value, chance in chances.items() if p_value <= limit) <= limit


def test_a_comparison_with_a_seed_tries_the_same_seeds_again():
    (circuit,) = named_circuits(bell())
    first, second = (observe("a", Right(), circuit, Plan(1000, seed=2**32 - 1)).seeds for _ in range(2))
    assert first == second
    assert first.repeats
    assert first.differ
