"""The report as Markdown."""

from __future__ import annotations

import re

import msgspec
import pytest
from support import records

from gateway.compare.presentation.markdown import escaped, fenced, markdown_report, table

replace = msgspec.structs.replace


def tables(text: str) -> list[list[str]]:
    """Return the tables, each as its lines."""
    found: list[list[str]] = []
    fence = ""
    lines = iter(["", *text.splitlines()])
    for line in lines:
        if not fence and line.startswith("```"):
            fence = line[: len(line) - len(line.lstrip("`"))]
        elif fence:
            fence = "" if line == fence else fence
        elif line.startswith("| "):
            if not found or found[-1][-1] == "":
                found.append([])
            found[-1].append(line)
        elif found and found[-1]:
            found[-1].append("") if found[-1][-1] else None
    return [[line for line in lines if line] for lines in found]


def cells(line: str) -> int:
    return len(re.findall(r"(?<!\\)\|", line)) - 1


@pytest.mark.parametrize("name", records.ALL)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(name: str) -> None:
    for lines in tables(markdown_report(records.ALL[name]())):
        assert re.fullmatch(r"\|( (---|--:) \|)+", lines[1])
        assert len({cells(line) for line in lines}) == 1, lines


def test_the_verdict_comes_first() -> None:
    first = markdown_report(records.one_differs()).splitlines()[0]
    assert first.startswith("≠ **5 agree; rigetti differs** (p < 1e-12): its counts fit the circuit")
    assert markdown_report(records.all_agree()).startswith("= **All 6 agree.** A difference of 0.044")
    assert markdown_report(records.empty()) == "… **Nothing was compared.**\n"


def test_the_sections_are_those_of_the_other_report() -> None:
    found = re.findall(r"^## (.*)$", markdown_report(records.one_differs()), re.MULTILINE)
    assert found == [
        "Simulators", "Outcomes", "Likely cause", "Reproducer", "What could not have been seen", "Pairs", "Timings",
        "Tests", "Reference and provenance", "Text of the circuit",
    ]  # fmt: skip


def test_who_differs_is_bold_and_has_striped_bars() -> None:
    text = markdown_report(records.one_differs())
    assert "| **rigetti** | pyquil 4.22.0 | **≠ differs** | **0.8431** | **< 1e-12** | **0.56** |" in text
    assert re.search(r"^\| `110` \| 1.4 \| 1.4 \| █ \| \*\*≠ 56.5\*\* \| ▒{17} \|$", text, re.MULTILINE)


def test_what_has_changed_stands_under_the_verdict() -> None:
    assert markdown_report(records.one_differs(), since="Since [then].").splitlines()[2] == r"Since \[then\]."


def test_several_circuits_have_an_overview_and_a_section_each() -> None:
    text = markdown_report(records.series())
    assert "| cat-6.qasm | 6 | 12 |" in text
    assert "## cat-6.qasm" in text
    assert "### Simulators" in text
    many = replace(records.series(), cases=records.series().cases * 40)
    assert "100 circuits more, without news." in markdown_report(many)
    assert len(markdown_report(many)) < 80_000


def test_what_comes_from_outside_is_escaped() -> None:
    text = markdown_report(records.hostile())
    outside = re.sub(r"^(`{3,}).*?^\1$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert "\\<script\\>alert" in outside
    assert not re.search(r"(?<!\\)<script|(?<!\\)`\*", outside)
    assert "\x1b" not in text


def test_the_name_of_the_only_one_that_agrees_is_escaped() -> None:
    (case,) = records.all_agree().cases
    alone = replace(case, rows=(replace(case.rows[0], simulator="<script>_a_"),))
    text = markdown_report(replace(records.all_agree(), cases=(alone,)))
    assert "\\<script\\>\\_a\\_ agrees to" in text
    assert not re.search(r"(?<!\\)<script>", text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("qiskit_mps", r"qiskit\_mps"),
        ("a|b", r"a\|b"),
        ("<b>", r"\<b>"),
        ("p < 1e-12", "p < 1e-12"),
        ("[a](b)", r"\[a\](b)"),
        ("two\nlines", "two lines"),
        ("back\\slash", "back\\\\slash"),
    ],
)
def test_escaped_text_is_shown_as_it_is(text: str, expected: str) -> None:
    assert escaped(text) == expected


def test_a_fence_is_longer_than_any_in_the_text() -> None:
    assert fenced("a ```` b") == ["`````", "a ```` b", "`````", ""]
    assert fenced("h q;\n", "qasm") == ["```qasm", "h q;", "```", ""]


def test_a_table_aligns_numbers_right() -> None:
    assert table(("a", "b"), [("x", "1")]) == ["| a | b |", "| --- | --: |", "| x | 1 |", ""]


def test_a_long_circuit_is_shortened() -> None:
    record = records.all_agree()
    text = "OPENQASM 3;\n" + "// comment\n" * 100_000
    found = markdown_report(replace(record, cases=(replace(record.cases[0], openqasm=text),)))
    assert len(found) < 40_000
    assert "characters more, which the record has" in found
