"""The report: what it shows, and that nothing from outside gets a meaning in it."""

from __future__ import annotations

import re

import msgspec
import numpy as np
import pytest
from support import records
from support.page import Page

from gateway.compare.presentation.report import html_report
from gateway.compare.record import Case, Cause, Record, Reference, Row, Verdict
from gateway.look.theme import DARK, LIGHT

replace = msgspec.structs.replace
OF_PAGE = {"optional"}
"""Classes that only the page has rules for."""


def page(record: Record, **changes: str) -> Page:
    return Page(html_report(record, **changes))


def sections(found: Page) -> list[str]:
    return [text for level, text in found.headings if level == 2][1:]


@pytest.mark.parametrize("name", records.ALL)
def test_every_record_makes_a_document_that_loads_and_runs_nothing(name: str) -> None:
    markup = html_report(records.ALL[name]())
    found = Page(markup)
    assert markup.startswith('<!doctype html>\n<html lang="en">')
    policy = [value for tag, key, value in found.attributes if (tag, key) == ("meta", "content")]
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in policy
    assert set(re.findall(r"https?://[^\"<> ]+", markup)) <= {"http://www.w3.org/2000/svg"}, "a name, not an address"


@pytest.mark.parametrize("name", records.ALL)
def test_every_class_in_use_has_a_rule_or_is_for_tests(name: str) -> None:
    found = page(records.ALL[name]())
    unstyled = {word for word in found.classes if f".{word}" not in found.style}
    assert unstyled <= {
        "one",
        "drawing",
        "section-part",
        "tests",
        "strong",
        "mark-agrees",
        "curve-0",
        "text",
        "optional",
    }


def test_the_verdict_comes_first_and_then_what_explains_it() -> None:
    found = page(records.one_differs())
    assert found.headings[1][1].startswith("5 agree; rigetti differs (p < 1e-12): its counts fit the circuit with")
    assert sections(found) == [
        "Circuit", "Simulators", "Outcomes", "Likely cause", "Reproducer", "What could not have been seen", "Pairs",
        "Timings", "Tests", "Reference and provenance", "Text of the circuit",
    ]  # fmt: skip
    assert found.title == "5 agree; rigetti differs - phase-estimation.qasm"


def test_where_all_agree_what_could_not_have_been_seen_comes_straight_after_the_verdict() -> None:
    assert sections(page(records.all_agree()))[0] == "What could not have been seen"


def test_what_has_changed_since_an_earlier_record_stands_under_the_verdict() -> None:
    assert (
        "Since yesterday: pyquil <4.22>." in page(records.one_differs(), since="Since yesterday: pyquil <4.22>.").text
    )


def test_a_report_is_light_or_dark_as_its_readers_system_is() -> None:
    style = page(records.one_differs()).style
    light, dark = style.split("@media (prefers-color-scheme: dark)")
    assert LIGHT.paper in light
    assert DARK.paper in dark
    assert "@media print" in style


def test_the_table_of_simulators_says_who_differs_in_words() -> None:
    rows = page(records.one_differs()).table("simulator")
    assert rows[0] == ["simulator", "verdict", "distance", "p", "exact diff.", "time", "memory"]
    assert rows[5][:5] == ["rigettipyquil 4.22.0", "differs", "0.8431", "< 1e-12", "0.56"]


def test_a_failed_simulator_is_a_row_with_its_error() -> None:
    found = page(records.failures())
    rows = found.table("simulator")
    assert rows[3][:2] == ["qibo", "failed"]
    assert rows[4] == ["ran out of memory at operation 44 of 121 and was ended; the other runs went on"]
    assert rows[5][:2] == ["stim, qiskit_stabilizer", "cannot run it"]
    assert "whole message" in found.text


def test_outcomes_that_differ_say_so_in_words_too() -> None:
    rows = page(records.one_differs()).table("outcome")
    assert rows[0][:3] == ["outcome", "referenceexact, %", "5 agreecirq, mqt, qiskit, pytket and qulacs"]
    assert rows[0][-2:] == ["rigettidiffers", "qulacs"]
    (row,) = [row for row in rows if row[0] == "110"]
    assert row[1] == "1.4"
    assert row[-2] == "56.5 differs"


def test_in_a_narrow_place_one_column_stands_for_all_that_agree() -> None:
    found = page(records.one_differs())
    kinds = [value for tag, key, value in found.attributes if tag == "th" and key == "class"]
    assert kinds.count("narrow-only") == 1
    assert kinds.count("wide-only") == 5


def test_what_is_left_out_is_summed_up() -> None:
    rows = page(records.many_simulators()).table("outcome")
    assert rows[-1][0] == "761 more"
    assert len(rows) == 1 + 14 + 1 + 2


def test_rows_that_are_shown_because_somebody_differs_say_so() -> None:
    rows = page(records.many_simulators()).table("outcome")
    heads = [(place, row[0]) for place, row in enumerate(rows) if len(row) == 1]
    assert heads == [(1, "8 that differ, the largest difference first"), (10, "then the most likely")]


def test_clbits_are_shown_as_deviations() -> None:
    rows = page(records.flat()).table("clbit")
    assert rows[1][0] == "clbit\N{NO-BREAK SPACE}13"
    assert rows[1][-1].startswith("\N{MINUS SIGN}16.")
    assert rows[-1][:2] == ["8 more", "at most"]


