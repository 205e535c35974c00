"""The sections of a report as HTML, from the simulators to the text of the circuit.

Each function takes one circuit of a comparison and returns one section, or nothing where there is nothing to say.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from gateway.compare.presentation import charts, drawings, tables, words
from gateway.compare.presentation.marks import MARKS
from gateway.compare.presentation.matrix import Matrix, against
from gateway.compare.presentation.outcome_table import EACH, has_groups, is_wide, key, outcome_table
from gateway.compare.presentation.pairs import Pair, pairs
from gateway.compare.presentation.tables import SimulatorLine
from gateway.compare.record import Case, Cause, Record, Reproducer, Row
from gateway.compare.reproducer.bug_report import bug_report
from gateway.compare.verdict import Standing, standing
from gateway.look import numbers
from gateway.look.bitstrings import readable
from gateway.look.markup import Html, html, join
from gateway.look.sheet import bar, bits, breakable, choice, code, element, mark, scrolling, table

LONGEST_LISTING = 20_000
"""So many characters of a circuit's text are shown at most."""

REJECTED = 8
"""So many explanations that fit badly are listed at most."""

DRAWN_CAUSES = 6
"""For so many simulators at most the likely cause is drawn."""


@dataclass(frozen=True, slots=True)
class Section:
    """Makes sections with headings of one level, for a report or for the page of the gateway.

    Args:
        level: 2 for ``h2``.
        name: of the circuit, if there are several: it is part of the names that must be unique.
        on_page: whether they are for the page, where details are folded, and whose script finds what to copy.
        base: on the page, the address of the comparison.
    """

    level: int = 2
    name: str = ""
    on_page: bool = False
    base: str = "."

    @property
    def is_beside_the_circuit(self) -> bool:
        """Whether the circuit stands beside: on the page, if there is only one."""
        return self.on_page and not self.name

    def __call__(self, title: str, *content: object, note: object = "", tools: object = "", class_: str = "") -> Html:
        """Return a section: its heading, a note and tools beside that, and the content."""
        aside = element("span", note, class_="soft small") if note else ""
        beside = element("div", tools, class_="tools") if tools else ""
        head = element("header", element(f"h{self.level}", title), aside, beside)
        return element("section", head, *content, class_=class_)

    def details(self, title: str, *content: object, note: object = "", line: object = "", class_: str = "") -> Html:
        """Return a section of what few ask for: on the page it is folded to one line.

        Args:
            title: its heading.
            content: what is in it.
            note: what stands beside the heading where all is shown.
            line: what stands beside the heading where it is folded: the most that can be said in a line.
            class_: its class.
        """
        if not self.on_page:
            return self(title, *content, note=note, class_=class_)
        more = element("p", note, class_="small soft") if note else ""
        return folded(title, more, *content, line=line or note, class_=class_)


def folded(title: object, *content: object, line: object = "", class_: str = "", **attributes: object) -> Html:
    """Return something that is folded to a line."""
    summary = element("summary", element("b", title), element("span", line, class_="soft") if line else "")
    return element("details", summary, element("div", *content), class_=f"more {class_}".strip(), **attributes)


def with_gates(text: str, gates: Collection[str]) -> Html:
    """Return a sentence in which the names of gates are written as code, as in ``every rz``."""
    if not gates:
        return html(text)
    names = "|".join(map(re.escape, gates))
    parts = re.split(rf"(?<=\bevery )({names})\b", text)
    return join(*[element("code", part) if place % 2 else part for place, part in enumerate(parts)])


def says(row: Row | SimulatorLine) -> Html:
    """Return what a simulator amounts to: a mark, and the word."""
    found = row.standing if isinstance(row, SimulatorLine) else standing(row)
    word = row.says if isinstance(row, SimulatorLine) else tables.says(row)
    return element("span", mark(MARKS[found]) if MARKS[found] else "", word, class_="says")


# ---------------------------------------------------------------- simulators


def simulators(lines: Sequence[SimulatorLine], section: Section, *, note: str = "") -> Html:
    """Return the table of simulators; on the page it has all columns, so that none comes or goes while they run."""
    columns = tables.COLUMNS if section.on_page else tables.filled(lines)
    heads = [_column_head("simulator", "who"), _column_head("verdict", "verdict-word")]
    heads += [_column_head(column.head, _kind(column, is_head=True)) for column in columns]
    rows = [row for line in lines for row in _simulator(line, columns)]
    caption = element("caption", element("span", "Simulators and what they did", class_="hidden"))
    whole = table(heads, rows, class_="simulators", caption=caption, role="table", data_part="simulators")
    return section("Simulators", scrolling(whole, "Simulators"), note=note)


