"""What a comparison amounts to as HTML, from the verdict to the details of each circuit: a report and the page show it.

The verdict comes first; then who, where, why, how to repeat it, what could not have been seen; then all the rest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import msgspec

from gateway.circuit import Circuit
from gateway.compare.presentation import charts, drawings, sections, tables, words
from gateway.compare.presentation.marks import MARKS, with_news
from gateway.compare.presentation.matrix import Matrix, matrix
from gateway.compare.presentation.scaling import scaling
from gateway.compare.presentation.sections import Section
from gateway.compare.record import Case, Record, Row
from gateway.compare.verdict import Standing, standing, verdict_parts, whole
from gateway.look import numbers
from gateway.look.markup import Html, join
from gateway.look.sheet import breakable, element, mark, scrolling, table

DETAILED = 20
"""So many circuits at most have sections of their own; those that differ come first."""

LISTED = 200
"""So many circuits at most are in the overview."""


def article(record: Record, section: Section, *, since: str = "") -> list[Html]:
    """Return the parts of a comparison that has ended, from top to bottom.

    Args:
        record: the comparison.
        section: makes the sections, for a report or for the page.
        since: a sentence about what has changed since an earlier record; it stands under the verdict.
    """
    if len(record.cases) == 1:
        (case,) = record.cases
        found = matrix(case, record.false_alarm_rate)
        return [_verdict(record, since or words.remark(record, found)), *_details(record, case, found, section)]
    detailed = with_news(record.cases, DETAILED)
    each = [_one(record, case, place, section) for place, case in detailed]
    overview = _overview(record, section, {place for place, _ in detailed})
    return [_verdict(record, since), *overview, *([element("div", *each)] if section.on_page else each)]


def headline(drawn: Html, first: str, rest: str, more: str, *, suspects: Sequence[str] = ()) -> Html:
    """Return the verdict: a mark, a sentence of which the first clause is bold, and perhaps one more line.

    Args:
        drawn: the mark.
        first: the first clause.
        rest: the rest of the sentence.
        more: the second line.
        suspects: the gates that the diagnosis names.
    """
    sentence = element("h2", element("strong", first), sections.with_gates(rest, suspects))
    return element(
        "section",
        drawn,
        sentence,
        element("p", more) if more else "",
        class_="verdict",
        aria_label="Verdict",
        data_part="verdict",
        data_suspects=" ".join(suspects),
    )


def _verdict(record: Record, more: str) -> Html:
    suspects = frozenset[str]().union(*map(drawings.suspects, record.cases))
    return headline(_mark(record), *verdict_parts(record), more, suspects=sorted(suspects))


def _mark(record: Record) -> Html:
    """Return the mark of the whole comparison; groups that contradict each other differ."""
    found = whole(record)
    groups = {(row.circuit, row.group) for row in record.rows if standing(row) is Standing.UNDECIDED}
    name = MARKS[Standing.DIFFERS if found is Standing.UNDECIDED and len(groups) > len(record.cases) else found]
    return mark(name) if name else element("span")


# ---------------------------------------------------------------- one circuit


def _details(record: Record, case: Case, found: Matrix | None, section: Section) -> list[Html]:
    circuit, hot = drawings.circuit(case), drawings.suspects(case)
    missed = sections.missed(case, section) if any(row.counts for row in case.rows) else Html()
    agree = not any(standing(row) is Standing.DIFFERS for row in case.rows)
    parts = [
        missed if agree else "",
        "" if section.is_beside_the_circuit else _circuit(case, circuit, hot, section),
        _simulators(case, section) if case.rows else "",
        sections.outcomes(found, _single(record, case, found), case, section) if found else "",
        sections.causes(record, case, found, section),
        sections.reproducers(case, section),
        "" if agree else missed,
    ]
    few_ask_for = [
        "" if found is None or found.of_clbits else sections.distances(case, section),
        sections.times(record, case, section),
        sections.tests(record, case, section),
        sections.provenance(record, case, section),
        "" if section.is_beside_the_circuit else sections.text(case, section),
    ]
    rest = [element("div", *few_ask_for)] if section.on_page else few_ask_for
    return [Html(part) for part in (*parts, *rest) if part]


def _simulators(case: Case, section: Section) -> Html:
    lines = tables.simulators(case, shared=not section.is_beside_the_circuit)
    return sections.simulators(lines, section)


def _single(record: Record, case: Case, found: Matrix) -> Matrix | None:
    """Return the matrix of single outcomes where that of clbits is shown."""
    return matrix(case, record.false_alarm_rate, single=True) if found.of_clbits else None


def _circuit(case: Case, circuit: Circuit | None, hot: frozenset[str], section: Section) -> Html:
    if circuit is None:
        return section("Circuit", note=words.size(case))
    names = [element("code", name) for name in sorted(hot)]
    filled = (
        join("; the ", *[part for name in names for part in (", ", name)][1:], " in question are filled") if hot else ""
    )
    return section("Circuit", drawings.drawn(circuit, hot), note=join(words.size(case), filled), class_="drawing")


# ---------------------------------------------------------------- several circuits


def _overview(record: Record, section: Section, detailed: Collection[int]) -> list[Html]:
    if not record.cases:
        return []
    names = list(dict.fromkeys(row.simulator for row in record.rows))
    listed = with_news(record.cases, LISTED)
    heads = [element("th", breakable(text), scope="col") for text in ("circuit", "size", *names)]
    rows = [_overview_row(case, names, f"#circuit-{place}" if place in detailed else "") for place, case in listed]
    overview = scrolling(table(heads, rows, class_="overview"), "Circuits")
    left_out = len(record.cases) - len(listed)
    more = element("p", f"{numbers.integer(left_out)} more, without news.", class_="small soft") if left_out else ""
    note = "total variation distance from the reference"
    parts = [sections.simulators(tables.totals(record), section, note=_OF_ALL)] if section.on_page else []
    parts.append(section("Circuits", overview, more, note=note))
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


_OF_ALL = "the worst number of all circuits, and the sum of all times"


def _one(record: Record, case: Case, place: int, section: Section) -> Html:
    alone = msgspec.structs.replace(record, cases=(case,))
    first, rest = verdict_parts(alone)
    verdict = [_mark(alone), " ", element("strong", first), sections.with_gates(rest, drawings.suspects(case))]
    inner = replace(section, level=3, name=f"-{place}")
    details = _details(record, case, matrix(case, record.false_alarm_rate), inner)
    name, size = f"circuit-{place}", words.size(case)
    if section.on_page:
        return sections.folded(case.name, element("div", *details, class_="one"), line=join(*verdict), id=name)
    head = element("header", element("h2", case.name), element("span", size, class_="soft small"))
    return element("section", head, element("p", *verdict), *details, class_="one", id=name)
