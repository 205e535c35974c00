"""The sections of a report as HTML, from the simulators to the text of the circuit.

Each function takes one circuit of a comparison and returns one section, or nothing where there is nothing to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.compare.presentation import charts, tables, words
from gateway.compare.presentation.marks import MARKS
from gateway.compare.presentation.matrix import Matrix, against
from gateway.compare.presentation.outcome_table import key, outcome_table
from gateway.compare.presentation.pairs import Pair, pairs
from gateway.compare.presentation.tables import SimulatorLine
from gateway.compare.record import Case, Cause, Record, Reproducer, Row
from gateway.compare.verdict import Standing, standing
from gateway.look import numbers
from gateway.look.bitstrings import readable
from gateway.look.markup import Html
from gateway.look.sheet import bar, bits, breakable, code, element, mark, scrolling, table

LONGEST_LISTING = 20_000
"""So many characters of a circuit's text are shown at most."""

DRAWN_CAUSES = 6
"""For so many simulators at most the likely cause is drawn."""


@dataclass(frozen=True, slots=True)
class Section:
    """Makes sections with headings of one level.

    Args:
        level: 2 for ``h2``.
    """

    level: int = 2

    def __call__(self, title: str, *content: object, note: object = "", class_: str = "") -> Html:
        """Return a section: its heading, a note beside that, and the content."""
        aside = element("span", note, class_="soft small") if note else ""
        head = element("header", element(f"h{self.level}", title), aside)
        return element("section", head, *content, class_=class_)


def says(row: Row | SimulatorLine) -> Html:
    """Return what a simulator amounts to: a mark, and the word."""
    found = row.standing if isinstance(row, SimulatorLine) else standing(row)
    word = row.says if isinstance(row, SimulatorLine) else tables.says(row)
    return element("span", mark(MARKS[found]) if MARKS[found] else "", word, class_="says")


# ---------------------------------------------------------------- simulators


def simulators(case: Case, section: Section) -> Html:
    """Return the table of simulators."""
    heads = [element("th", "simulator", scope="col", class_="who")]
    heads.append(element("th", "verdict", scope="col", class_="verdict-word"))
    lines = tables.simulators(case)
    columns = tables.filled(lines)
    heads += [_number_head(column.head) for column in columns]
    rows = [row for line in lines for row in _simulator(line, columns)]
    caption = element("caption", element("span", "Simulators and what they did", class_="hidden"))
    whole = table(heads, rows, class_="simulators", caption=caption)
    return section("Simulators", scrolling(whole, "Simulators"))


def _simulator(line: SimulatorLine, columns: Sequence[tables.SimulatorColumn]) -> list[Html]:
    name = element("b", breakable(", ".join(line.names)))
    who = element("th", name, element("small", line.version), scope="row", class_="who")
    cells = [
        element("td", column.of(line), class_="number" if column.evidence else "number unweighted")
        for column in columns
    ]
    differs = line.standing is Standing.DIFFERS
    kinds = " ".join(["differs"] * differs + ["has-reason"] * bool(line.reasons))
    rows = [element("tr", who, element("td", says(line)), *cells, class_=kinds)]
    if line.reasons:
        whole = element("details", element("summary", "whole message"), element("pre", line.message, class_="message"))
        paragraphs = [element("p", reason) for reason in line.reasons]
        rows.append(
            element(
                "tr",
                element("td", *paragraphs, whole if line.message else "", colspan=2 + len(columns)),
                class_="reason",
            )
        )
    return rows


# ---------------------------------------------------------------- outcomes


def outcomes(found: Matrix, case: Case, section: Section) -> Html:
    """Return the matrix of outcomes, or of clbits where single outcomes say nothing."""
    drawn = scrolling(outcome_table(found), "Outcomes")
    if found.of_clbits:
        return section("Outcomes", element("p", words.outcomes(found, case), class_="small"), drawn, key(found))
    notes = element("p", words.notes(found), class_="small soft")
    return section("Outcomes", drawn, key(found), notes, note=words.outcomes(found, case))


# ---------------------------------------------------------------- causes


def causes(record: Record, case: Case, found: Matrix | None, section: Section) -> Html:
    """Return the likely cause of each difference, drawn against the circuit as written and against the hypothesis."""
    differing = [row for row in case.rows if standing(row) is Standing.DIFFERS]
    if not differing:
        return Html()
    parts = [
        element("div", *_cause(record, case, found, row), class_="section-part") for row in differing[:DRAWN_CAUSES]
    ]
    left_out = len(differing) - len(parts)
    if left_out:
        parts.append(element("p", f"{numbers.several(left_out, 'simulator')} more.", class_="soft small"))
    explained = any(row.causes for row in differing)
    return section("Likely cause" if explained else "No cause found", *parts)


def _cause(record: Record, case: Case, found: Matrix | None, row: Row) -> list[Html]:
    before, claim, after = words.cause(row)
    return [
        element("p", before, element("strong", claim) if claim else "", after),
        _twice(record, case, found, row),
        _other_causes("Explanations that fit as well", "", row.causes[1:]),
        _other_causes("Other explanations", f"{len(row.rejected)} tried, none fits", row.rejected[:8]),
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


def _other_causes(title: str, note: str, found: Sequence[Cause]) -> Html:
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
    return table(heads, rows, class_="others", caption=element("caption", title, element("span", note) if note else ""))


# ---------------------------------------------------------------- reproducers


def reproducers(case: Case, section: Section, drawings: Sequence[Html]) -> Html:
    """Return the reproducers: text, drawing, and who says what."""
    if not case.reproducers:
        return Html()
    parts = []
    for found, drawing in zip(case.reproducers, drawings, strict=True):
        name = f"reproducer-{found.simulator}.qasm" if len(case.reproducers) > 1 else "reproducer.qasm"
        program = element("pre", code(found.openqasm.rstrip()), class_="code", tabindex=0)
        text = element("div", element("p", element("span", name, class_="mono")), program, class_="program")
        side = element("div", drawing, _who_says_what(found), _evidence(found), class_="beside")
        parts.append(element("div", text, side, class_="columns"))
    note = words.reproducer(case.reproducers[0]) if len(case.reproducers) == 1 else ""
    return section("Reproducer" if note else "Reproducers", *parts, note=note)


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
    return section("What could not have been seen", sentences, ruler)


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
    return section("Pairs", whole, note=f"total variation distance between samples{more}")


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
    return section("Timings", whole, note=note)


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
    return section("Tests", scrolling(table(heads, rows, class_="tests"), "Tests"), *points)


def provenance(record: Record, case: Case, section: Section) -> Html:
    """Return what the results are made of."""
    entries = [
        part for term, text in words.provenance(record, case) for part in (element("dt", term), element("dd", text))
    ]
    return section("Reference and provenance", element("dl", *entries), class_="facts")


def text(case: Case, section: Section) -> Html:
    """Return the text of the circuit, or its beginning."""
    shown = case.openqasm[:LONGEST_LISTING]
    note = ""
    if len(shown) < len(case.openqasm):
        shown = shown.rpartition("\n")[0] or shown
        whole = numbers.integer(len(case.openqasm))
        note = f"the first {numbers.integer(len(shown))} of {whole} characters; the record has all"
    listing = element("pre", code(shown.rstrip()), class_="code listing", tabindex=0)
    return section("Text of the circuit", listing, note=note, class_="text")


# ---------------------------------------------------------------- markup


def _number_head(text: str) -> Html:
    return element("th", text, scope="col", class_="number")
