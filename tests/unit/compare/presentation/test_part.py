"""What the page of the gateway shows of a comparison: while it runs, and when it has ended."""

from __future__ import annotations

import re

import msgspec
import pytest
from support import records
from support.page import Part

from gateway.compare.presentation.part import GOES_ON, result_part
from gateway.compare.presentation.report import html_report
from gateway.compare.record import Record, Row, Verdict
from gateway.look.sheet import DEFINITIONS
from gateway.protocol.door import ComparisonProgress, SimulatorProgress

replace = msgspec.structs.replace
LINKS = ("./outcomes.csv", "v1/comparisons/1/outcomes.csv")


def part(record: Record | None, progress: ComparisonProgress | None = None, **options: str) -> Part:
    return Part(result_part(record, progress, **options), links=LINKS)


def values(found: Part, name: str) -> list[str]:
    return [value for _, key, value in found.attributes if key == name]


def running(finished: int, *, error: str = "") -> tuple[Record, ComparisonProgress]:
    """Return a comparison of six of which the first have finished, and how far it is."""
    record = records.all_agree()
    (case,) = record.cases
    done = [replace(row, verdict=Verdict.FINISHED, tests=(), p_value=None) for row in case.rows[:finished]]
    if error:
        done[-1] = Row(simulator=done[-1].simulator, verdict=Verdict.FAILED, error=error)
    rows = (*done, *[Row(simulator=row.simulator) for row in case.rows[finished:]])
    stages = ["finished"] * finished + ["running"] + ["queued"] * len(rows)
    lines = [SimulatorProgress(simulator=row.simulator, stage=stage) for row, stage in zip(rows, stages, strict=False)]
    partial = replace(record, cases=(replace(case, rows=rows, detectable=None),))
    return partial, ComparisonProgress(lines=tuple(lines), finished=finished)


@pytest.mark.parametrize("name", records.ALL)
def test_every_record_makes_a_part_without_styles_and_scripts_whose_names_are_unique(name: str) -> None:
    found = part(records.ALL[name](), base="v1/comparisons/1")
    ids = values(found, "id")
    assert len(ids) == len(set(ids))
    defined = set(re.findall(r'id="([\w-]+)"', DEFINITIONS)) | set(ids)
    assert {value[1:] for value in values(found, "href") if value.startswith("#")} <= defined
    switches = [tuple(re.findall(r'name="([^"]+)"', html)) for html in html_of_switches(records.ALL[name]())]
    assert len(switches) == len(set(switches)), "switches with one name would be one switch"


def html_of_switches(record: Record) -> list[str]:
    return re.findall(r'<div class="choice.*?</div>', result_part(record))


@pytest.mark.parametrize("name", records.ALL)
def test_a_part_has_the_numbers_of_the_report(name: str) -> None:
    """They are made by the same sections: each table of outcomes of the report is one of the part, too."""
    record = records.ALL[name]()
    tables = re.findall(r'<table class="matrix.*?</table>', html_report(record))
    assert set(tables) == set(re.findall(r'<table class="matrix.*?</table>', result_part(record)))


def test_the_verdict_comes_first_and_names_the_gates_in_question() -> None:
    found = part(records.one_differs(), since="Since yesterday, when all agreed: pyquil 4.21.0.")
    assert found.headings[0][1].startswith("5 agree; rigetti differs (p < 1e-12)")
    assert values(found, "data-suspects") == ["rz"]
    assert "Since yesterday, when all agreed" in found.text
    assert "every <code>rz</code> turned the other way" in result_part(records.one_differs())


def test_what_is_beside_the_part_on_the_page_is_not_in_it() -> None:
    text = part(records.one_differs()).text
    assert "Text of the circuit" not in text
    assert [title for _, title in part(records.all_agree()).headings][1:] == [
        "What could not have been seen",
        "Simulators",
        "Outcomes",
    ]


def test_details_are_folded_to_a_line_that_says_the_most() -> None:
    text = part(records.one_differs()).text
    assert "Timings4.2 ms (cirq) to 21.0 ms (rigetti)".replace(" ms", "\N{NO-BREAK SPACE}ms") in text
    assert "in all; one false alarm in 1,000,000 comparisons, Holm-corrected" in text
    assert "Reference and provenanceexact, five independent witnesses" in text
    assert "Other explanations5 tried, none fits" in text


def test_a_row_for_each_simulator_can_be_found_by_its_name() -> None:
    found = part(records.failures())
    names = [row.simulator for row in records.failures().rows]
    assert list(dict.fromkeys(values(found, "data-simulator"))) == names
    rows = found.table("simulator")
    assert rows[0] == ["simulator", "verdict", "distance", "p", "exact diff.", "time", "memory"]
    assert rows[1][-1].startswith("distance 0.00"), "the numbers in one line, for a phone"


