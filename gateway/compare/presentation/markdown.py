"""The report as Markdown, for an issue tracker: tables and fenced text, no HTML.

Tables need pipes, and a viewer may give other characters a meaning, so whatever comes from outside is escaped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import msgspec

from gateway.compare.presentation import tables, words
from gateway.compare.presentation.marks import CHARACTERS, with_news
from gateway.compare.presentation.matrix import Cell, Matrix, matrix
from gateway.compare.presentation.pairs import Pair, pairs
from gateway.compare.record import Case, Record, Reproducer, Row
from gateway.compare.verdict import Standing, standing, verdict_parts, whole
from gateway.look import numbers
from gateway.look.bitstrings import plain_text, readable
from gateway.look.sheet import visible

DETAILED = 10
"""So many circuits at most have sections of their own; those that differ come first."""

LISTED = 100
"""So many circuits at most are in the overview."""

LONGEST_LISTING = 20_000
"""So many characters of a circuit's text are shown at most."""

BAR = 20
"""The number of characters of the longest bar."""

_SPECIAL = re.compile(r"([\\`*_{}\[\]#|~$!]|[<>](?=\S))")


def markdown_report(record: Record, *, since: str = "") -> str:
    """Return a comparison of one or several circuits as Markdown.

    Args:
        record: the comparison.
        since: a sentence about what has changed since an earlier record; it stands under the verdict.
    """
    first, rest = verdict_parts(record)
    character = CHARACTERS[whole(record)]
    lines = [f"{character} **{escaped(first)}**{escaped(rest)}".strip(), "", *([escaped(since), ""] if since else [])]
    if len(record.cases) == 1:
        (case,) = record.cases
        lines += [f"{escaped(case.name)}: {words.size(case)}. {escaped(words.when(record))}", ""]
        lines += _details(record, case, "##")
    elif record.cases:
        lines += _overview(record)
        for _, case in with_news(record.cases, DETAILED):
            lines += _one(record, case)
    return visible("\n".join(lines).rstrip() + "\n")


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return _SPECIAL.sub(r"\\\1", re.sub(r"\s+", " ", text))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return a table and an empty line after it; the first columns are aligned left, and the others right.

    Args:
        heads: the heads, as Markdown.
        rows: the cells, as Markdown.
        left: the number of columns that are aligned left.
    """
    rule = ["---" if place < left else "--:" for place in range(len(heads))]
    return [f"| {' | '.join(cells)} |" for cells in (heads, rule, *rows)] + [""]


def fenced(text: str, language: str = "") -> list[str]:
    """Return a text that is shown as it is, and an empty line after it; the fence is longer than any in the text."""
    longest = max(map(len, re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [f"{fence}{language}", text.rstrip(), fence, ""]


# ---------------------------------------------------------------- one circuit


def _details(record: Record, case: Case, heading: str) -> list[str]:
    found = matrix(case, record.false_alarm_rate)
    parts = [
        ("Simulators", _simulators(case)),
        ("Outcomes", _outcomes(found.together(), case) if found else []),
        ("Likely cause", _causes(case)),
        ("Reproducer", [line for found in case.reproducers for line in _reproducer(found)]),
        ("What could not have been seen", _missed(case)),
        ("Pairs", _pairs(case) if found and not found.of_clbits else []),
        ("Timings", _times(record, case)),
        ("Tests", _tests(record, case)),
        ("Reference and provenance", _provenance(record, case)),
        ("Text of the circuit", fenced(_shortened(case.openqasm), "qasm")),
    ]
    return [line for title, lines in parts if lines for line in (f"{heading} {title}", "", *lines)]


def _simulators(case: Case) -> list[str]:
    lines = tables.simulators(case)
    columns = tables.filled(lines)
    heads = ("simulator", "version", "verdict", *[column.head for column in columns])
    rows = []
    for line in lines:
        name, says = escaped(", ".join(line.names)), f"{CHARACTERS[line.standing]} {line.says}".strip()
        differs = line.standing is Standing.DIFFERS
        texts = [
            _bold(text) if differs and column.evidence else text for column in columns for text in [column.of(line)]
        ]
        if differs:
            name, says = _bold(name), _bold(says)
        rows.append([name, escaped(line.version), says, *map(_cell, texts)])
    reasons = [
        f"{escaped(', '.join(line.names))}: {escaped('; '.join(line.reasons))}" for line in lines if line.reasons
    ]
    messages = [part for line in lines if line.message for part in fenced(line.message)]
    return [*table(heads, rows, left=3), *_paragraphs(reasons), *messages]


def _outcomes(found: Matrix, case: Case) -> list[str]:
    heads = ["clbit" if found.of_clbits else "outcome"]
    heads += ["reference %"] if found.expected is not None else []
    for column in found.columns:
        heads += [f"{'≠ ' if column.differs else ''}{escaped(column.title)} %", ""]
    rows = [_row(found, place, label) for place, label in enumerate(_labels(found))]
    if found.others:
        rows.append(_others(found))
    return [f"{words.outcomes(found, case)}", "", *_aligned(heads, rows), *_paragraphs([words.notes(found)])]


def _aligned(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Return the table of a matrix, whose bars are aligned left: they are the columns without a head."""
    lines = table(heads, rows)
    lines[1] = f"| {' | '.join('---' if not place or not head else '--:' for place, head in enumerate(heads))} |"
    return lines