def _simulator(line: SimulatorLine, columns: Sequence[tables.SimulatorColumn]) -> list[Html]:
    names = ", ".join(line.names)
    name, version = element("b", breakable(names)), element("small", line.version) if line.version else ""
    who = element("th", name, version, scope="row", role="rowheader", class_="who")
    cells = [element("td", column.of(line), role="cell", class_=_kind(column)) for column in columns]
    in_a_line = element("td", words.in_a_line(line), role="cell", class_="meta narrow-only")
    kinds = ["differs"] * (line.standing is Standing.DIFFERS) + ["has-reason"] * bool(line.reasons)
    cells = [who, element("td", says(line), role="cell", class_="verdict-word"), *cells, in_a_line]
    rows = [element("tr", *cells, role="row", class_=" ".join(kinds), data_simulator=names)]
    if line.reasons:
        whole = element("details", element("summary", "whole message"), element("pre", line.message, class_="message"))
        paragraphs = [element("p", reason) for reason in line.reasons]
        content = element("td", *paragraphs, whole if line.message else "", role="cell", colspan=2 + len(columns))
        rows.append(element("tr", content, role="row", class_="reason", data_simulator=names))
    return rows


def _kind(column: tables.SimulatorColumn, *, is_head: bool = False) -> str:
    kinds = ["number"] if is_head else ["number", "wide-only"]
    kinds += [] if column.evidence or is_head else ["unweighted"]
    return " ".join([*kinds, *(["optional"] if column.head == "memory" else [])])


def _column_head(text: str, kind: str) -> Html:
    return element("th", text, scope="col", role="columnheader", class_=kind)


# ---------------------------------------------------------------- outcomes


def outcomes(
    found: Matrix,
    single: Matrix | None,
    case: Case,
    section: Section,
    *,
    stages: Mapping[str, str] | None = None,
) -> Html:
    """Return the matrix of outcomes, or of clbits where single outcomes say nothing.

    Args:
        found: the matrix.
        single: if that is of clbits, the one of single outcomes, to which a switch leads.
        case: the circuit.
        section: makes the section.
        stages: simulator -> what it does, of those that have not ended; ``None`` when all have.
    """
    drawn = [scrolling(outcome_table(found, stages=stages), "Outcomes"), key(found)]
    note: object = words.outcomes(found, case)
    if single is not None:
        each = [element("p", words.outcomes(part, case), class_="small") for part in (found, single)]
        of_outcomes = scrolling(outcome_table(single, stages=stages), "Single outcomes")
        drawn = [
            element("div", each[0], *drawn, class_="of-clbits"),
            element("div", each[1], of_outcomes, key(single), _notes(single), class_="of-outcomes"),
        ]
        note = ""
    return section("Outcomes", *drawn, _notes(found), note=note, tools=join(*_switches(found, single, section)))


def _notes(found: Matrix) -> Html:
    said = words.notes(found)
    return element("p", said, class_="small soft") if said else Html()


def _switches(found: Matrix, single: Matrix | None, section: Section) -> Iterator[Html]:
    """Yield what leads to all outcomes, to other rows and to other columns."""
    if section.on_page and (found.of_clbits or found.others):
        address = f"{section.base}/outcomes.csv"
        yield element("a", "All as a table (CSV)", href=address, class_="small", data_download="outcomes.csv")
    if single is not None:
        rows = {"outcomes": "Outcomes", "clbits": "Clbits"}
        yield choice(f"rows{section.name}", "Rows", rows, "clbits")
    if has_groups(found):
        columns = {"groups": "Groups", EACH: "Every simulator"}
        kind = "" if is_wide(found) else "narrow-only"
        yield choice(f"columns{section.name}", "Columns", columns, "groups", class_=kind)


# ---------------------------------------------------------------- causes


def causes(record: Record, case: Case, found: Matrix | None, section: Section) -> Html:
    """Return the likely cause of each difference, drawn against the circuit as written and against the hypothesis."""
    differing = [row for row in case.rows if standing(row) is Standing.DIFFERS]
    if not differing:
        return Html()
    parts = [
        element("div", *_cause(record, case, found, row, section), class_="section-part")
        for row in differing[:DRAWN_CAUSES]
    ]
    left_out = len(differing) - len(parts)
    if left_out:
        parts.append(element("p", f"{numbers.several(left_out, 'simulator')} more.", class_="soft small"))
    explained = any(row.causes for row in differing)
    return section("Likely cause" if explained else "No cause found", *parts)


def _cause(record: Record, case: Case, found: Matrix | None, row: Row, section: Section) -> list[Html]:
    before, claim, after = words.cause(row)
    said = element("strong", with_gates(claim, drawings.suspects(case))) if claim else ""
    return [
        element("p", before, said, after),
        _twice(record, case, found, row),
        _other_causes("Explanations that fit as well", "", row.causes[1:], is_folded=False),
        _other_causes(
            "Other explanations",
            f"{len(row.rejected)} tried, none fits",
            row.rejected[:REJECTED],
            is_folded=section.on_page,
        ),
    ]


