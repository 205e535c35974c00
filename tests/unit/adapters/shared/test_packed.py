from __future__ import annotations

import numpy as np
import pytest

from adapters.shared.packed import OutcomeSum, words_of, write_column
from adapters.shared.states import bitstrings


def text(words: np.ndarray, width: int) -> list[str]:
    numbers = [int.from_bytes(row.astype("<u8").tobytes(), "little") for row in words]
    return [format(number, f"0{width}b") if width else "" for number in numbers]


@pytest.mark.parametrize("width", [0, 1, 3, 8, 17, 63, 64, 65, 130])
@pytest.mark.parametrize("seed", range(5))
def test_packed_bitstrings_are_those_that_are_written_as_text(width: int, seed: int):
    rng = np.random.default_rng(seed)
    num_places = min(width, 12)
    clbits = rng.permutation(width)[:num_places].tolist()
    places = dict(zip(clbits, rng.permutation(12)[:num_places].tolist(), strict=True))
    indices = rng.integers(0, 2**12, 50)
    words = words_of(indices, places, width)
    assert text(words, width) == bitstrings(indices, places, 0, width)
    bits = 0
    for clbit in set(range(0, width, 3)) - set(clbits):
        write_column(words, clbit, np.ones(50, np.uint8))
        bits |= 1 << clbit
    assert text(words, width) == bitstrings(indices, places, bits, width)


def test_clbits_in_their_own_places_are_packed_the_same_way():
    assert text(words_of(np.arange(16), {0: 0, 1: 1}, 3), 3) == [f"0{index & 3:02b}" for index in range(16)]


def added(total: OutcomeSum, indices: list[int], width: int, clbit: int, bits: int, values: list[float]) -> None:
    words = words_of(np.array(indices), {clbit: 0}, width)
    words |= np.frombuffer(bits.to_bytes(words.shape[1] * 8, "little"), np.uint64)
    total.add(words, np.array(values))


def test_equal_outcomes_are_added_up_in_the_order_in_which_they_came():
    total = OutcomeSum(2)
    added(total, [1, 0], 2, 0, 0b10, [0.125, 0.25])
    added(total, [0, 1], 2, 0, 0b00, [0.25, 0.125])
    added(total, [1], 2, 0, 0b10, [0.25])
    assert list(total.outcomes().dictionary(2).items()) == [("11", 0.375), ("10", 0.25), ("00", 0.25), ("01", 0.125)]


def test_equal_outcomes_of_one_distribution_are_added_up_too():
    total = OutcomeSum(1)
    total.add(np.array([[1], [0], [1]], np.uint64), np.array([0.25, 0.25, 0.5]))
    assert total.outcomes().dictionary(1) == {"1": 0.75, "0": 0.25}


def test_any_number_of_branches_is_added_up_without_being_kept():
    total = OutcomeSum(100)
    for k in range(3_000):
        added(total, [k % 2], 100, 99, 5, [1 / 3_000])
    assert len(total._words) < 600
    found = total.outcomes().dictionary(100)
    assert found == pytest.approx({f"0{5:099b}": 0.5, f"1{5:099b}": 0.5})


def test_nothing_is_the_sum_of_nothing():
    assert OutcomeSum(3).outcomes().dictionary(3) == {}
