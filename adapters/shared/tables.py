"""Tables of clbits: what the histories that share a state differ in.

A row is one assignment of the clbits that a program writes, with the shots that have it, or its exact weight. Column
``k`` is bit ``k % 64`` of word ``k // 64``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, cast

import numpy as np
from numpy.typing import NDArray

from gateway.circuit import Comparison, Condition, Expression
from gateway.circuit.conditions import bits_of
from gateway.circuit.expressions import clbits_read, value_of_clbits

Words = NDArray[np.uint64]
Rows = NDArray[np.bool_]
Bits = NDArray[np.uint8]
Amounts = NDArray[Any]

_WORD = 64
_ONE = np.uint64(1)
_FEW_ROWS = 8
"""So few rows may be equal without costing anything."""


def _place(column: int) -> tuple[int, np.uint64]:
    """Return the word of a column, and the number in which its bit alone is 1."""
    return column // _WORD, np.uint64(1 << column % _WORD)


@dataclass(slots=True)
class Table:
    """Rows of clbits with their amounts; equal rows may be there several times.

    Args:
        words: uint64 ``[rows, words]``.
        amounts: int64 ``[rows]``, the shots of each row, or float64, its weight; all above 0.
        distinct: how many rows were left when equal ones were last put together.
    """

    words: Words
    amounts: Amounts
    distinct: int = 1

    @classmethod
    def first(cls, num_columns: int, amount: float) -> Self:
        """Return the table of one row in which all clbits are 0; a whole amount is a number of shots."""
        return cls(np.zeros((1, -(-num_columns // _WORD)), dtype=np.uint64), np.array([amount]))

    def __len__(self) -> int:
        return len(self.amounts)

    def total(self) -> Any:
        """Return the sum of the amounts."""
        return self.amounts.sum()

    def rows(self, chosen: Rows) -> Table:
        """Return some of the rows, as a new table."""
        return Table(self.words[chosen], self.amounts[chosen], self.distinct)

    def with_amounts(self, amounts: Amounts) -> Table:
        """Return the rows whose new amounts are above 0, as a new table."""
        chosen = amounts > 0
        return Table(self.words[chosen], amounts[chosen], self.distinct)

    def joined(self, other: Table) -> Table:
        """Return the rows of both tables."""
        words = np.concatenate((self.words, other.words))
        amounts = np.concatenate((self.amounts, other.amounts))
        return Table(words, amounts, max(self.distinct, other.distinct)).tidied()

    def tidied(self) -> Table:
        """Return the table with equal rows put together, if there may be many of them."""
        if len(self) <= 2 * self.distinct + _FEW_ROWS:
            return self
        first, groups = _groups(self.words)
        sums = np.bincount(groups, weights=self.amounts).astype(self.amounts.dtype)
        return Table(self.words[first], sums, len(first))

    def column(self, column: int) -> Bits:
        """Return a column, uint8 ``[rows]``."""
        word, bit = _place(column)
        bits: Bits = (self.words[:, word] & bit != 0).view(np.uint8)
        return bits

    def write(self, column: int, values: Bits | int) -> None:
        """Write a column: 0 or 1 for all rows, or uint8 ``[rows]``."""
        word, bit = _place(column)
        self.words[:, word] &= ~bit
        if isinstance(values, np.ndarray):
            self.words[:, word] |= values.astype(np.uint64) * bit
        elif values:
            self.words[:, word] |= bit

    def forget(self, columns: Iterable[int]) -> None:
        """Write 0 to columns that nothing reads any more."""
        for column in columns:
            self.write(column, 0)


def _groups(words: Words) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the first of each kind of rows, and for each row the number of its kind."""
    if words.shape[1] == 0:
        return np.zeros(1, dtype=np.intp), np.zeros(len(words), dtype=np.intp)
    numbers = words[:, 0] if words.shape[1] == 1 else _hashes(words)
    _, first, groups = np.unique(numbers, return_index=True, return_inverse=True)
    if words.shape[1] > 1 and (words[first[groups]] != words).any():  # two rows have the same hash
        _, first, groups = np.unique(words, axis=0, return_index=True, return_inverse=True)
    return first, groups.reshape(-1)


