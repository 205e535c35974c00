from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compare.statistics.correction import holm


def test_the_smallest_counts_for_all_the_next_for_one_less_and_none_overtakes():
    assert holm([0.04, 0.01, 0.03, 0.6]) == pytest.approx([0.09, 0.04, 0.09, 0.6])
    assert holm([0.5, 0.4]) == [0.8, 0.8]
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=20))
def test_corrected_values_are_larger_at_most_1_and_in_the_same_order(p_values):
    found = holm(p_values)
    assert all(value <= corrected_ <= 1 for value, corrected_ in zip(p_values, found, strict=True))
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    assert [found[index] for index in order] == sorted(found)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20), st.floats(0.001, 0.2))
def test_whoever_would_be_rejected_with_bonferroni_is_rejected(p_values, rate):
    for value, corrected_ in zip(p_values, holm(p_values), strict=True):
        assert corrected_ <= min(1, len(p_values) * value) + 1e-12
        assert corrected_ > rate or value <= rate
