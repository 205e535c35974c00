"""The pass matrix of a verification as text and as HTML: groups of rows by simulators, then each row that fails."""

from __future__ import annotations

from gateway.compare.hunting.matrix import Matrix, Outcome
from gateway.look import markup, numbers

MARKS = {
    Outcome.PASSES: "=",
    Outcome.FAILS: "≠",
    Outcome.NOT_OFFERED: "\N{EN DASH}",
    Outcome.NO_ANSWER: "○",
    Outcome.NOT_EXAMINED: "…",
}
_FAILURES_AT_MOST = 6
"""The text says this many failures in full, and names the rest; HTML and data have all."""

_LONGEST = 160
_LINES_AT_MOST = 20


def to_text(matrix: Matrix) -> str:
    """Return the matrix as lines of text."""
    names = list(matrix.versions)
    table = [
        ["", *names],
        *([group, *(_cell(matrix, name, group) for name in names)] for group in _groups(matrix)),
    ]
    widths = [max(len(line[column]) for line in table) for column in range(len(names) + 1)]
    lines = ["  " + "  ".join(map(str.ljust, line, widths)).rstrip() for line in table]
    return "\n".join([matrix.verdict, "", *lines, *_failures(matrix), *_notes(matrix)])


def _groups(matrix: Matrix) -> list[str]:
    return list(dict.fromkeys(row.group for row in matrix.rows))


def _cell(matrix: Matrix, name: str, group: str) -> str:
    """Return mark and number of the rows of a group: those that fail, else those not examined, else those that pass."""
    total = sum(row.group == group for row in matrix.rows)
    for outcome in (Outcome.NO_ANSWER, Outcome.FAILS, Outcome.NOT_EXAMINED):
        number = matrix.count(name, outcome, group)
        if number:
            return f"{MARKS[outcome]} {number} of {total}"
    passed = matrix.count(name, Outcome.PASSES, group)
    mark = MARKS[Outcome.PASSES if passed else Outcome.NOT_OFFERED]
    return mark if not passed else f"{mark} {passed}" if passed == total else f"{mark} {passed} of {total}"


def _failures(matrix: Matrix) -> list[str]:
    lines = []
    failures = list(matrix.failing())
    for name, row, failure in failures[:_FAILURES_AT_MOST]:
        lines += ["", f"≠ {name}: {row.group}, {row.name}"]
        lines += [f"  expected  {_cut(failure.expected)}", f"  came      {_cut(failure.came)}"]
        lines += [f"    {line}" for line in few_lines(failure.openqasm)]
    rest = [f"  {name}: {row.group}, {row.name}" for name, row, _ in failures[_FAILURES_AT_MOST:]]
    return [*lines, "", *rest] if rest else lines


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]} ..."


def few_lines(openqasm: str) -> list[str]:
    """Return the lines of a circuit, or if there are many, a line that says how many."""
    lines = [_cut(line) for line in openqasm.splitlines()]
    return lines if len(lines) <= _LINES_AT_MOST else [f"a circuit of {len(lines)} lines"]


def _notes(matrix: Matrix) -> list[str]:
    lines = [f"{name} {note}" for name, note in matrix.notes.items()]
    lines.append(_footnote(matrix))
    return ["", *lines]


def _footnote(matrix: Matrix) -> str:
    shots, rate = numbers.integer(matrix.shots), numbers.scientific(matrix.false_alarm_rate)
    seconds = numbers.seconds(max(matrix.seconds.values(), default=0.0))
    marks = [
        f"{mark} {outcome}"
        for outcome, mark in MARKS.items()
        if outcome is not Outcome.NOT_EXAMINED or matrix.interrupted
    ]
    return (
        f"{', '.join(marks)}. Samples of {shots} shots; a right "
        f"simulator fails any row with probability {rate}. {seconds}."
    )


def to_html(matrix: Matrix) -> str:
    """Return the matrix as HTML that any notebook shows."""
    names = list(matrix.versions)
    columns = [markup.Column(""), *(markup.Column(name, matrix.versions[name]) for name in names)]
    groups = [[group, *(_html_cell(matrix, name, group) for name in names)] for group in _groups(matrix)]
    failures = [
        markup.folded(
            markup.join(markup.mark(), " ", markup.strong(name), f": {row.group}, {row.name}"),
            markup.block(f"Expected {failure.expected}; came {failure.came}."),
            markup.listing(failure.openqasm) if failure.openqasm else "",
        )
        for name, row, failure in matrix.failing()
    ]
    notes = [markup.note(f"{name} {note}") for name, note in matrix.notes.items()]
    return markup.block(
        markup.title(matrix.verdict),
        markup.table(columns, groups),
        *failures,
        markup.folded(f"All {len(matrix.rows)} rows", _rows(matrix)),
        *notes,
        markup.note(_footnote(matrix)),
    )


def _html_cell(matrix: Matrix, name: str, group: str) -> object:
    text = _cell(matrix, name, group)
    mark, _, number = text.partition(" ")
    return markup.join(markup.mark(), " ", markup.strong(number)) if mark == MARKS[Outcome.FAILS] else text


def _rows(matrix: Matrix) -> markup.Html:
    """Return every row of the battery, with the mark of each simulator."""
    names = list(matrix.versions)
    columns = [markup.Column("group"), markup.Column("row"), *map(markup.Column, names)]
    rows = [
        [row.group, row.name, *(f"{MARKS[row.outcomes[name]]} {row.outcomes[name]}" for name in names)]
        for row in matrix.rows
    ]
    return markup.table(columns, rows)