def _hashes(words: Words) -> Words:
    """Return a number for each row: numbers of 64 bits are sorted much faster than rows (SplitMix64's mixing)."""
    result = np.zeros(len(words), dtype=np.uint64)
    for place in range(words.shape[1]):
        result += words[:, place] + np.uint64(0x9E3779B97F4A7C15)
        result ^= result >> np.uint64(30)
        result *= np.uint64(0xBF58476D1CE4E5B9)
        result ^= result >> np.uint64(27)
        result *= np.uint64(0x94D049BB133111EB)
        result ^= result >> np.uint64(31)
    return result


# ---------------------------------------------------------------------------- conditions


@dataclass(frozen=True, slots=True)
class _Part:
    """A comparison: the bits of ``mask`` in each of some words equal ``value``, or not all of them do."""

    words: tuple[tuple[int, np.uint64, np.uint64], ...]
    equal: bool

    def rows(self, words: Words) -> Rows:
        """Return in which rows it holds."""
        equal: Rows = words[:, self.words[0][0]] & self.words[0][1] == self.words[0][2]
        for word, mask, value in self.words[1:]:
            equal &= words[:, word] & mask == value
        return equal if self.equal else ~equal


class RowCondition:
    """A condition, as it is tested in tables.

    Args:
        condition: on clbits.
        columns: clbit -> column; the other clbits are 0.
    """

    __slots__ = ("_never", "_parts")

    def __init__(self, condition: Condition, columns: Mapping[int, int]) -> None:
        self._parts: list[_Part] = []
        self._never = False
        for comparison in condition:
            part = _part(comparison, columns)
            if isinstance(part, _Part):
                self._parts.append(part)
            elif not part:
                self._never = True

    def rows(self, table: Table) -> Rows:
        """Return in which rows of a table the condition holds."""
        if self._never:
            return np.zeros(len(table), dtype=bool)
        if not self._parts:
            return np.ones(len(table), dtype=bool)
        rows = self._parts[0].rows(table.words)
        for part in self._parts[1:]:
            rows &= part.rows(table.words)
        return rows


def _part(comparison: Comparison, columns: Mapping[int, int]) -> _Part | bool:
    """Return a comparison for tables; or whether it holds, where that is always the same."""
    masks: dict[int, int] = {}
    values: dict[int, int] = {}
    for clbit, bit in bits_of(comparison):
        if clbit in columns:
            word, place = divmod(columns[clbit], _WORD)
            masks[word] = masks.get(word, 0) | 1 << place
            values[word] = values.get(word, 0) | bit << place
        elif bit:
            return not comparison.equal
    if not masks:
        return comparison.equal
    return _Part(
        tuple([(word, np.uint64(mask), np.uint64(values[word])) for word, mask in masks.items()]), comparison.equal
    )


