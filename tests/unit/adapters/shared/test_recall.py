from __future__ import annotations

import numpy as np

from adapters.shared.recall import Recall

KEY = (0, (True,))


def state(*amplitudes):
    vector = np.array(amplitudes, dtype=complex)
    return vector / np.linalg.norm(vector)


def test_a_state_is_known_whatever_its_phase():
    recall, after = Recall(32), state(0, 1)
    recall.remember(KEY, state(1, 2j), after)
    assert recall.after(KEY, state(1j, -2)) is after


def test_a_state_that_differs_by_a_billionth_is_another_one():
    recall = Recall(32)
    recall.remember(KEY, state(1, 2j), state(0, 1))
    assert recall.after(KEY, state(1, 2j + 1e-8)) is None
    assert recall.after((1, (True,)), state(1, 2j)) is None


def test_large_states_are_not_remembered():
    recall, before = Recall(2**20), state(1, 2)
    recall.remember(KEY, before, state(0, 1))
    assert recall.after(KEY, before) is None


def test_it_stops_where_states_hardly_ever_come_back():
    recall = Recall(32)
    for number in range(100):
        recall.after(KEY, state(1, number))
    recall.remember(KEY, state(1, 7), state(0, 1))
    assert recall.after(KEY, state(1, 7)) is None


def test_what_is_remembered_is_bounded():
    recall = Recall(32)
    for number in range(1000):
        key = (number, ())
        recall.remember(key, state(1, number), state(0, 1))
        assert recall.after(key, state(1, number)) is not None
    assert recall.after((0, ()), state(1, 0)) is None
