from __future__ import annotations

from random import Random

import numpy as np
import pytest
from support.circuits import random_condition

from gateway.circuit import Circuit, Comparison
from gateway.frameworks.shared.common import cubes, grouped, missing_phase


@pytest.mark.parametrize("seed", range(50))
def test_exactly_one_assignment_holds_when_the_condition_does(seed: int):
    condition = random_condition(Random(seed), 5)
    for bits in range(32):
        holding = [cube for cube in cubes(condition) if all(bits >> clbit & 1 == bit for clbit, bit in cube.items())]
        assert len(holding) == all(part.holds(bits) for part in condition)


def test_a_condition_that_always_holds_is_one_empty_assignment():
    assert cubes(()) == [{}]


def test_operations_in_a_row_are_grouped_until_what_they_test_changes():
    circuit = Circuit(2, 2).x(0).y(0).x(0, when={0: 1}).measure(0, 1, when={0: 1}).measure(0, 0, when={0: 1})
    circuit.z(0, when={0: 1}).z(1)
    one = (Comparison((0,), 1),)
    assert [(condition, [op.name for op in block]) for condition, block in grouped(circuit.operations)] == [
        ((), ["x", "y"]),
        (one, ["x", "measure", "measure"]),
        (one, ["z"]),
        ((), ["z"]),
    ]


def test_a_missing_phase_is_found_and_another_state_is_not_taken_for_one():
    steps = [("h", (0,), ()), ("cx", (0, 1), ())]
    bell = np.array([1, 0, 0, 1]) / np.sqrt(2)
    assert missing_phase(steps, bell * np.exp(1.25j)) == pytest.approx(1.25)
    with pytest.raises(ValueError, match="another state"):
        missing_phase(steps, np.array([1, 0, 0, 0]))
