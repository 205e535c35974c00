"""The algebra of conditions on clbits: the one place that combines, negates and evaluates them.

A :class:`~gateway.circuit.operations.Comparison` compares some clbits, read as a number, with a constant. A
:data:`~gateway.circuit.operations.Condition` is a conjunction of comparisons: all of them hold, and an
empty one always does. Anything else, such as an exclusive or, is a list of *disjoint* conditions, no two of
which ever hold together; an operation that depends on it is written once for each. ``NEVER`` is such a list
without a condition, and ``ALWAYS`` is the list of just the empty condition. A :class:`Decision` has such a list
and the list for its opposite. An *assignment* gives the value that each of some clbits has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

from gateway.circuit.operations import Comparison, Condition, When

MAX_TABLE_BITS = 12
"""A truth table has at most so many clbits."""

NEVER: list[Condition] = []
ALWAYS: list[Condition] = [()]


class Decision(NamedTuple):
    """When a statement about clbits holds, and when it does not.

    Args:
        then: the disjoint conditions under which it holds.
        otherwise: the disjoint conditions under which it does not hold; ``None`` if there would be too many.
    """

    then: list[Condition]
    otherwise: list[Condition] | None


def compare(clbits: Sequence[int], value: int, *, equal: bool = True, as_written: bool = False) -> list[Condition]:
    """Return when clbits, read as a number, equal a constant, or differ from it.

    Args:
        clbits: any number of clbits, the first one least significant.
        value: any whole number; the clbits never equal one that they cannot hold.
        equal: false for ``!=``.
        as_written: keep ``!=`` for a single clbit, which otherwise becomes ``==`` with the other value.
    """
    if not 0 <= value < 1 << len(clbits):
        return NEVER if equal else ALWAYS
    if not equal and len(clbits) == 1 and not as_written:
        return [(Comparison(tuple(clbits), 1 - value),)]
    return [(Comparison(tuple(clbits), value, equal),)]


def from_table(clbits: Sequence[int], table: Sequence[bool]) -> list[Condition]:
    """Return disjoint conditions, one of which holds exactly where a truth table is true.

    There are few of them, but not always the fewest possible.

    Args:
        clbits: distinct clbits.
        table: ``2**len(clbits)`` entries; bit ``k`` of an entry's index is the value of ``clbits[k]``.
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


def decision_of_table(clbits: Sequence[int], table: Sequence[bool]) -> Decision:
    """Return when a truth table is true, and when it is false; see :func:`from_table`."""
    return Decision(from_table(clbits, table), from_table(clbits, [not value for value in table]))


def assignments_of_table(clbits: Sequence[int]) -> Iterator[dict[int, int]]:
    """Yield the assignment of each entry of a truth table, in the order of the table."""
    for index in range(1 << len(clbits)):
        yield {clbit: index >> place & 1 for place, clbit in enumerate(clbits)}


def condition_of(when: When) -> Condition:
    """Return the condition that the ``when=`` of a builder method stands for."""
    if when is None:
        return ()
    if isinstance(when, Comparison):
        return (when,)
    if isinstance(when, Mapping):
        return (Comparison(tuple(when), sum(bool(bit) << k for k, bit in enumerate(when.values()))),) if when else ()
    return when


# ---------------------------------------------------------------------------- combining


def both(*conditions: Condition) -> Condition:
    """Return the conjunction of conditions, in order and without repeated comparisons."""
    return tuple(dict.fromkeys(chain.from_iterable(conditions)))


def merge(condition: Condition) -> Condition:
    """Return a conjunction of equalities of different clbits as one equality; any other condition unchanged."""
    clbits = tuple([clbit for comparison in condition for clbit in comparison.clbits])
    if len(condition) <= 1 or len(set(clbits)) < len(clbits) or not all(part.equal for part in condition):
        return condition
    value = 0
    for comparison in reversed(condition):
        value = value << len(comparison.clbits) | comparison.value
    return (Comparison(clbits, value),)


def opposite(conditions: Sequence[Condition]) -> list[Condition] | None:
    """Return when none of the conditions holds; ``None`` if only a truth table can tell."""
    if not conditions:
        return ALWAYS
    if len(conditions) > 1:
        return None
    condition = merge(conditions[0])
    if not condition:
        return NEVER
    comparison, *others = condition
    return None if others else compare(comparison.clbits, comparison.value, equal=not comparison.equal)


# ---------------------------------------------------------------------------- evaluating


def holds(condition: Condition, bits: int) -> bool:
    """Return whether a condition holds when clbit ``k`` is bit ``k`` of ``bits``."""
    return all(comparison.holds(bits) for comparison in condition)


def clbits_of(*conditions: Condition) -> frozenset[int]:
    """Return the clbits that conditions test."""
    return frozenset(clbit for condition in conditions for comparison in condition for clbit in comparison.clbits)


def bits_of(comparison: Comparison) -> list[tuple[int, int]]:
    """Return each clbit of a comparison with the bit it is compared with, the least significant first."""
    return [(clbit, comparison.value >> place & 1) for place, clbit in enumerate(comparison.clbits)]


def assignments(condition: Condition) -> list[dict[int, int]]:
    """Return a condition as assignments, no two of which hold together; an empty list if it contradicts itself.

    This is for frameworks that can only test whether bits have given values. An operation that is written under
    each assignment in turn happens once: a gate leaves the clbits as they are, and a measurement that is repeated
    at once gives the same outcome again.
    """
    partial: list[dict[int, int]] = [{}]
    for comparison in condition:
        bits = bits_of(comparison)
        differences = [dict([*bits[:place], (clbit, 1 - bit)]) for place, (clbit, bit) in enumerate(bits)]
        options = [dict(bits)] if comparison.equal else differences
        partial = [first | second for first in partial for second in options if _agree(first, second)]
    return partial


def wide_inequalities(condition: Condition) -> Condition:
    """Return the comparisons that no single assignment can express: those of several clbits with ``!=``."""
    return tuple(comparison for comparison in condition if not comparison.equal and len(comparison.clbits) > 1)


# ---------------------------------------------------------------------------- inner workings


def _agree(first: Mapping[int, int], second: Mapping[int, int]) -> bool:
    return all(first.get(clbit, bit) == bit for clbit, bit in second.items())


def _with_bit(clbit: int, value: int, condition: Condition) -> Condition:
    """Return a condition that also requires a bit, adding the bit to the first equality if there is one."""
    for place, comparison in enumerate(condition):
        if comparison.equal:
            equality = Comparison((clbit, *comparison.clbits), comparison.value << 1 | value)
            return (*condition[:place], equality, *condition[place + 1 :])
    return (Comparison((clbit,), value), *condition)


def _halves(table: Sequence[bool], place: int) -> tuple[list[bool], list[bool]]:
    """Return the half of the table where the bit at ``place`` is 0, and the half where it is 1."""
    low = [value for index, value in enumerate(table) if not index >> place & 1]
    high = [value for index, value in enumerate(table) if index >> place & 1]
    return low, high


def _imbalance(table: Sequence[bool], place: int) -> tuple[bool, int]:
    """Return the rank of a bit to split by: a constant half is best, then halves that differ as much as possible."""
    low, high = map(sum, _halves(table, place))
    size = len(table) // 2
    return (low in {0, size} or high in {0, size}), abs(low - high)


def _without(clbits: Sequence[int], place: int) -> list[int]:
    return [*clbits[:place], *clbits[place + 1 :]]
