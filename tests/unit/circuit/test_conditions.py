from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.circuit.circuit import Comparison, Condition
from gateway.circuit.conditions import ALWAYS, NEVER, both, clbits_of, compare, from_table


def holding(conditions: list[Condition], bits: int) -> int:
    """How many of the conditions hold."""
    return sum(all(comparison.holds(bits) for comparison in condition) for condition in conditions)


@given(st.integers(0, 5).flatmap(lambda n: st.lists(st.booleans(), min_size=2**n, max_size=2**n)))
def test_exactly_one_condition_holds_where_the_table_is_true(table: list[bool]) -> None:
    clbits = list(range(3, 3 + len(table).bit_length() - 1))
    conditions = from_table(clbits, table)
    for index, wanted in enumerate(table):
        assert holding(conditions, index << 3) == wanted


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ([False] * 4, NEVER),
        ([True] * 4, ALWAYS),
        ([False, False, True, False], [(Comparison((7, 4), 2),)]),
        ([True, True, True, False], [(Comparison((7, 4), 3, equal=False),)]),
        ([False, True, False, True], [(Comparison((7,), 1),)]),
        ([True, True, False, False], [(Comparison((4,), 0),)]),
    ],
)
def test_what_one_comparison_says_is_one_comparison(table: list[bool], expected: list[Condition]) -> None:
    assert from_table([7, 4], table) == expected


def test_an_exclusive_or_is_two_conditions() -> None:
    assert len(from_table([0, 1], [False, True, True, False])) == 2


def test_a_conjunction_with_an_inequality_stays_one_condition() -> None:
    table = [bool(index & 1) and index >> 1 != 2 for index in range(8)]
    assert from_table([0, 1, 2], table) == [(Comparison((0,), 1), Comparison((1, 2), 2, equal=False))]


@pytest.mark.parametrize(("value", "equal", "expected"), [(-1, True, NEVER), (8, True, NEVER), (9, False, ALWAYS)])
def test_a_value_the_clbits_cannot_hold_never_equals_them(value: int, equal: bool, expected: list[Condition]) -> None:
    assert compare([0, 1, 2], value, equal=equal) == expected


def test_a_wide_register_is_compared_without_a_table() -> None:
    clbits = tuple(range(300))
    assert compare(clbits, 2**299) == [(Comparison(clbits, 2**299),)]


def test_not_equal_to_a_bit_is_equal_to_its_opposite() -> None:
    assert compare([5], 1, equal=False) == [(Comparison((5,), 0),)]


def test_a_conjunction_repeats_nothing() -> None:
    first, second = Comparison((0,), 1), Comparison((1, 2), 3)
    assert both((first,), (first, second)) == (first, second)
    assert clbits_of([(first,), (second,)]) == {0, 1, 2}