def test_a_reproducer_has_buttons_and_the_bug_report() -> None:
    markup = result_part(records.one_differs())
    found = Part(markup, links=LINKS)
    assert values(found, "data-does")[:3] == ["program", "open", "bug-report"]
    (report,) = re.findall(r"<template>(.*?)</template>", markup, re.DOTALL)
    assert report.startswith("# rigetti pyquil 4.22.0: wrong results for a circuit of 3 operations")


def test_a_smaller_difference_can_be_asked_for() -> None:
    found = part(records.all_agree())
    assert "Run with resolution 0.03" in found.text
    assert ("button", "value", "0.03") in found.attributes


def test_all_outcomes_are_a_link_where_not_all_are_shown() -> None:
    assert "v1/comparisons/7/outcomes.csv" not in result_part(records.one_differs(), base="v1/comparisons/7")
    assert 'href="v1/comparisons/7/outcomes.csv"' in result_part(records.many_simulators(), base="v1/comparisons/7")


def test_where_clbits_are_shown_a_switch_leads_to_single_outcomes() -> None:
    found = part(records.flat())
    assert found.table("clbit")
    assert found.table("outcome")
    assert ("input", "value", "outcomes") in found.attributes
    assert ("input", "value", "outcomes") not in part(records.all_agree()).attributes


def test_of_many_simulators_a_switch_leads_to_a_column_for_each() -> None:
    heads = part(records.many_simulators()).table("outcome")[0]
    assert heads[2].startswith("10 agree")
    assert heads[3:] == [*[f"simulator_{place}" for place in range(10)], "reverseddiffers", "uniformdiffers"]


def test_several_circuits_are_summed_up_for_each_simulator_and_folded() -> None:
    found = part(records.series())
    rows = {row[0].removesuffix(" 4.22.0"): row for row in found.table("simulator")}
    assert rows["rigettipyquil"][1] == "differs on 3 of 5"
    assert rows["mqtmqt.ddsim 2.7.0"][1] == "agrees on 5 of 5"
    assert found.table("circuit")[1][0] == "cat-2.qasm"
    assert {"circuit-0", "circuit-4"} <= set(values(found, "id"))


# ---------------------------------------------------------------- while it runs


def test_while_simulators_run_the_part_shows_who_has_finished_and_judges_nobody() -> None:
    found = part(*running(3))
    assert found.headings[0][1] == "3 of 6 have finished; nobody is judged before all have."
    assert GOES_ON in found.text
    rows = found.table("simulator")
    assert [row[1] for row in rows[1:]] == ["finished"] * 3
    assert "agree" not in found.text


def test_the_columns_of_those_that_have_not_run_are_there_already() -> None:
    found = part(*running(3))
    heads = found.table("outcome")[0]
    assert heads[2:] == [
        "3 have finishedcirq, mqt and qiskit",
        "cirqfinished",
        "mqtfinished",
        "qiskitfinished",
        "pytketrunning",
        "rigettiqueued",
        "qulacsqueued",
    ]
    assert found.table("outcome")[1][-3:] == ["", "", ""]


def test_one_that_failed_is_a_row_while_others_run() -> None:
    partial, progress = running(2, error="SimulatorCrashed: it ran out of memory")
    rows = part(partial, progress).table("simulator")
    assert [row[1] for row in rows[1:3]] == ["finished", "failed"]
    assert rows[3] == ["it ran out of memory"]


def test_what_is_said_so_far_stands_in_the_sentence() -> None:
    partial, progress = running(1)
    told = msgspec.structs.replace(progress, sentence="none differs so far")
    assert part(partial, told).headings[0][1] == "1 of 6 has finished; none differs so far."


@pytest.mark.parametrize(
    ("stage", "words"),
    [
        ("", "All 6 have finished; what they gave is compared."),
        ("diagnosing", "All 6 have finished; the likely cause is looked for."),
        ("reducing", "All 6 have finished; the circuit is reduced to the smallest that shows a difference."),
    ],
)
def test_when_all_have_finished_the_part_says_what_is_done_with_the_results(stage: str, words: str) -> None:
    partial, progress = running(6)
    done = msgspec.structs.replace(progress, stage=stage)
    assert part(partial, done).headings[0][1] == words


def test_before_anything_has_finished_there_are_the_sentence_and_the_heads() -> None:
    _, progress = running(0)
    found = part(None, progress)
    assert found.headings[0][1] == "0 of 6 have finished; nobody is judged before all have."
    assert len(found.table("simulator")) == 1


def test_several_circuits_are_summed_up_while_they_run() -> None:
    record = records.series()
    cases = [
        replace(case, rows=tuple(replace(row, verdict=Verdict.FINISHED) for row in case.rows))
        for case in record.cases[:2]
    ]
    names = dict.fromkeys(row.simulator for row in record.rows)
    progress = ComparisonProgress(lines=tuple(SimulatorProgress(simulator=name) for name in names))
    rows = part(replace(record, cases=tuple(cases)), progress).table("simulator")
    assert [row[1] for row in rows[1:]] == ["finished on 2 of 2"] * 4


def test_without_anything_to_show_the_part_is_empty() -> None:
    assert result_part(None) == ""