def _twice(record: Record, case: Case, found: Matrix | None, row: Row) -> Html:
    if found is None or found.of_clbits or not row.causes or not row.causes[0].probabilities or not row.counts:
        return Html()
    labels, rate = [str(label) for label in found.labels], record.false_alarm_rate / found.total
    written = against(row, case.reference.probabilities, labels, rate)
    supposed = against(row, row.causes[0].probabilities, labels, rate)
    drawn = [
        element(
            "div", outcome_table(compared, caption=_caption(f"{row.simulator} and {what}", compared), reference=False)
        )
        for compared, what in ((written, "the circuit as written"), (supposed, "the likely cause"))
    ]
    return element("div", *drawn, class_="columns")


def _caption(title: str, found: Matrix) -> Html:
    missed = sum(cell.differs for cell in found.columns[0].cells)
    whole = f"{missed} of {len(found.labels)} bars miss their ticks" if missed else "every bar meets its tick"
    return element("caption", title, element("span", whole))


def _other_causes(title: str, note: str, found: Sequence[Cause], *, is_folded: bool) -> Html:
    if not found:
        return Html()
    heads = [element("th", "explanation", scope="col"), _number_head("p")]
    rows = [
        element(
            "tr",
            element("th", cause.detail, scope="row"),
            element("td", numbers.p_value(cause.p_value), class_="number"),
        )
        for cause in found
    ]
    if is_folded:
        return folded(title, table(heads, rows, class_="others"), line=note)
    return table(heads, rows, class_="others", caption=element("caption", title, element("span", note) if note else ""))


# ---------------------------------------------------------------- reproducers


def reproducers(case: Case, section: Section) -> Html:
    """Return the reproducers: text, drawing, and who says what."""
    if not case.reproducers:
        return Html()
    parts, hot = [], drawings.suspects(case)
    for found in case.reproducers:
        drawing = drawings.of_text(found.openqasm, hot)
        name = f"reproducer-{found.simulator}.qasm" if len(case.reproducers) > 1 else "reproducer.qasm"
        program = element("pre", code(found.openqasm.rstrip()), class_="code", tabindex=0)
        tools = _tools(found) if section.on_page else ""
        head = element("header", element("span", name, class_="mono"), tools)
        text = element("div", head, program, class_="program")
        side = element("div", drawing, _who_says_what(found), _evidence(found), class_="beside")
        parts.append(element("div", text, side, class_="columns"))
    note = words.reproducer(case.reproducers[0]) if len(case.reproducers) == 1 else ""
    return section("Reproducer" if note else "Reproducers", *parts, note=note)


def _tools(found: Reproducer) -> Html:
    """Return the buttons by which the page's script finds what to copy or to open."""
    names = (("Copy", "program"), ("Open in editor", "open"), ("Copy bug report", "bug-report"))
    buttons = [element("button", text, type="button", class_="plain", data_does=does) for text, does in names]
    return join(element("div", *buttons, class_="tools"), element("template", bug_report(found)))


def _evidence(found: Reproducer) -> Html:
    versions = [f"{name}: {version}" for name, version in found.versions.items() if name == found.simulator]
    said = [words.reproducer_evidence(found), *versions]
    return element("p", "; ".join(filter(None, said)), class_="small soft")


def _who_says_what(found: Reproducer) -> Html:
    shown = words.reproducer_outcomes(found, words.REPRODUCER_OUTCOMES)
    what = ", ".join(filter(None, [numbers.several(found.shots, "shot") if found.shots else "", _seed(found)]))
    heads = [element("th", what or "counts", scope="col")]
    heads += [element("th", bits(pieces), scope="col", class_="number") for pieces in readable(shown)]
    rows = [_expectation(found, shown)] if found.expected else []
    for names, counts in words.reproducer_counts(found):
        differs = found.counts.get(found.simulator) == counts
        who = element(
            "span", mark("differs") if differs else "", element("b", names) if differs else names, class_="says"
        )
        texts = [numbers.integer(counts.get(label, 0)) for label in shown]
        cells = [element("td", element("b", text) if differs else text, class_="number") for text in texts]
        rows.append(element("tr", element("th", who, scope="row"), *cells))
    return scrolling(table(heads, rows), "Counts")


def _seed(found: Reproducer) -> str:
    return "" if found.seed is None else f"seed {found.seed}"


def _expectation(found: Reproducer, shown: Sequence[str]) -> Html:
    cells = [element("td", words.expected_shots(found, label), class_="number") for label in shown]
    return element("tr", element("th", "reference", scope="row"), *cells)


# ---------------------------------------------------------------- what could not have been seen


