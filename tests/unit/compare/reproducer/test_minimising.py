"""Delta debugging finds lists of which no item can be left out."""

from __future__ import annotations

from random import Random

import pytest

from gateway.compare.reproducer.minimising import minimise


class Needs:
    """A property that a list has when some items are in it; it counts how often it was asked."""

    def __init__(self, *needed: int) -> None:
        self.needed = set(needed)
        self.asked = 0
        self.shorter: list[list[int]] = []

    def __call__(self, lists):
        self.asked += len(lists)
        return [self.needed <= set(items) for items in lists]

    def keep(self, items):
        assert self.needed <= set(items)
        self.shorter.append(items)


@pytest.mark.parametrize("seed", range(20))
def test_exactly_what_is_needed_is_left(seed: int):
    random = Random(seed)
    size = random.randint(1, 200)
    needs = Needs(*random.sample(range(size), random.randint(0, min(5, size))))
    assert minimise(range(size), needs, needs.keep) == sorted(needs.needed)


def test_a_few_items_of_two_hundred_need_few_tests():
    needs = Needs(17, 90, 151)
    minimise(range(200), needs, needs.keep)
    assert needs.asked < 120


def test_every_shorter_list_is_handed_over_as_soon_as_it_is_known():
    needs = Needs(3)
    minimise(range(64), needs, needs.keep)
    lengths = [len(items) for items in needs.shorter]
    assert lengths == sorted(lengths, reverse=True)
    assert lengths[-1] == 1


def test_items_that_can_be_left_out_one_by_one_but_not_together_are_left_out_while_that_goes():
    def odd_sum(lists):
        return [sum(items) % 2 == 1 for items in lists]

    left = minimise([1, 1, 1, 2, 4], odd_sum, lambda _: None)
    assert left in ([1], [1, 1, 1])
    assert not any(odd_sum([left[:k] + left[k + 1 :] for k in range(len(left))]))


def test_nothing_is_left_of_an_empty_list_or_of_one_that_needs_nothing():
    needs = Needs()
    assert minimise([], needs, needs.keep) == []
    assert minimise([1, 2, 3], needs, needs.keep) == []
