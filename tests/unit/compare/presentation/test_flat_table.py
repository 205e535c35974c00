"""The flat table."""

from __future__ import annotations

import csv
import io

import pytest
from support import records

from gateway.compare.presentation.flat_table import COLUMNS, csv_table
from gateway.compare.record import Record


def lines(record: Record) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(csv_table(record))))


@pytest.mark.parametrize("name", records.ALL)
def test_each_circuit_and_simulator_is_one_line(name: str) -> None:
    record = records.ALL[name]()
    assert csv_table(record).splitlines()[0] == ",".join(COLUMNS)
    found = [(line["circuit"], line["simulator"]) for line in lines(record)]
    assert found == [(case.name, row.simulator) for case in record.cases for row in case.rows]


def test_a_line_has_what_is_known_with_all_digits() -> None:
    record = records.one_differs()
    line, row = lines(record)[4], record.rows[4]
    assert (line["simulator"], line["verdict"], line["cause"]) == ("rigetti", "differs", "angle-negated:rz")
    assert float(line["distance"]) == row.distance
    assert float(line["total_lowest_s"]) == row.timings["total"].lowest
    assert int(line["peak_memory_bytes"]) == row.peak_memory_bytes
    assert (line["num_qubits"], line["shots"], line["repeat"], line["reference"]) == ("4", "10000", "5", "exact")


def test_what_is_not_known_is_empty() -> None:
    line = lines(records.failures())[2]
    assert (line["p_value"], line["distance"], line["total_s"], line["outcomes"], line["seed"]) == ("",) * 5
    assert line["error"].startswith("SimulatorCrashed: ran out of memory")
    assert lines(records.interrupted())[5]["verdict"] == "has not run"
