from __future__ import annotations

import numpy as np
import pytest

from adapters.shared.states import bitstrings, distribution, probability_of_one, project


def random_state(n, seed=0):
    rng = np.random.default_rng(seed)
    state = rng.normal(size=2**n) + 1j * rng.normal(size=2**n)
    return state / np.linalg.norm(state)


def test_qubit_0_is_the_least_significant_bit():
    state = np.zeros(8, dtype=complex)
    state[0b001] = 1
    assert [probability_of_one(state, qubit) for qubit in range(3)] == [1, 0, 0]


@pytest.mark.parametrize("qubit", [0, 1, 2])
@pytest.mark.parametrize("norm", [1 - 1e-9, 1 + 1e-6])
def test_what_is_impossible_stays_so_whatever_the_norm(norm, qubit):
    state = np.zeros(8, dtype=np.complex128)
    state[[0b111, 0b000]] = norm * 0.6, 0
    assert probability_of_one(state, qubit) == 1
    assert probability_of_one(state[::-1].copy(), qubit) == 0


@pytest.mark.parametrize("qubit", range(4))
def test_probability_of_one_is_the_sum_over_its_indices(qubit):
    state = random_state(4)
    index = np.arange(16)
    expected = (np.abs(state[index >> qubit & 1 == 1]) ** 2).sum()
    assert probability_of_one(state, qubit) == pytest.approx(expected)


@pytest.mark.parametrize("outcome", [0, 1])
@pytest.mark.parametrize("qubit", range(3))
def test_projection_keeps_one_half_and_normalises_it(qubit, outcome):
    state = random_state(3)
    before = state.copy()
    after = project(state, qubit, outcome)
    assert np.linalg.norm(after) == pytest.approx(1)
    assert probability_of_one(after, qubit) == pytest.approx(outcome)
    kept = np.arange(8) >> qubit & 1 == outcome
    np.testing.assert_allclose(after[kept] * np.linalg.norm(state[kept]), state[kept])
    np.testing.assert_array_equal(state, before)


def test_projection_onto_an_unlikely_outcome_keeps_all_digits():
    state = np.array([1e-5, 0, np.sqrt(1 - 1e-10), 0])
    assert np.linalg.norm(project(state, 1, 0)) == pytest.approx(1, abs=1e-15)


def test_projection_with_a_flip_leaves_the_other_value_as_a_reset_does():
    state = random_state(3)
    plain, flipped = project(state, 1, 1), project(state, 1, 1, flip=True)
    assert probability_of_one(flipped, 1) == 0
    np.testing.assert_array_equal(flipped[[0, 1, 4, 5]], plain[[2, 3, 6, 7]])


@pytest.mark.parametrize("qubits", [[0, 1, 2, 3], [2], [3, 0], [1, 3, 0], [3, 2, 1, 0], []])
def test_distribution_of_some_qubits_has_the_first_one_least_significant(qubits):
    state = random_state(4, seed=3)
    expected = np.zeros(2 ** len(qubits))
    for index, amplitude in enumerate(state):
        place = sum((index >> qubit & 1) << k for k, qubit in enumerate(qubits))
        expected[place] += abs(amplitude) ** 2
    np.testing.assert_allclose(distribution(state, qubits), expected)


def test_distribution_of_single_precision_is_summed_and_normalised_in_double():
    found = distribution(random_state(10).astype(np.complex64), range(10))
    assert found.dtype == np.float64
    assert abs(found.sum() - 1) < 1e-14


def test_distribution_leaves_the_state_alone():
    state = random_state(3)
    before = state.copy()
    distribution(state, [0, 1, 2])
    np.testing.assert_array_equal(state, before)


@pytest.mark.parametrize("width", [1, 7, 8, 9, 64, 70])
def test_bitstrings_show_places_and_fixed_bits_with_clbit_0_rightmost(width):
    places = {width - 1: 0}
    fixed = 1 if width > 1 else 0
    low, high = bitstrings(np.array([0, 1]), places, fixed, width)
    assert (len(low), len(high)) == (width, width)
    assert int(high, 2) - int(low, 2) == 1 << (width - 1)
    assert int(low, 2) == fixed


def test_bitstrings_of_no_clbits_are_empty():
    assert bitstrings(np.array([0]), {}, 0, 0) == [""]