def _labels(found: Matrix) -> list[str]:
    if found.of_clbits:
        return [f"clbit {clbit}" for clbit in found.labels]
    return [f"`{plain_text(pieces)}`" for pieces in readable([str(label) for label in found.labels])]


def _row(found: Matrix, place: int, label: str) -> list[str]:
    cells = [label]
    if found.expected is not None:
        share = found.expected[place]
        cells.append(numbers.per_cent(share) if found.of_clbits else words.probability(share, found.end))
    for column in found.columns:
        cells += _share(found, column.cells[place], place)
    return cells


def _share(found: Matrix, cell: Cell, place: int) -> list[str]:
    if found.of_clbits and found.expected is not None:
        text, drawn = words.deviation(cell.share, found.expected[place], found.end), ""
    else:
        text = numbers.per_cent(cell.share, found.end)
        length = max(round(BAR * min(cell.share / found.end, 1)), int(cell.share > 0))
        drawn = ("▒" if cell.differs else "█") * length
    return [_bold(f"≠ {text}") if cell.differs else text, drawn]


def _others(found: Matrix) -> list[str]:
    cells = [words.others(found)]
    if found.expected is not None:
        cells.append("at most" if found.of_clbits else numbers.per_cent(found.others_expected, found.end))
    for column in found.columns:
        cells += [f"{'±' * found.of_clbits}{numbers.per_cent(column.others, found.end)}", ""]
    return cells


def _causes(case: Case) -> list[str]:
    lines = []
    for row in case.rows:
        if standing(row) is Standing.DIFFERS:
            before, claim, after = map(escaped, words.cause(row))
            lines.append(f"{before}{_bold(claim)}{after}")
    tried = [[escaped(cause.detail), numbers.p_value(cause.p_value)] for row in case.rows for cause in row.rejected[:8]]
    return [*_paragraphs(lines), *(table(("other explanations", "p"), map(_cells, tried)) if tried else [])]


def _reproducer(found: Reproducer) -> list[str]:
    shown = words.reproducer_outcomes(found, words.REPRODUCER_OUTCOMES)
    heads = ["counts", *[f"`{plain_text(pieces)}`" for pieces in readable(shown)]]
    rows = [["reference", *[words.expected_shots(found, label) for label in shown]]] if found.expected else []
    for names, counts in words.reproducer_counts(found):
        differs = found.counts.get(found.simulator) == counts
        cells = [escaped(names), *[numbers.integer(counts.get(label, 0)) for label in shown]]
        rows.append(list(map(_bold, cells)) if differs else cells)
    facts = [f"{escaped(name)}: {escaped(version)}" for name, version in found.versions.items()]
    seed = [] if found.seed is None else [f"seed {found.seed}"]
    asked = [numbers.several(found.shots, "shot")] if found.shots else []
    evidence = [text for text in [words.reproducer_evidence(found)] if text]
    return [
        *_paragraphs([f"{words.reproducer(found)}."]),
        *fenced(found.openqasm, "qasm"),
        *table(heads, rows),
        *_paragraphs(["; ".join([*asked, *seed, *map(escaped, evidence), *facts])]),
    ]


