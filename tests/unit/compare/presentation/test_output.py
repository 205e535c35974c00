"""What a notebook shows of a comparison."""

from __future__ import annotations

import msgspec
import pytest
from support import records
from support.notebook import Output

from gateway.compare.presentation.output import notebook

replace = msgspec.structs.replace


@pytest.mark.parametrize("name", records.ALL)
def test_every_record_keeps_the_rules_of_a_notebook(name: str) -> None:
    assert Output(notebook(records.ALL[name]())).text


def test_the_verdict_comes_first() -> None:
    assert Output(notebook(records.one_differs())).text.startswith("≠ 5 agree; rigetti differs (p < 1e-12): its counts")
    assert Output(notebook(records.all_agree())).text.startswith("All 6 agree. A difference of 0.044")


def test_simulators_and_outcomes_are_tables() -> None:
    rows = Output(notebook(records.one_differs())).rows
    assert rows[0] == ["simulator", "version", "verdict", "distance", "p", "exact diff.", "time"]
    assert rows[5][:4] == ["rigetti", "pyquil 4.22.0", "≠ differs", "0.8431"]
    (head,) = [row for row in rows if row[0] == "outcome" and "5 agree%" in row]
    assert head == ["outcome", "referenceexact, %", "5 agree%", "\N{NO-BREAK SPACE}0 to 65\N{NO-BREAK SPACE}%",
                    "rigetti%", "\N{NO-BREAK SPACE}0 to 65\N{NO-BREAK SPACE}%"]  # fmt: skip
    assert ["110", "1.4", "1.4", "", "≠ 56.5", ""] in rows


def test_clbits_are_deviations_without_bars() -> None:
    rows = Output(notebook(records.flat())).rows
    (row,) = [row for row in rows if row[0] == "clbit 13"]
    assert row[-1].startswith("≠ \N{MINUS SIGN}16.")
    assert len(row) == 4
    assert next(row for row in rows if row[0] == "8 more")[:2] == ["8 more", "at most"]


def test_a_reproducer_is_folded() -> None:
    output = notebook(records.one_differs())
    assert output.count("<details") == 1
    text = Output(output).text
    assert "Reproducer for rigetti, 3 operations" in text
    assert "rz(pi/2) q;" in text
    assert "<img alt=" in output


def test_a_reproducer_that_cannot_be_read_has_no_picture() -> None:
    record = records.one_differs()
    broken = replace(record.cases[0].reproducers[0], openqasm="no circuit")
    output = notebook(replace(record, cases=(replace(record.cases[0], reproducers=(broken,)),)))
    assert "<img" not in output
    assert "no circuit" in Output(output).text


def test_failures_say_why() -> None:
    text = Output(notebook(records.failures())).text
    assert "stim, qiskit_stabilizer: rz(0.6π) is no Clifford gate, as are 5 more" in text
    assert "Whole message of my_lab_backend_v2_eu: the simulator raised an error" in text


def test_several_circuits_are_listed_those_with_news_first() -> None:
    output = Output(notebook(records.series()))
    assert output.rows[0] == ["circuit", "qubits", "cirq", "mqt", "qiskit", "rigetti"]
    assert output.rows[3][-1].startswith("≠ 0.2")
    many = replace(records.series(), cases=records.series().cases * 40)
    output = Output(notebook(many))
    assert len(output.rows) == 1 + 40
    assert "160 more circuits without news." in output.text


def test_what_comes_from_outside_is_escaped() -> None:
    output = notebook(records.hostile())
    assert "<script" not in output
    assert "<script>alert('x')</script>" in Output(output).text
    assert "\x1b" not in output
