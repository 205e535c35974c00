"""A boolean function of clbits as mutually exclusive conditions.

A :data:`~gateway.circuit.operations.Condition` is a conjunction of comparisons, so what is not one (an
exclusive or, say) becomes several that never hold together; the body is written once for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from gateway.circuit.operations import Comparison, Condition

MAX_TABLE_BITS = 12
"""How many clbits a truth table is made of at most."""

NEVER: list[Condition] = []
ALWAYS: list[Condition] = [()]


class Decision(NamedTuple):
    """When a condition on clbits holds.

    Args:
        then: mutually exclusive conditions.
        otherwise: of the opposite; ``None`` where it would take too many.
    """

    then: list[Condition]
    otherwise: list[Condition] | None


def compare(clbits: Sequence[int], value: int, *, equal: bool = True) -> list[Condition]:
    """Return when the clbits, the first one least significant, equal a constant, or do not.

    Args:
        clbits: of any number.
        value: any whole number; one the clbits cannot hold never equals them.
        equal: false for ``!=``.
    """
    if not 0 <= value < 1 << len(clbits):
        return NEVER if equal else ALWAYS
    if not equal and len(clbits) == 1:
        return [(Comparison(tuple(clbits), 1 - value),)]
    return [(Comparison(tuple(clbits), value, equal),)]


def from_table(clbits: Sequence[int], table: Sequence[bool]) -> list[Condition]:
    """Return disjoint conditions whose disjunction is a truth table; few, if not always the fewest.

    Args:
        clbits: distinct.
        table: ``2**len(clbits)`` entries; bit ``k`` of an entry's index is ``clbits[k]``.
    """
    ones = sum(map(bool, table))
    if ones in {0, len(table)}:
        return ALWAYS if ones else NEVER
    for place in range(len(clbits)):
        low, high = _halves(table, place)
        if low == high:
            return from_table(_without(clbits, place), low)
    if ones == 1:
        return compare(clbits, table.index(True))
    if ones == len(table) - 1:
        return compare(clbits, table.index(False), equal=False)
    place = max(range(len(clbits)), key=lambda place: _imbalance(table, place))
    rest = _without(clbits, place)
    return [
        _with_bit(clbits[place], value, condition)
        for value, half in enumerate(_halves(table, place))
        for condition in from_table(rest, half)
    ]


def both(first: Condition, second: Condition) -> Condition:
    """Return the conjunction; equalities of ``second`` that ``first`` states already are not repeated."""
    return first + tuple(comparison for comparison in second if comparison not in first)


def merged(condition: Condition) -> Condition:
    """Return a conjunction of equalities of different clbits as one, anything else unchanged."""
    clbits = tuple([clbit for comparison in condition for clbit in comparison.clbits])
    if len(condition) <= 1 or len(set(clbits)) < len(clbits) or not all(part.equal for part in condition):
        return condition
    value = 0
    for comparison in reversed(condition):
        value = value << len(comparison.clbits) | comparison.value
    return (Comparison(clbits, value),)


def opposite(found: list[Condition]) -> list[Condition] | None:
    """Return when none of at most one condition holds, ``None`` if that takes a truth table."""
    if len(found) != 1:
        return ALWAYS if not found else None
    if not found[0]:
        return NEVER
    comparison, *others = found[0]
    return None if others else compare(comparison.clbits, comparison.value, equal=not comparison.equal)


def clbits_of(conditions: Sequence[Condition]) -> frozenset[int]:
    """Return the clbits that conditions read."""
    return frozenset(clbit for condition in conditions for comparison in condition for clbit in comparison.clbits)


def _with_bit(clbit: int, value: int, condition: Condition) -> Condition:
    """Require one more bit, within the first equality if there is one."""
    for place, comparison in enumerate(condition):
        if comparison.equal:
            merged = Comparison((clbit, *comparison.clbits), comparison.value << 1 | value)
            return (*condition[:place], merged, *condition[place + 1 :])
    return (Comparison((clbit,), value), *condition)


def _halves(table: Sequence[bool], place: int) -> tuple[list[bool], list[bool]]:
    """Return the table where the bit at ``place`` is 0 and where it is 1."""
    low = [value for index, value in enumerate(table) if not index >> place & 1]
    high = [value for index, value in enumerate(table) if index >> place & 1]
    return low, high


def _imbalance(table: Sequence[bool], place: int) -> tuple[bool, int]:
    """Rank a bit to split by: best where one half is constant, then where the halves differ most."""
    low, high = map(sum, _halves(table, place))
    size = len(table) // 2
    return (low in {0, size} or high in {0, size}), abs(low - high)


def _without(clbits: Sequence[int], place: int) -> list[int]:
    return [*clbits[:place], *clbits[place + 1 :]]
