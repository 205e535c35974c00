"""All outcomes as a table."""

from __future__ import annotations

import csv
import io

import msgspec
import pytest
from support import records

from gateway.compare.presentation.outcomes_csv import outcomes_csv
from gateway.compare.record import Record


def lines(record: Record) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(outcomes_csv(record))))


@pytest.mark.parametrize("name", records.ALL)
def test_every_shot_of_every_simulator_is_in_the_table(name: str) -> None:
    record = records.ALL[name]()
    found = lines(record)
    for case in record.cases:
        of_case = [line for line in found if line["circuit"].removeprefix("'") == case.name]
        for row in case.rows:
            column = next((key for key in of_case[0] if key.removeprefix("'") == row.simulator), "") if of_case else ""
            assert sum(int(line[column] or 0) for line in of_case) == sum(row.counts.values())


def test_outcomes_are_in_order_with_the_probability_by_the_reference() -> None:
    found = lines(records.one_differs())
    assert [line["outcome"] for line in found] == [f"{outcome:03b}" for outcome in range(8)]
    assert sum(float(line["reference"]) for line in found) == pytest.approx(1)


def test_what_is_not_known_is_empty_and_what_never_happened_is_0() -> None:
    assert {line["reference"] for line in lines(records.two_groups())} == {""}
    failed = lines(records.failures())
    assert {line["qibo"] for line in failed} == {""}
    assert "0" in {line["reversed"] for line in lines(records.many_simulators())}


def test_a_name_that_a_spreadsheet_would_compute_is_inert() -> None:
    record = records.one_differs()
    named = msgspec.structs.replace(record, cases=(msgspec.structs.replace(record.cases[0], name="=1+2"),))
    assert {line["circuit"] for line in lines(named)} == {"'=1+2"}


def test_a_circuit_without_clbits_has_an_empty_outcome() -> None:
    assert [line["outcome"] for line in lines(records.no_clbits())] == [""]