def kinds(tests: Sequence[RowCondition], table: Table) -> list[tuple[tuple[bool, ...], Rows | None]]:
    """Return the rows of a table by which of some tests hold; ``None`` stands for all rows."""
    if len(table) == 1:
        return [(tuple([bool(test.rows(table)[0]) for test in tests]), None)]
    held = np.array([test.rows(table) for test in tests])  # [tests, rows]
    if (held == held[:, :1]).all():
        return [(tuple(held[:, 0].tolist()), None)]
    packed = np.packbits(held, axis=0, bitorder="little")
    padded = np.zeros((held.shape[1], -(-len(packed) // 8) * 8), dtype=np.uint8)
    padded[:, : len(packed)] = packed.T
    first, groups = _groups(padded.view(np.uint64))
    order = np.argsort(first, kind="stable")
    return [(tuple(held[:, first[kind]].tolist()), groups == kind) for kind in order]


# ---------------------------------------------------------------------------- assignments


class RowValue:
    """A classical value, as it is computed in tables.

    Args:
        value: a whole number, or an expression of clbits.
        width: the number of clbits that it is written to.
        columns: clbit -> column; the other clbits are 0.
    """

    __slots__ = ("_columns", "_compute", "_value", "_width")

    def __init__(self, value: float | Expression, width: int, columns: Mapping[int, int]) -> None:
        self._value = value
        self._width = width
        self._columns = columns
        self._compute: Callable[[Table], list[Bits | int]] = self._of_each_kind
        if not isinstance(value, Expression):
            self._compute = self._constant
        elif width == 1 and _is_of_single_bits(value):
            self._compute = self._of_single_bits

    def bits(self, table: Table) -> list[Bits | int]:
        """Return for each clbit what is written to it: 0 or 1 for all rows, or uint8 ``[rows]``.

        Raises:
            CircuitInvalidError: a division by zero, or a shift by too many places, in a row that is there.
        """
        return self._compute(table)

    def _constant(self, _: Table) -> list[Bits | int]:
        return [int(self._value) >> place & 1 for place in range(self._width)]  # type: ignore[arg-type]  # a number

    def _of_single_bits(self, table: Table) -> list[Bits | int]:
        """Return the value of an expression that computes with single bits only."""
        return [_single_bit(self._value, table, self._columns)]

    def _of_each_kind(self, table: Table) -> list[Bits | int]:
        """Evaluate the expression once for each kind of rows that the clbits it reads tell apart."""
        read = [clbit for clbit in dict.fromkeys(clbits_read(self._value)) if clbit in self._columns]
        places = {clbit: place for place, clbit in enumerate(read)}
        seen = Table.first(max(len(read), 1), 1)
        seen = Table(np.zeros((len(table), seen.words.shape[1]), dtype=np.uint64), table.amounts)
        for clbit, place in places.items():
            seen.write(place, table.column(self._columns[clbit]))
        first, groups = _groups(seen.words)
        values = [self._value_of(seen.words[row].tolist(), places) for row in first]
        bits: list[Bits | int] = []
        for place in range(self._width):
            of_kinds = np.array([value >> place & 1 for value in values], dtype=np.uint8)
            bits.append(of_kinds[groups])
        return bits

    def _value_of(self, words: list[int], places: Mapping[int, int]) -> int:
        bits = sum([word << _WORD * place for place, word in enumerate(words)])
        return value_of_clbits(self._value, lambda clbit: bits >> places[clbit] & 1 if clbit in places else 0)


_OF_SINGLE_BITS: Mapping[str, Callable[..., Any]] = {
    "^": np.bitwise_xor,
    "!=": np.bitwise_xor,
    "&": np.bitwise_and,
    "and": np.bitwise_and,
    "|": np.bitwise_or,
    "or": np.bitwise_or,
    "==": lambda first, second: first ^ second ^ 1,
    "not": lambda value: value ^ 1,
}
"""The operators whose value is 0 or 1 where those of their arguments are, and how numpy computes it."""


def _is_of_single_bits(value: float | str | Expression) -> bool:
    """Return whether all values in an expression are 0 or 1."""
    if not isinstance(value, Expression):
        return value in {0, 1}
    if value.op == "bits":
        return len(value.args) == 1
    return value.op in _OF_SINGLE_BITS and all(map(_is_of_single_bits, value.args))


def _single_bit(value: Any, table: Table, columns: Mapping[int, int]) -> Bits | int:
    if not isinstance(value, Expression):
        return int(value)
    if value.op == "bits":
        column = columns.get(cast("int", value.args[0]))
        return 0 if column is None else table.column(column)
    args = [_single_bit(arg, table, columns) for arg in value.args]
    result: Bits | int = _OF_SINGLE_BITS[value.op](*args)
    return result if isinstance(result, np.ndarray) else int(result)
