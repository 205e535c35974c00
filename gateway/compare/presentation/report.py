"""The report: one HTML file without scripts, which loads nothing and is light or dark as its reader's system is.

The verdict comes first; then who, where, why, how to repeat it, what could not have been seen; then all the rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources

import msgspec

from gateway.circuit import Circuit
from gateway.compare.presentation import charts, drawings, sections, words
from gateway.compare.presentation.marks import MARKS, with_news
from gateway.compare.presentation.matrix import matrix
from gateway.compare.presentation.scaling import scaling
from gateway.compare.presentation.sections import Section
from gateway.compare.record import Case, Record, Row
from gateway.compare.verdict import Standing, standing, verdict_parts, whole
from gateway.look import numbers
from gateway.look.markup import Html, join
from gateway.look.sheet import DEFINITIONS, breakable, element, mark, scrolling, style_sheet, table, visible

DETAILED = 20
"""So many circuits at most have sections of their own; those that differ come first."""

LISTED = 200
"""So many circuits at most are in the overview."""

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
"""What a browser may do with the file: nothing but show it. Were anything not escaped, it would still not run."""


def html_report(record: Record, *, since: str = "") -> str:
    """Return a comparison of one or several circuits as an HTML document.

    Args:
        record: the comparison.
        since: a sentence about what has changed since an earlier record; it stands under the verdict.
    """
    cases = record.cases
    if len(cases) == 1:
        content = _details(record, cases[0], Section())
    else:
        content = [*_overview(record), *[_one(record, case, place) for place, case in with_news(cases, DETAILED)]]
    article = element("article", _title(record), _verdict(record, since), *content, class_="sheet")
    return visible(f"<!doctype html>\n{element('html', _head(record), _body(article), lang='en')}\n")


def _head(record: Record) -> Html:
    own = resources.files(__package__).joinpath("report.css").read_text(encoding="utf-8")
    name = f" - {record.cases[0].name}" if len(record.cases) == 1 else ""
    return element(
        "head",
        Html('<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'),
        Html(f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'),
        Html('<meta name="color-scheme" content="light dark">'),
        element("title", f"{verdict_parts(record)[0].rstrip('.;:')}{name}"),
        Html(f"<style>\n{style_sheet()}\n{own}</style>"),
    )


def _body(article: Html) -> Html:
    return element("body", DEFINITIONS, element("main", article))


def _title(record: Record) -> Html:
    named = element("span", record.cases[0].name) if len(record.cases) == 1 else ""
    return element(
        "header", element("h1", words.title(record)), named, element("span", words.when(record)), class_="what"
    )


def _verdict(record: Record, since: str) -> Html:
    first, rest = verdict_parts(record)
    sentence = element("h2", element("strong", first), rest)
    more = element("p", since) if since else ""
    return element("section", _mark(record), sentence, more, class_="verdict", aria_label="Verdict")


def _mark(record: Record) -> Html:
    """Return the mark of the whole comparison; groups that contradict each other differ."""
    found = whole(record)
    groups = {(row.circuit, row.group) for row in record.rows if standing(row) is Standing.UNDECIDED}
    name = MARKS[Standing.DIFFERS if found is Standing.UNDECIDED and len(groups) > len(record.cases) else found]
    return mark(name) if name else element("span")


# ---------------------------------------------------------------- one circuit


def _details(record: Record, case: Case, section: Section) -> list[Html]:
    found = matrix(case, record.false_alarm_rate)
    circuit, hot = drawings.circuit(case), drawings.suspects(case)
    reproduced = [drawings.of_text(reproducer.openqasm, hot) for reproducer in case.reproducers]
    missed = sections.missed(case, section) if any(row.counts for row in case.rows) else Html()
    agree = not any(standing(row) is Standing.DIFFERS for row in case.rows)
    parts = [
        missed if agree else "",
        _circuit(case, circuit, hot, section),
        sections.simulators(case, section) if case.rows else "",
        sections.outcomes(found, case, section) if found else "",
        sections.causes(record, case, found, section),
        sections.reproducers(case, section, reproduced),
        "" if agree else missed,
        "" if found is None or found.of_clbits else sections.distances(case, section),
        sections.times(record, case, section),
        sections.tests(record, case, section),
        sections.provenance(record, case, section),
        sections.text(case, section),
    ]
    return [Html(part) for part in parts if part]


def _circuit(case: Case, circuit: Circuit | None, hot: frozenset[str], section: Section) -> Html:
    if circuit is None:
        return section("Circuit", note=words.size(case))
    names = [element("code", name) for name in sorted(hot)]
    filled = (
        join("; the ", *[part for name in names for part in (", ", name)][1:], " in question are filled") if hot else ""
    )
    return section("Circuit", drawings.drawn(circuit, hot), note=join(words.size(case), filled), class_="drawing")


# ---------------------------------------------------------------- several circuits


def _overview(record: Record) -> list[Html]:
    if not record.cases:
        return []
    section = Section()
    names = list(dict.fromkeys(row.simulator for row in record.rows))
    detailed = {place for place, _ in with_news(record.cases, DETAILED)}
    listed = with_news(record.cases, LISTED)
    heads = [element("th", breakable(text), scope="col") for text in ("circuit", "size", *names)]
    rows = [_overview_row(case, names, f"#circuit-{place}" if place in detailed else "") for place, case in listed]
    overview = scrolling(table(heads, rows, class_="overview"), "Circuits")
    left_out = len(record.cases) - len(listed)
    more = element("p", f"{numbers.integer(left_out)} more, without news.", class_="small soft") if left_out else ""
    note = "total variation distance from the reference"
    parts = [section("Circuits", overview, more, note=note)]
    found = scaling(record)
    if found is not None:
        parts.append(section("Times", scrolling(charts.curves(found), "Times"), note=words.growth(found, record)))
    return parts


def _overview_row(case: Case, names: Sequence[str], link: str) -> Html:
    rows = {row.simulator: row for row in case.rows}
    name = element("a", case.name, href=link) if link else case.name
    size = f"{numbers.several(case.num_qubits, 'qubit')}, {numbers.several(case.operations, 'operation')}"
    cells = [_overview_cell(rows[name]) if name in rows else element("td") for name in names]
    return element("tr", element("th", name, scope="row"), element("td", size, class_="soft"), *cells)


def _overview_cell(row: Row) -> Html:
    found = standing(row)
    known = row.distance is not None and found in {Standing.AGREES, Standing.DIFFERS}
    if not known:
        return element("td", sections.says(row))
    word = element("span", f" {found}", class_="hidden")
    content = element("span", mark(MARKS[found]), numbers.distance(row.distance or 0.0), word, class_="pair")
    return element("td", content, class_="differs" if found is Standing.DIFFERS else "")


def _one(record: Record, case: Case, place: int) -> Html:
    alone = msgspec.structs.replace(record, cases=(case,))
    first, rest = verdict_parts(alone)
    verdict = element("p", _mark(alone), " ", element("strong", first), rest)
    head = element("header", element("h2", case.name), element("span", words.size(case), class_="soft small"))
    return element("section", head, verdict, *_details(record, case, Section(3)), class_="one", id=f"circuit-{place}")