def test_the_likely_cause_is_drawn_against_the_circuit_and_against_the_hypothesis() -> None:
    text = page(records.one_differs()).text
    assert "rigetti and the circuit as written6 of 8 bars miss their ticks" in text
    assert "rigetti and the likely causeevery bar meets its tick" in text
    assert "5 tried, none fits" in text


def test_explanations_that_fit_as_well_are_listed() -> None:
    record = records.one_differs()
    second = Cause(name="bits-reversed", detail="the bits reversed", p_value=0.3)
    rows = tuple(replace(row, causes=(*row.causes, second) if row.causes else ()) for row in record.rows)
    found = page(replace(record, cases=(replace(record.cases[0], rows=rows),)))
    tables = [table for table in found.tables if table[0][0] == "explanation"]
    assert tables[0][1] == ["the bits reversed", "0.30"]


def test_without_a_cause_the_section_says_so() -> None:
    assert "No cause found" in sections(page(records.unexplained()))


def test_the_gates_that_the_diagnosis_names_are_filled() -> None:
    markup = html_report(records.one_differs())
    assert markup.count('class="g hot"') == 6 + 1
    assert "in question are filled" in markup
    assert 'class="g hot"' not in html_report(records.all_agree())


def test_the_reproducer_has_its_text_and_who_says_what() -> None:
    found = page(records.one_differs())
    rows = found.table("10,000 shots, seed 7")
    assert rows[1] == ["reference", "10,000", "0"]
    assert rows[3] == ["rigetti", "0", "10,000"]
    assert "rz(pi/2) q;" in found.text


def test_a_reproducer_that_cannot_be_read_has_no_drawing() -> None:
    record = records.one_differs()
    broken = replace(record.cases[0].reproducers[0], openqasm="this is no OpenQASM")
    found = page(replace(record, cases=(replace(record.cases[0], reproducers=(broken,)),)))
    assert "this is no OpenQASM" in found.text


def test_several_circuits_have_an_overview_curves_and_a_section_each() -> None:
    found = page(records.series())
    rows = found.table("circuit")
    assert rows[0] == ["circuit", "size", "cirq", "mqt", "qiskit", "rigetti"]
    assert rows[3][0] == "cat-6.qasm"
    assert rows[3][-1].endswith(" differs")
    assert sections(found) == ["Circuits", "Times", *[f"cat-{size}.qasm" for size in (2, 4, 6, 8, 10)]]
    assert sum(key == "class" and value == "curves" for _, key, value in found.attributes) == 1
    targets = {value for _, key, value in found.attributes if key == "id"}
    links = {value.removeprefix("#") for tag, key, value in found.attributes if (tag, key) == ("a", "href")}
    assert links <= targets


def test_of_very_many_circuits_those_with_news_have_sections() -> None:
    record = records.series()
    many = [replace(record.cases[0], name=f"right-{place}") for place in range(300)]
    found = page(replace(record, cases=(*many, record.cases[4])))
    assert "cat-10.qasm" in sections(found)
    assert len(sections(found)) == 1 + 20
    assert len(found.table("circuit")) == 1 + 200
    assert "101 more, without news." in found.text


def test_groups_without_a_reference_have_columns_of_their_own() -> None:
    found = page(records.two_groups())
    assert found.table("outcome")[0][:3] == ["outcome", "group 1cirq, mqt and qulacs", "group 2qiskit and pytket"]
    assert "Likely cause" not in sections(found)
    assert any(value == "mark mark-differs" for _, _, value in found.attributes)


def test_an_interrupted_comparison_says_who_has_not_run() -> None:
    found = page(records.interrupted())
    assert found.headings[1][1] == "3 of 6 had finished; none of them differs."
    assert [row[1] for row in found.table("simulator")[4:]] == ["has not run"] * 3


def test_nothing_from_outside_gets_a_meaning() -> None:
    markup = html_report(records.hostile())
    found = Page(markup)
    assert "<script" not in markup
    assert "<script>alert('x')</script>" in found.text
    assert not re.search("[\x00-\x08\x1b\u202a-\u202e]", markup)


def test_very_many_outcomes_make_a_file_of_bounded_size() -> None:
    width, shots = 17, 500_000
    codes, numbers = np.unique(np.random.default_rng(2).integers(0, 2**width, shots), return_counts=True)
    counts = dict(zip([f"{code:0{width}b}" for code in codes.tolist()], numbers.tolist(), strict=True))
    uniform = {f"{code:0{width}b}": 2.0**-width for code in range(2**width)}
    rows = tuple(
        Row(simulator=name, counts=counts, verdict=verdict, distance=0.1)
        for name, verdict in (("right", Verdict.AGREES), ("wrong", Verdict.DIFFERS))
    )
    text = "OPENQASM 3;\n" + "// a long circuit\n" * 100_000
    case = Case(
        name="uniform.qasm", openqasm=text, sha256="", num_qubits=width, num_clbits=width, operations=0, depth=0,
        shots=shots, reference=Reference(kind="exact", probabilities=uniform), rows=rows,
    )  # fmt: skip
    markup = html_report(records.record(case))
    assert len(markup) < 150_000
    assert "the record has all" in Page(markup).text