def missed(case: Case, section: Section) -> Html:
    """Return which differences may have been missed, in sentences and on a ruler."""
    sentences = element("p", " ".join(words.missed(case)), class_="small")
    ruler = charts.ruler(case) if case.detectable and case.detectable.hardest < 1 else ""
    finer = words.finer(case)
    again = ""
    if section.on_page and finer is not None:
        text = f"Run with resolution {finer:g}"
        again = element("button", text, type="button", class_="plain", data_does="resolution", value=f"{finer:g}")
    return section("What could not have been seen", sentences, again, ruler)


# ---------------------------------------------------------------- pairs, times, tests, provenance, text


def distances(case: Case, section: Section) -> Html:
    """Return the distances between the samples of all pairs."""
    found = pairs(case)
    if not found.pairs:
        return Html()
    first = range(len(found.names) - 1)
    heads = [element("td"), *[element("th", breakable(found.names[place]), scope="col") for place in first]]
    rows = [
        element(
            "tr",
            element("th", breakable(name), scope="row"),
            *[_pair(found.pairs.get((left, place))) for left in first],
        )
        for place, name in enumerate(found.names)
        if place
    ]
    more = f"; {numbers.several(found.left_out, 'simulator')} left out" if found.left_out else ""
    whole = scrolling(table(heads, rows, class_="pairs"), "Pairs")
    return section.details("Pairs", whole, note=f"total variation distance between samples{more}")


def _pair(pair: Pair | None) -> Html:
    if pair is None:
        return element("td")
    drawn = "" if pair.differ is None else mark("differs" if pair.differ else "agrees")
    hidden = element("span", " differ", class_="hidden") if pair.differ else ""
    content = element("span", drawn, f"{pair.distance:.3f}", hidden, class_="pair")
    return element("td", content, class_="differs" if pair.differ else "")


def times(record: Record, case: Case, section: Section) -> Html:
    """Return the times of each stage, and the whole drawn with its spread."""
    found = tables.times(case)
    if not found.lines:
        return Html()
    heads = [
        element("th", "simulator", scope="col"),
        *map(_number_head, found.stages),
        _number_head(f"total {found.unit}"),
    ]
    spread = any(line.spread for line in found.lines)
    heads += [_number_head("from … to")] if spread else []
    heads.append(element("th", element("span", "total, drawn", class_="hidden"), scope="col", class_="drawn"))
    rows = []
    for line in found.lines:
        cells = [element("td", text, class_="number") for text in line.stages]
        cells.append(element("td", element("b", line.total), class_="number"))
        cells += [element("td", line.spread, class_="number soft")] if spread else []
        low, middle, high = (
            value / found.longest for value in (line.seconds.lowest, line.seconds.median, line.seconds.highest)
        )
        cells.append(element("td", bar(middle, span=(low, high)), class_="drawn"))
        rows.append(element("tr", element("th", line.name, scope="row"), *cells))
    whole = scrolling(table(heads, rows, class_="times"), "Timings")
    note = f"{words.times(found, record)}{'; the line spans the shortest and the longest' if spread else ''}"
    return section.details("Timings", whole, note=note, line=words.fastest_to_slowest(found))


def tests(record: Record, case: Case, section: Section) -> Html:
    """Return the p-values of all tests."""
    found = tables.tests(case, record.false_alarm_rate)
    if not found.lines:
        return Html()
    heads = [element("th", "test (p, before correction)", scope="col"), *map(_number_head, found.simulators)]
    rows = []
    for line in found.lines:
        cells = [
            element("td", element("b", text) if striking else text, class_="number") for text, striking in line.cells
        ]
        rows.append(element("tr", element("th", line.name, scope="row"), *cells))
    points = [element("p", point, class_="small soft") for point in found.points[:12]]
    whole = scrolling(table(heads, rows, class_="tests"), "Tests")
    return section.details("Tests", whole, *points, line=words.tested(found, record))


def provenance(record: Record, case: Case, section: Section) -> Html:
    """Return what the results are made of."""
    entries = [
        part for term, text in words.provenance(record, case) for part in (element("dt", term), element("dd", text))
    ]
    facts = element("dl", *entries)
    return section.details("Reference and provenance", facts, line=words.reference(case), class_="facts")


def text(case: Case, section: Section) -> Html:
    """Return the text of the circuit, or its beginning."""
    shown = case.openqasm[:LONGEST_LISTING]
    note = ""
    if len(shown) < len(case.openqasm):
        shown = shown.rpartition("\n")[0] or shown
        whole = numbers.integer(len(case.openqasm))
        note = f"the first {numbers.integer(len(shown))} of {whole} characters; the record has all"
    listing = element("pre", code(shown.rstrip()), class_="code listing", tabindex=0)
    return section.details("Text of the circuit", listing, note=note, class_="text")


# ---------------------------------------------------------------- markup


def _number_head(text: str) -> Html:
    return element("th", text, scope="col", class_="number")
