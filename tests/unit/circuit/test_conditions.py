from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.circuits import random_condition

from gateway.circuit.circuit import Comparison, Condition
from gateway.circuit.conditions import (
    ALWAYS,
    NEVER,
    assignments,
    assignments_of_table,
    bits_of,
    both,
    clbits_of,
    compare,
    condition_of,
    decision_of_table,
    from_table,
    holds,
    merge,
    opposite,
    wide_inequalities,
)

CONDITIONS = st.builds(random_condition, st.randoms(use_true_random=False), st.just(5))


def holding(conditions: list[Condition], bits: int) -> int:
    """How many of the conditions hold."""
    return sum(holds(condition, bits) for condition in conditions)


def fulfilled(assignment: dict[int, int], bits: int) -> bool:
    return all(bits >> clbit & 1 == bit for clbit, bit in assignment.items())


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
    assert clbits_of((first,), (second,)) == {0, 1, 2}


@given(CONDITIONS, CONDITIONS)
def test_both_hold_where_each_does_and_merging_changes_nothing(first: Condition, second: Condition) -> None:
    for bits in range(32):
        assert holds(both(first, second), bits) is (holds(first, bits) and holds(second, bits))
        assert holds(merge(first), bits) is holds(first, bits)


@given(CONDITIONS)
def test_the_opposite_holds_where_the_condition_does_not(condition: Condition) -> None:
    other = opposite([condition])
    for bits in range(32) if other is not None else ():
        assert holding(other, bits) == (not holds(condition, bits))


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        (NEVER, ALWAYS),
        (ALWAYS, NEVER),
        ([(Comparison((3,), 1),)], [(Comparison((3,), 0),)]),
        ([(Comparison((0,), 1), Comparison((2,), 0))], [(Comparison((0, 2), 1, equal=False),)]),
        ([(Comparison((0,), 1), Comparison((1, 2), 2, equal=False))], None),
        ([(Comparison((0,), 1),), (Comparison((0,), 0),)], None),
    ],
)
def test_an_opposite_is_found_where_it_takes_no_truth_table(conditions, expected) -> None:
    assert opposite(conditions) == expected


@given(st.integers(0, 4).flatmap(lambda n: st.lists(st.booleans(), min_size=2**n, max_size=2**n)))
def test_a_decision_of_a_table_holds_where_it_is_true_and_its_opposite_elsewhere(table: list[bool]) -> None:
    clbits = range(len(table).bit_length() - 1)
    then, otherwise = decision_of_table(clbits, table)
    for bits, wanted in enumerate(table):
        assert (holding(then, bits), holding(otherwise or [], bits)) == (wanted, not wanted)


def test_the_rows_of_a_table_are_assignments_the_first_clbit_changing_fastest() -> None:
    assert list(assignments_of_table([7, 4])) == [{7: 0, 4: 0}, {7: 1, 4: 0}, {7: 0, 4: 1}, {7: 1, 4: 1}]


@given(CONDITIONS)
def test_exactly_one_assignment_is_fulfilled_where_the_condition_holds(condition: Condition) -> None:
    for bits in range(32):
        assert sum(fulfilled(assignment, bits) for assignment in assignments(condition)) == holds(condition, bits)


def test_a_condition_that_always_holds_is_one_empty_assignment_and_a_contradiction_is_none() -> None:
    assert assignments(()) == [{}]
    assert assignments((Comparison((0,), 1), Comparison((0,), 0))) == []


def test_a_wide_inequality_takes_more_than_one_assignment() -> None:
    wide = Comparison((0, 1), 2, equal=False)
    assert wide_inequalities((Comparison((0,), 1, equal=False), wide, Comparison((0, 1), 1))) == (wide,)
    assert bits_of(wide) == [(0, 0), (1, 1)]


@pytest.mark.parametrize(
    ("when", "condition"),
    [
        (None, ()),
        ({}, ()),
        ({3: 1, 1: 0}, (Comparison((3, 1), 1),)),
        (Comparison((0,), 1), (Comparison((0,), 1),)),
        ((Comparison((0,), 1),), (Comparison((0,), 1),)),
    ],
)
def test_when_is_a_mapping_a_comparison_or_a_condition(when, condition: Condition) -> None:
    assert condition_of(when) == condition
