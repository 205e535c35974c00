"""Branches are merged exactly when nothing tells them apart."""

from __future__ import annotations

import numpy as np
import pytest

from gateway.compare.exact.merging import merge


def branches(*rows: tuple[list[complex], list[int]]) -> tuple[np.ndarray, np.ndarray]:
    states, values = zip(*rows, strict=True)
    return np.array(states, dtype=complex), np.array(values, dtype=np.uint8)


def test_states_that_differ_by_a_factor_are_merged_and_their_probabilities_added():
    amplitudes, values, alike = merge(*branches(([0.6, 0], [1]), ([0, 0.48], [1]), ([0.64j, 0], [1])))
    assert np.abs(amplitudes).tolist() == [[pytest.approx(np.hypot(0.6, 0.64)), 0], [0, pytest.approx(0.48)]]
    assert values.tolist() == [[1], [1]]
    assert alike


def test_states_with_different_values_stay_apart():
    amplitudes, _, alike = merge(*branches(([0.6, 0], [0, 1]), ([0.8, 0], [1, 0])))
    assert len(amplitudes) == 2
    assert not alike


def test_states_of_equal_populations_and_other_phases_stay_apart():
    amplitudes, _, alike = merge(*branches(([0.5, 0.5], [0]), ([0.5, -0.5], [0]), ([0.5j, 0.5], [0])))
    assert len(amplitudes) == 3
    assert alike


def test_states_that_differ_by_more_than_rounding_stay_apart():
    amplitudes, _, _ = merge(*branches(([0.5, 0.5], [0]), ([0.5, 0.5 + 1e-11], [0])))
    assert len(amplitudes) == 2


def test_the_norm_is_kept():
    rng = np.random.default_rng(1)
    states = rng.standard_normal((4, 8)) + 1j * rng.standard_normal((4, 8))
    factors = rng.standard_normal(100) + 1j * rng.standard_normal(100)
    amplitudes = states[rng.integers(0, 4, 100)] * factors[:, None]
    merged, values, _ = merge(amplitudes, np.zeros((100, 2), dtype=np.uint8))
    assert len(merged) == len(values) == 4
    assert np.linalg.norm(merged) == pytest.approx(np.linalg.norm(amplitudes))
