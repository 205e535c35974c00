from __future__ import annotations

import random

import pytest
from support.circuits import bell

from gateway.circuit import Circuit, Operation
from gateway.circuit.layout import layout


def names(circuit: Circuit, **limits) -> list[list[str]]:
    columns = layout(circuit, **{"most_operations": 1000, **limits}).columns
    return [[operation.name for operation in column] for column in columns]


def test_each_operation_takes_the_earliest_column_in_which_it_crosses_no_other():
    assert names(Circuit(3).h(0).cx(0, 2).x(1).y(1)) == [["h"], ["cx"], ["x"], ["y"]]
    assert names(Circuit(3).h(0).h(1).x(2)) == [["h", "h", "x"]]


def test_a_measurement_and_a_condition_take_all_rows_down_to_the_clbits():
    assert names(Circuit(2, 1).measure(0, 0).h(1)) == [["measure"], ["h"]]
    assert names(Circuit(2, 1).x(0, when={0: 1}).h(1)) == [["x"], ["h"]]


def test_global_phases_have_a_row_of_their_own():
    plan = layout(Circuit(1).gphase(1).h(0).gphase(2), most_operations=10)
    assert plan.has_phases
    assert [len(column) for column in plan.columns] == [2, 1]


def test_operations_beyond_the_last_column_have_no_place_nor_has_any_after_them():
    circuit = Circuit(2).h(0).h(0).h(0).x(1)
    assert layout(circuit, most_operations=10, most_columns=2) == layout(circuit, most_operations=2)._replace(
        left_out=2
    )
    assert names(circuit, most_columns=2) == [["h"], ["h"]]


def test_operations_that_are_left_out_are_counted():
    assert layout(bell(), most_operations=3).left_out == len(bell().operations) - 3
    assert layout(bell(), most_operations=100).left_out == 0


def test_a_barrier_on_nothing_takes_no_place():
    assert names(Circuit(0, 1).barrier()) == []


def test_a_million_operations_cost_no_more_than_those_that_have_a_place():
    class Counted(list):
        seen = 0

        def __getitem__(self, key):
            self.seen += key.stop
            return super().__getitem__(key)

        def __iter__(self):
            raise AssertionError("not all of them are looked at")

    circuit = Circuit(2)
    circuit.operations = Counted([Operation("h", (0,))] * 1_000_000)
    assert layout(circuit, most_operations=50).left_out == 999_950
    assert circuit.operations.seen == 50


@pytest.mark.parametrize("seed", range(20))
def test_no_two_operations_of_a_column_share_a_row_and_none_overtakes_another(seed):
    rng = random.Random(seed)
    circuit = Circuit(5, 2)
    for number in range(40):
        first, second = rng.sample(range(5), 2)
        circuit.rzz(number, first, second) if rng.random() < 0.5 else circuit.rz(number, first)
    last = [-1.0] * 5
    for column in layout(circuit, most_operations=1000).columns:
        spans = [range(min(operation.qubits), max(operation.qubits) + 1) for operation in column]
        rows = [row for span in spans for row in span]
        assert len(rows) == len(set(rows))
        for operation in column:
            assert all(last[qubit] < operation.params[0] for qubit in operation.qubits)
            for qubit in operation.qubits:
                last[qubit] = operation.params[0]
