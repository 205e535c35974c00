from __future__ import annotations

import pickle

import numpy as np
import pytest

from gateway.circuit import Circuit, Comparison
from gateway.counts import Counts
from gateway.errors import JobTimeout, UnsupportedError
from gateway.frameworks.shared.errors import also
from gateway.frameworks.shared.operations import grouped
from gateway.frameworks.shared.phases import missing_phase
from gateway.frameworks.shared.shots import shot_table, shots_of
from gateway.provenance import Provenance


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


# ---------------------------------------------------------------------------- errors of a framework


class TheirError(Exception):
    """A framework's error that shows its message in a way of its own."""

    def __init__(self, *message: str) -> None:
        super().__init__("theirs")
        self.message = " ".join(message)

    def __str__(self) -> str:
        return repr(self.message)


def test_an_error_that_is_also_a_frameworks_keeps_its_text_and_its_fields():
    error = also(UnsupportedError("no such gate", circuit=3, feature="gate", operation=7), TheirError)
    assert isinstance(error, UnsupportedError)
    assert isinstance(error, TheirError)
    assert (str(error), error.message, error.circuit) == ("no such gate", "no such gate", 3)
    assert (error.code, error.feature, error.operation, error.simulator) == ("unsupported", "gate", 7, None)
    assert type(error).__name__ == "UnsupportedError"
    assert also(error, TheirError) is error
    assert type(also(UnsupportedError("another"), TheirError)) is type(error)


def test_such_an_error_travels_between_processes():
    error = pickle.loads(pickle.dumps(also(JobTimeout("too late", timeout_s=2), TheirError)))  # noqa: S301 - our own
    assert isinstance(error, JobTimeout)
    assert isinstance(error, TheirError)
    assert isinstance(error, TimeoutError)
    assert (str(error), error.timeout_s) == ("too late", 2)


# ---------------------------------------------------------------------------- shots


def test_a_table_of_shots_has_clbit_0_first_and_these_counts():
    counts = Counts({"011": 300, "100": 100}, provenance=Provenance(simulator="one", version="1", seed=4))
    table = shot_table(counts)
    assert table.dtype == np.uint8
    rows, times = np.unique(table, axis=0, return_counts=True)
    assert dict(zip(map(tuple, rows.tolist()), times.tolist(), strict=True)) == {(1, 1, 0): 300, (0, 0, 1): 100}
    assert np.array_equal(table, shot_table(counts))
    changes = np.count_nonzero(np.diff(table[:, 2].astype(int)))
    assert 100 < changes < 200  # 150 expected; sorted it would be 1


def test_shots_without_clbits_are_counted_too():
    assert shot_table(Counts({"": 5}, width=0)).shape == (5, 0)
    assert shots_of(Counts({"": 5}, width=0)) == [""] * 5
