"""Which circuits are a series, and its curves."""

from __future__ import annotations

import msgspec
from support import records

from gateway.compare.presentation.scaling import scaling
from gateway.compare.record import Record

replace = msgspec.structs.replace


def sizes(*numbers: tuple[int, int, int]) -> Record:
    """Return a record of circuits with these numbers of qubits, depths and operations."""
    record = records.series()
    cases = [
        replace(record.cases[0], num_qubits=qubits, depth=depth, operations=operations)
        for qubits, depth, operations in numbers
    ]
    return replace(record, cases=tuple(cases))


def test_circuits_of_growing_width_are_a_series() -> None:
    found = scaling(records.series())
    assert found is not None
    assert found.unit == "qubits"
    assert [curve.simulator for curve in found.curves] == ["cirq", "mqt", "qiskit", "rigetti"]
    assert found.curves[0].sizes == (2, 4, 6, 8, 10)


def test_the_order_of_the_circuits_does_not_matter() -> None:
    record = records.series()
    assert scaling(replace(record, cases=record.cases[::-1])) == scaling(record)


def test_circuits_of_one_width_and_growing_depth_are_a_series() -> None:
    found = scaling(sizes((5, 10, 50), (5, 20, 100), (5, 30, 150)))
    assert found is not None
    assert found.unit == "layers"
    assert found.curves[0].sizes == (10, 20, 30)


def test_circuits_that_have_nothing_in_common_are_no_series() -> None:
    assert scaling(sizes((5, 10, 50), (6, 20, 30), (7, 5, 90))) is None
    assert scaling(sizes((5, 10, 50), (6, 20, 60), (6, 30, 90))) is None


def test_two_circuits_are_no_series() -> None:
    assert scaling(sizes((2, 10, 50), (3, 20, 60))) is None


def test_a_simulator_with_one_time_has_no_curve() -> None:
    record = records.series()
    cases = [replace(case, rows=(case.rows[0], *case.rows[2:])) for case in record.cases[1:]]
    found = scaling(replace(record, cases=(record.cases[0], *cases)))
    assert found is not None
    assert [curve.simulator for curve in found.curves] == ["cirq", "qiskit", "rigetti"]


def test_without_times_there_are_no_curves() -> None:
    record = records.series()
    cases = [replace(case, rows=tuple(replace(row, timings={}) for row in case.rows)) for case in record.cases]
    assert scaling(replace(record, cases=tuple(cases))) is None
