"""The output of a comparison in a notebook: verdict, simulators, outcomes, and the reproducers folded away.

The markup is that of :mod:`gateway.look.markup`, which any notebook shows: no scripts, no style sheets.
"""

from __future__ import annotations

from collections.abc import Sequence

from gateway.circuit.picture import draw
from gateway.compare.presentation import tables, words
from gateway.compare.presentation.drawings import parsed
from gateway.compare.presentation.marks import CHARACTERS, with_news
from gateway.compare.presentation.matrix import Column, Matrix, matrix
from gateway.compare.presentation.tables import SimulatorLine
from gateway.compare.record import Case, Record, Reproducer, Row
from gateway.compare.verdict import Standing, standing, verdict_parts, whole
from gateway.look import markup, numbers
from gateway.look.bitstrings import readable
from gateway.look.markup import Bold, Html, join
from gateway.look.sheet import visible

LISTED = 40
"""So many circuits at most are listed; those that differ come first."""

BAR_WIDTH_PX = 120


def notebook(record: Record) -> str:
    """Return a comparison as the HTML that a notebook shows."""
    parts = [_verdict(record)]
    if len(record.cases) == 1:
        (case,) = record.cases
        parts += [_simulators(case), _outcomes(record, case), *map(_reproducer, case.reproducers)]
    elif record.cases:
        parts += [_overview(record)]
        parts += [_reproducer(found) for case in record.cases for found in case.reproducers][:LISTED]
    return visible(markup.block(*parts))


def _verdict(record: Record) -> Html:
    first, rest = verdict_parts(record)
    differs = whole(record) is Standing.DIFFERS
    style = "font-size:16px;line-height:1.4;padding-bottom:8px;max-width:760px"
    sentence = join(join(markup.mark(), " ") if differs else "", markup.strong(first), rest)
    return join(Html(f'<div style="{style}">'), sentence, Html("</div>"))


def _says(found: Standing, word: str) -> Html:
    if found is Standing.DIFFERS:
        return join(markup.mark(), " ", markup.strong(word))
    return join(CHARACTERS[found], " " if CHARACTERS[found] else "", word)


# ---------------------------------------------------------------- one circuit


def _simulators(case: Case) -> Html:
    lines = tables.simulators(case)
    numbered = [column for column in tables.filled(lines) if column.head != "memory"]
    columns = [markup.Column("simulator"), markup.Column("version"), markup.Column("verdict")]
    columns += [markup.Column(column.head, right=True) for column in numbered]
    rows = [_simulator(line, numbered) for line in lines]
    return join(markup.table(columns, rows), *[_failure(line) for line in lines if line.reasons])


def _simulator(line: SimulatorLine, columns: Sequence[tables.SimulatorColumn]) -> list[object]:
    who: list[object] = [Bold(", ".join(line.names)), markup.quiet(line.version), _says(line.standing, line.says)]
    striking = line.standing is Standing.DIFFERS
    return who + [Bold(column.of(line)) if striking and column.evidence else column.of(line) for column in columns]


def _failure(line: SimulatorLine) -> Html:
    sentence = f"{', '.join(line.names)}: {'; '.join(line.reasons)}"
    if line.message:
        return markup.folded(join(markup.strong("Whole message"), f" of {sentence}"), markup.listing(line.message))
    return markup.note(sentence)


def _outcomes(record: Record, case: Case) -> Html:
    every = matrix(case, record.false_alarm_rate)
    if every is None:
        return Html()
    found = every.together()
    space = Html('<div style="padding-top:12px"></div>')
    labels = [_label(found, place) for place in range(len(found.labels))]
    rows = [_row(found, label, place) for place, label in enumerate(labels)]
    if found.others:
        rows.append(_others(found))
    return join(space, markup.table(_columns(found), rows), markup.note(_note(found, case)))


def _columns(found: Matrix) -> list[markup.Column]:
    columns = [markup.Column("clbit" if found.of_clbits else "outcome", mono=not found.of_clbits)]
    if found.expected is not None:
        columns.append(markup.Column("reference", "% ones, exact" if found.of_clbits else "exact, %", right=True))
    end = f"{100 * found.end:.3g}{numbers.NO_BREAK}%"
    for column in found.columns:
        columns.append(markup.Column(column.title, f"± {end}" if _is_signed(found) else "%", right=True))
        columns += [] if _is_signed(found) else [markup.Column("", f"0 to {end}")]
    return columns


def _is_signed(found: Matrix) -> bool:
    """Return whether cells are deviations from the reference, which have no bars: here a bar begins at zero."""
    return found.of_clbits and found.expected is not None


