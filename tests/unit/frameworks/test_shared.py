from __future__ import annotations

import numpy as np
import pytest

from gateway.circuit import Circuit, Comparison
from gateway.frameworks.shared.operations import grouped
from gateway.frameworks.shared.phases import missing_phase


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
