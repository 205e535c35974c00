"""The tables of a report as text."""

from __future__ import annotations

import math

import msgspec
import pytest
from support import records

from gateway.compare import record
from gateway.compare.presentation import tables
from gateway.compare.record import Row, Spread, Verdict
from gateway.compare.verdict import Standing

replace = msgspec.structs.replace


def test_a_simulator_is_one_line_of_text() -> None:
    line = tables.simulators(records.one_differs().cases[0])[4]
    assert (line.names, line.version, line.says) == (("rigetti",), "pyquil 4.22.0", "differs")
    assert (line.distance, line.p, line.exact) == ("0.8431", "< 1e-12", "0.56")
    assert (line.time, line.memory) == ("21.0\N{NO-BREAK SPACE}ms", "116\N{NO-BREAK SPACE}MiB")
    assert line.standing is Standing.DIFFERS
    assert not line.reasons


def test_simulators_that_failed_for_one_reason_share_a_line() -> None:
    lines = tables.simulators(records.failures().cases[0])
    assert [line.names for line in lines if line.standing is Standing.REFUSED] == [("stim", "qiskit_stabilizer")]
    assert lines[3].reasons == ("rz(0.6π) is no Clifford gate, as are 5 more",)
    assert not lines[3].message


def test_a_long_message_is_told_in_one_line_and_kept_whole() -> None:
    line = tables.simulators(records.failures().cases[0])[-1]
    assert line.reasons == ("the simulator raised an error",)
    assert line.message.startswith("SimulatorError: the simulator raised an error\n")
    endless = Row(simulator="a", verdict=Verdict.FAILED, error="x" * 5_000)
    (line,) = tables.simulators(replace(records.failures().cases[0], rows=(endless,)))
    assert len(line.reasons[0]) < 300
    assert line.message == "x" * 5_000


def test_what_else_is_known_of_a_simulator_stands_beneath_its_line() -> None:
    case = records.all_agree().cases[0]
    rows = (
        replace(case.rows[0], notes=("exact results took too long",), fidelity=1.0, global_phase=math.pi / 2),
        replace(case.rows[1], fidelity=0.9, global_phase=0.0),
        replace(case.rows[2], fidelity=1.0, global_phase=1e-9),
    )
    first, second, third = tables.simulators(replace(case, rows=rows))
    assert first.reasons == (
        "exact results took too long",
        "its state vector has a global phase of π/2, which no measurement shows",
    )
    assert "fidelity of 0.9" in second.reasons[0]
    assert not third.reasons


def test_columns_without_any_number_are_left_out() -> None:
    lines = tables.simulators(records.two_groups().cases[0])
    assert [column.head for column in tables.filled(lines)] == ["time", "memory"]
    assert not tables.filled(tables.simulators(records.everybody_failed().cases[0]))


def test_a_group_is_counted_from_one() -> None:
    assert [tables.says(row) for row in records.two_groups().rows][-1] == "group 2"
    assert tables.says(Row(simulator="a", counts={"0": 1})) == "undecided"


def test_tests_are_rows_and_simulators_columns() -> None:
    found = tables.tests(records.one_differs().cases[0], 1e-6)
    assert found.simulators == records.SIX
    assert found.number == 6 * 9
    by_name = {line.name: line.cells for line in found.lines}
    assert by_name["goodness of fit"][4] == ("< 1e-12", True)
    assert by_name["impossible outcomes"][0] == ("0", False)
    assert by_name["same seed, same counts"] == (("yes", False),) * 6


def test_a_test_of_seeds_says_yes_or_no() -> None:
    case = records.all_agree().cases[0]
    row = replace(case.rows[0], tests=(record.Test(name="same-seed", statistic=0.0, p_value=0.0),))
    (line,) = tables.tests(replace(case, rows=(row,)), 1e-6).lines
    assert line.cells == (("no", True),)


def test_of_tests_with_one_name_the_most_striking_is_shown() -> None:
    case = records.two_groups().cases[0]
    tests = (
        record.Test(name="clbit", statistic=1.0, p_value=0.3, other="cirq"),
        record.Test(name="clbit", statistic=9.0, p_value=1e-9, other="mqt", points_at="clbit 2"),
    )
    row = replace(case.rows[3], tests=tests, verdict=Verdict.DIFFERS)
    found = tables.tests(replace(case, rows=(*case.rows[:3], row)), 1e-6)
    assert found.simulators == ("qiskit",)
    assert found.lines[0].cells == (("1e-9", True),)
    assert found.points == ("qiskit and mqt: worst clbit: clbit 2",)


def test_a_test_that_nobody_knows_keeps_its_name() -> None:
    case = records.all_agree().cases[0]
    row = replace(case.rows[0], tests=(record.Test(name="new-test", statistic=0.0, p_value=0.5),))
    assert tables.tests(replace(case, rows=(row,)), 1e-6).lines[0].name == "new-test"


@pytest.mark.parametrize(
    ("seconds", "unit", "text"),
    [(4.2e-3, "ms", "4.2"), (0.31, "ms", "310.0"), (12.5, "s", "12.5"), (4e-6, "ms", "0.004")],
)
def test_times_have_the_unit_of_the_longest(seconds: float, unit: str, text: str) -> None:
    case = records.all_agree().cases[0]
    row = replace(case.rows[0], timings={"total": Spread(seconds, seconds, seconds)})
    found = tables.times(replace(case, rows=(row,)))
    assert (found.unit, found.lines[0].total, found.lines[0].spread) == (unit, text, "")


def test_stages_that_nobody_tells_have_no_column() -> None:
    found = tables.times(records.series().cases[0])
    assert found.stages == ("run",)
    assert found.lines[0].spread == "0.9 to 1.2"
    assert not tables.times(records.everybody_failed().cases[0]).lines
