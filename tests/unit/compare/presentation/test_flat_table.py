"""The flat table."""

from __future__ import annotations

import csv
import io

import msgspec
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


@pytest.mark.parametrize("name", ["=cmd()", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
def test_a_text_is_no_formula(name: str) -> None:
    (case,) = records.all_agree().cases
    row = msgspec.structs.replace(case.rows[0], simulator=name, version=name, error=name)
    case = msgspec.structs.replace(case, name=name, rows=(row,))
    line = lines(records.record(case))[0]
    assert [line[column] for column in ("circuit", "simulator", "version", "error")] == [
        f"'{name}".replace("\r", "\n")
    ] * 4


def test_a_message_of_several_lines_is_one_field() -> None:
    (case,) = records.all_agree().cases
    row = msgspec.structs.replace(case.rows[0], error="one\rtwo\r\nthree")
    (line,) = lines(records.record(msgspec.structs.replace(case, rows=(row,))))
    assert line["error"] == "one\ntwo\nthree"
