from __future__ import annotations

from functools import partial
from random import Random

import numpy as np
import pytest
from support.circuits import random_condition, random_value

from adapters.shared.tables import RowCondition, RowValue, Table, kinds
from gateway.circuit import Comparison, Expression, bits
from gateway.circuit.conditions import holds
from gateway.circuit.expressions import value_of_clbits
from gateway.errors import CircuitInvalidError

WIDE = 150  # columns: more than two words


def table_of(numbers, width=WIDE, amounts=None):
    """Return a table with a row for each number, whose bit ``k`` is column ``k``."""
    words = np.array([[n >> 64 * k & 2**64 - 1 for k in range(-(-width // 64))] for n in numbers], dtype=np.uint64)
    amounts = np.ones(len(numbers), dtype=np.int64) if amounts is None else np.array(amounts)
    return Table(words, amounts)


def numbers_of(table):
    return [sum(word << 64 * place for place, word in enumerate(row)) for row in table.words.tolist()]


def test_a_column_is_written_and_read():
    table = table_of([0, 1 << 149, 1 << 63])
    table.write(149, np.array([1, 0, 1], dtype=np.uint8))
    table.write(64, 1)
    table.write(63, 0)
    assert table.column(149).tolist() == [1, 0, 1]
    assert numbers_of(table) == [1 << 149 | 1 << 64, 1 << 64, 1 << 149 | 1 << 64]


@pytest.mark.parametrize("width", [0, 3, 64, WIDE])
@pytest.mark.parametrize("amounts", [1, 0.25])
def test_equal_rows_are_put_together(width, amounts):
    numbers = [Random(row).getrandbits(width) & ~3 | row % 4 if width else 0 for row in range(3)]
    table = table_of(numbers * 40, width, [amounts] * 120).tidied()
    assert sorted(numbers_of(table)) == sorted(set(numbers))
    assert table.total() == 120 * amounts
    assert table.amounts.dtype == np.array([amounts]).dtype


def test_joined_tables_have_all_rows():
    joined = table_of([1, 2]).joined(table_of([2, 3]))
    assert sorted(numbers_of(joined)) == [1, 2, 2, 3]


@pytest.mark.parametrize("seed", range(30))
def test_a_condition_holds_in_the_rows_where_it_does(seed):
    random = Random(seed)
    clbits = 140
    columns = {clbit: column for column, clbit in enumerate(random.sample(range(clbits), 100))}
    condition = random_condition(random, clbits)
    rows = [random.getrandbits(100) for _ in range(200)]
    as_clbits = [sum((row >> column & 1) << clbit for clbit, column in columns.items()) for row in rows]
    found = RowCondition(condition, columns).rows(table_of(rows))
    assert found.tolist() == [holds(condition, number) for number in as_clbits]


def test_rows_are_divided_by_which_conditions_hold():
    tests = [RowCondition((Comparison((k,), 1),), {k: k for k in range(70)}) for k in range(70)]
    table = table_of([1, 1 << 69, 1, 0])
    found = kinds(tests, table)
    assert [(sum(happening), rows.tolist()) for happening, rows in found] == [
        (1, [True, False, True, False]),
        (1, [False, True, False, False]),
        (0, [False, False, False, True]),
    ]
    assert kinds(tests, table_of([5, 5])) == [(tuple(k in {0, 2} for k in range(70)), None)]


@pytest.mark.parametrize("seed", range(60))
def test_a_value_is_that_of_each_row(seed):
    random = Random(seed)
    columns = {clbit: column for column, clbit in enumerate(random.sample(range(8), 6))}
    value = random_value(random, 8, depth=3)
    width = random.randint(1, 5)
    rows = [random.getrandbits(6) for _ in range(100)]
    found = RowValue(value, width, columns).bits(table_of(rows, 6))
    for place, values in enumerate(found):
        expected = [value_of_clbits(value, partial(clbit_of, row, columns)) >> place & 1 for row in rows]
        assert np.broadcast_to(values, 100).tolist() == expected


def clbit_of(row, columns, clbit):
    return row >> columns[clbit] & 1 if clbit in columns else 0


def test_the_parity_of_many_clbits_needs_no_evaluation_row_by_row(monkeypatch):
    monkeypatch.setattr("adapters.shared.tables.value_of_clbits", None)
    value = 0
    for clbit in range(100):
        value = Expression("^", (value, bits(clbit)))
    rows = [Random(row).getrandbits(100) for row in range(50)]
    (found,) = RowValue(value, 1, {k: k for k in range(100)}).bits(table_of(rows))
    assert found.tolist() == [row.bit_count() % 2 for row in rows]


def test_a_division_by_zero_counts_only_in_rows_that_are_there():
    value = RowValue(Expression("/", (4, bits(0, 1))), 3, {0: 0, 1: 1})
    assert [values.tolist() for values in value.bits(table_of([2, 1], 2))] == [[0, 0], [1, 0], [0, 1]]
    with pytest.raises(CircuitInvalidError, match="divides by zero"):
        value.bits(table_of([2, 1, 0], 2))