def _missed(case: Case) -> list[str]:
    return _paragraphs([escaped(" ".join(words.missed(case)))]) if any(row.counts for row in case.rows) else []


def _pairs(case: Case) -> list[str]:
    found = pairs(case)
    if not found.pairs:
        return []
    first = range(len(found.names) - 1)
    rows = [
        [escaped(name), *[_pair(found.pairs.get((left, place))) for left in first]]
        for place, name in enumerate(found.names)
        if place
    ]
    heads = ["", *[escaped(found.names[place]) for place in first]]
    return ["total variation distance between samples", "", *table(heads, rows)]


def _pair(pair: Pair | None) -> str:
    if pair is None:
        return ""
    text = f"{pair.distance:.3f}"
    return text if pair.differ is None else _bold(f"≠ {text}") if pair.differ else f"= {text}"


def _times(record: Record, case: Case) -> list[str]:
    found = tables.times(case)
    if not found.lines:
        return []
    heads = ["simulator", *found.stages, f"total {found.unit}", "from … to"]
    rows = [[escaped(line.name), *map(_cell, line.stages), line.total, line.spread] for line in found.lines]
    return [words.times(found, record), "", *table(heads, rows)]


def _tests(record: Record, case: Case) -> list[str]:
    found = tables.tests(case, record.false_alarm_rate)
    if not found.lines:
        return []
    heads = ["test (p, before correction)", *map(escaped, found.simulators)]
    rows = [
        [escaped(line.name), *[_bold(text) if striking else text for text, striking in line.cells]]
        for line in found.lines
    ]
    return [*table(heads, rows), *_paragraphs(map(escaped, found.points[:12]))]


def _provenance(record: Record, case: Case) -> list[str]:
    return table(("", ""), [[term, escaped(text)] for term, text in words.provenance(record, case)], left=2)


def _shortened(text: str) -> str:
    if len(text) <= LONGEST_LISTING:
        return text
    shown = text[:LONGEST_LISTING].rpartition("\n")[0] or text[:LONGEST_LISTING]
    return f"{shown}\n// {numbers.integer(len(text) - len(shown))} characters more, which the record has"


# ---------------------------------------------------------------- several circuits


def _overview(record: Record) -> list[str]:
    names = list(dict.fromkeys(row.simulator for row in record.rows))
    listed = with_news(record.cases, LISTED)
    rows = []
    for _, case in listed:
        found = {row.simulator: row for row in case.rows}
        cells = [_overview_cell(found[name]) if name in found else "" for name in names]
        rows.append([escaped(case.name), numbers.integer(case.num_qubits), numbers.integer(case.operations), *cells])
    left_out = len(record.cases) - len(listed)
    more = [f"{numbers.several(left_out, 'circuit')} more, without news."] if left_out else []
    heads = ["circuit", "qubits", "operations", *map(escaped, names)]
    note = "Total variation distance from the reference."
    return ["## Circuits", "", *table(heads, rows), *_paragraphs([note, *more])]


def _overview_cell(row: Row) -> str:
    found = standing(row)
    known = row.distance is not None and found in {Standing.AGREES, Standing.DIFFERS}
    text = numbers.distance(row.distance or 0.0) if known else tables.says(row)
    shown = f"{CHARACTERS[found]} {text}".strip()
    return _bold(shown) if found is Standing.DIFFERS else shown


def _one(record: Record, case: Case) -> list[str]:
    first, rest = verdict_parts(msgspec.structs.replace(record, cases=(case,)))
    verdict = f"{_bold(escaped(first))}{escaped(rest)}"
    return [f"## {escaped(case.name)}", "", f"{words.size(case)}", "", verdict, "", *_details(record, case, "###")]


# ---------------------------------------------------------------- Markdown


def _bold(text: str) -> str:
    return f"**{text}**" if text else ""


def _cell(text: str) -> str:
    return text.replace("\N{NO-BREAK SPACE}", " ")


def _cells(texts: Sequence[str]) -> list[str]:
    return list(map(_cell, texts))


def _paragraphs(texts: Iterable[str]) -> list[str]:
    return [line for text in texts if text for line in (text, "")]
