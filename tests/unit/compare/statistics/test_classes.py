from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.compare.statistics.classes import Classes


def test_values_that_are_equal_but_for_rounding_are_one_class():
    classes = Classes.of_values(np.array([0.1 + 0.2, 0.3, 0.4, 0.3 * (1 + 1e-12)]))
    assert classes.of.tolist() == [0, 0, 1, 0]
    assert classes.sizes.tolist() == [3, 1]
    assert not classes.spreads.any()


@pytest.mark.parametrize("size", [300, 100_000])
def test_sums_of_smooth_functions_over_the_cells_are_those_over_the_values(size: int):
    values = np.random.default_rng(size).exponential(size=size) + 1e-9
    _, cells, sizes = Classes.of_values(values).cells()
    assert len(cells) <= 401
    assert sizes.sum() == pytest.approx(size)
    for function in (np.asarray, np.square, lambda x: x * np.log(x), np.sqrt):
        assert sizes @ function(cells) == pytest.approx(function(values).sum(), rel=1e-4)


def test_an_outcome_that_is_more_than_half_of_all_is_a_class_alone():
    values = np.append(np.random.default_rng(1).exponential(size=10_000), 1e5)
    classes = Classes.of_values(values)
    assert classes.sizes[classes.of[-1]] == 1


@given(st.lists(st.sampled_from([0.1, 0.2, 0.7]), min_size=1, max_size=9), st.integers(0, 2))
def test_a_part_has_the_values_of_the_chosen_classes(values, left_out):
    classes = Classes.of_values(np.array(values))
    chosen = np.arange(len(classes.sizes)) != left_out
    part = classes.part(chosen).rescaled(2)
    assert part.means[part.of] == pytest.approx(2 * classes.means[classes.of][chosen[classes.of]])
