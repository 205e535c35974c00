from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from gateway.compare.statistics import parities
from gateway.compare.statistics.outcomes import bits_of_codes, codes_of_bits, group
from gateway.compare.statistics.parities import Parities, walsh_hadamard


def outcomes(width: int, number: int, *, same: tuple[int, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Return codes and weights of random outcomes; some clbits are 1 in all of them."""
    random = np.random.default_rng(width)
    bits = random.integers(0, 2, size=(number, width))
    bits[:, list(same)] = 1
    return group(codes_of_bits(bits), random.integers(1, 9, size=number))


def odd(codes: np.ndarray, weights: np.ndarray, width: int, clbits: list[int]) -> float:
    return float(weights[bits_of_codes(codes, width)[:, clbits].sum(axis=1) % 2 == 1].sum())


@pytest.mark.parametrize("number", [0, 1, 4, 7, 11])
def test_the_transform_sums_with_the_sign_of_each_parity(number: int):
    values = np.random.default_rng(number).normal(size=2**number)
    indices = np.arange(2**number)
    signs = 1 - 2.0 * (np.bitwise_count(indices[:, None] & indices) % 2)
    assert walsh_hadamard(values) == pytest.approx(signs @ values)


@pytest.mark.parametrize(
    ("width", "same"), [(1, ()), (3, ()), (6, (2,)), (25, ()), (70, (3, 69)), (70, tuple(range(4, 70)))]
)
def test_each_set_has_the_weight_of_its_odd_outcomes(width, same):
    codes, weights = outcomes(width, 40, same=same)
    looked_at = Parities.of(codes, width)
    found = looked_at.odd_weights(codes, weights)
    assert found.clbits == pytest.approx([odd(codes, weights, width, [clbit]) for clbit in range(width)])
    varying = sorted(set(range(width)) - set(same))
    pairs = [looked_at.pair(index) for index in range(len(found.pairs))]
    assert pairs == [list(pair) for pair in combinations(varying, 2)]
    assert found.pairs == pytest.approx([odd(codes, weights, width, pair) for pair in pairs])
    for index in range(min(len(found.larger), 40)):
        assert found.larger[index] == pytest.approx(odd(codes, weights, width, looked_at.larger_set(index)))
        assert len(looked_at.larger_set(index)) > 2


def test_all_parities_are_looked_at_up_to_a_width_and_pairs_beyond():
    codes, _ = outcomes(10, 100)
    assert len(Parities.of(codes, 10).larger) == 2**10 - 1 - 10 - 45
    codes, _ = outcomes(21, 100)
    looked_at = Parities.of(codes, 21)
    assert (len(looked_at.larger), len(looked_at.pairs)) == (0, 210)


def test_of_very_many_clbits_those_are_paired_that_are_near_each_other(monkeypatch):
    monkeypatch.setattr(parities, "MOST_PAIRS", 200)
    codes, weights = outcomes(100, 30)
    looked_at = Parities.of(codes, 100)
    assert 100 < len(looked_at.pairs) < 1000
    assert {tuple(pair) for pair in looked_at.pairs} >= {(clbit, clbit + 1) for clbit in range(99)}
    found = looked_at.odd_weights(codes, weights).pairs
    assert found == pytest.approx([odd(codes, weights, 100, looked_at.pair(index)) for index in range(len(found))])


def test_without_clbits_nothing_is_looked_at():
    codes = np.zeros(1, dtype=np.int64)
    found = Parities.of(codes, 0).odd_weights(codes, np.ones(1))
    assert [len(found.clbits), len(found.pairs), len(found.larger)] == [0, 0, 0]