def _label(found: Matrix, place: int) -> object:
    if found.of_clbits:
        return f"clbit {found.labels[place]}"
    return markup.bits(readable([str(label) for label in found.labels])[place])


def _row(found: Matrix, label: object, place: int) -> list[object]:
    cells: list[object] = [label]
    if found.expected is not None:
        share = found.expected[place]
        cells.append(numbers.per_cent(share) if found.of_clbits else words.probability(share, found.end))
    for column in found.columns:
        cells += _cell(found, column, place)
    return cells


def _cell(found: Matrix, column: Column, place: int) -> list[object]:
    cell, end = column.cells[place], found.end
    expected = None if found.expected is None else found.expected[place]
    if _is_signed(found) and expected is not None:
        text, drawn = words.deviation(cell.share, expected, end), []
    else:
        chance = None if cell.chance is None else (cell.chance[0] / end, cell.chance[1] / end)
        tick = None if expected is None else expected / end
        text = numbers.per_cent(cell.share, end)
        drawn = [markup.bar(cell.share / end, differs=cell.differs, tick=tick, chance=chance, width_px=BAR_WIDTH_PX)]
    return [Bold(f"≠ {text}") if cell.differs else text, *drawn]


def _others(found: Matrix) -> list[object]:
    cells: list[object] = [markup.quiet(words.others(found))]
    if found.expected is not None:
        cells.append("at most" if found.of_clbits else numbers.per_cent(found.others_expected, found.end))
    for column in found.columns:
        share = numbers.per_cent(column.others, found.end)
        cells += [f"±{share}"] if _is_signed(found) else [share, ""]
    return cells


def _note(found: Matrix, case: Case) -> str:
    parts = [f"{words.outcomes(found, case)[0].upper()}{words.outcomes(found, case)[1:].rstrip('.')}."]
    if found.expected is not None and not found.of_clbits:
        parts.append("Tick: reference. Grey: what chance may do.")
    parts.append(words.notes(found))
    return " ".join(filter(None, parts))


def _reproducer(found: Reproducer) -> Html:
    size = numbers.several(found.operations, "operation")
    summary = join(markup.strong("Reproducer"), f" for {found.simulator}, {size}")
    circuit = parsed(found.openqasm)
    parts: list[object] = [markup.note(words.reproducer(found)), markup.listing(found.openqasm.rstrip())]
    if circuit is not None:
        picture = draw(circuit)
        parts.append(markup.picture(picture.svg, picture.description, picture.width, picture.height))
    parts.append(_who_says_what(found))
    return markup.folded(summary, *parts)


def _who_says_what(found: Reproducer) -> Html:
    shown = words.reproducer_outcomes(found, words.REPRODUCER_OUTCOMES)
    pieces = [markup.bits(parts) for parts in readable(shown)]
    columns = [markup.Column("outcome", mono=True)]
    groups = words.reproducer_counts(found)
    columns += [markup.Column("reference", right=True)] if found.expected else []
    columns += [markup.Column(names, right=True) for names, _ in groups]
    rows: list[Sequence[object]] = []
    for label, drawn in zip(shown, pieces, strict=True):
        expected = [words.expected_shots(found, label)] if found.expected else []
        rows.append([drawn, *expected, *[numbers.integer(counts.get(label, 0)) for _, counts in groups]])
    return markup.table(columns, rows)


# ---------------------------------------------------------------- several circuits


def _overview(record: Record) -> Html:
    names = list(dict.fromkeys(row.simulator for row in record.rows))
    listed = with_news(record.cases, LISTED)
    columns = [markup.Column("circuit"), markup.Column("qubits", right=True), *map(markup.Column, names)]
    rows = [_overview_row(case, names) for _, case in listed]
    left_out = len(record.cases) - len(listed)
    more = f" {numbers.several(left_out, 'more circuit')} without news." if left_out else ""
    return join(
        markup.table(columns, rows), markup.note(f"Numbers are total variation distances from the reference.{more}")
    )


def _overview_row(case: Case, names: Sequence[str]) -> list[object]:
    rows = {row.simulator: row for row in case.rows}
    cells = [_overview_cell(rows[name]) if name in rows else "" for name in names]
    return [case.name, numbers.integer(case.num_qubits), *cells]


def _overview_cell(row: Row) -> Html:
    found = standing(row)
    known = row.distance is not None and found in {Standing.AGREES, Standing.DIFFERS}
    return _says(found, numbers.distance(row.distance or 0.0) if known else tables.says(row))
