"""The matrix of outcomes in characters: a row for each outcome, and side by side what each simulator gave."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.cli.bars import bar, marked_bar
from gateway.cli.outcomes import label, pieces
from gateway.cli.tables import INDENT
from gateway.compare.presentation import words
from gateway.compare.presentation.matrix import Column as Simulators
from gateway.compare.presentation.matrix import Matrix, matrix
from gateway.compare.record import Case
from gateway.look import numbers
from gateway.look.bitstrings import GROUP, explanations
from gateway.look.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table
    from rich.text import Text

_GAP = 2
_SHORTEST_BAR, _LONGEST_BAR = 6, 24
_NARROWEST_LABEL = 16


@dataclass(frozen=True, slots=True)
class _Sheet:
    """How a matrix is laid out.

    Args:
        matrix: what is drawn.
        labels: those of the rows, with the last one for what is left out.
        terminal: where it is drawn.
        label_width: the columns of the terminal for the labels.
        mark_width: those for a mark.
        number_width: those for a number, with its mark.
        bar_width: those for a bar; 0 where there is no room for any.
        side_by_side: how many simulators have room beside each other.
    """

    matrix: Matrix
    labels: list[Text]
    terminal: Terminal
    label_width: int
    mark_width: int
    number_width: int
    bar_width: int
    side_by_side: int


def draw_matrix(case: Case, rate: float, terminal: Terminal) -> list[RenderableType]:
    """Return the matrix of a circuit and a note; nothing if no simulator has counts."""
    found = matrix(case, rate)
    if found is None:
        return []
    sheet = _sheet(found, terminal)
    if not _is_roomy(sheet):
        sheet = _sheet(found.together(), terminal)
    columns = sheet.matrix.columns
    shown: list[RenderableType] = []
    for first in range(0, len(columns), sheet.side_by_side):
        shown += [*([""] if first else []), _block(sheet, columns[first : first + sheet.side_by_side])]
    return [*shown, terminal.sentence((_note(sheet, case), "dim"), indent=INDENT)]


def _note(sheet: _Sheet, case: Case) -> str:
    """Return what has to be known to read the matrix."""
    found = sheet.matrix
    if found.of_clbits:
        return words.outcomes(found, case)
    number = numbers.several(found.total, "outcome")
    is_marked = any(cell.differs for column in found.columns for cell in column.cells)
    some = f"{len(found.labels)} of {number}, {'those that differ' if is_marked else 'the most likely'} first"
    bars = f"bars end at {100 * found.end:.3g} %" if sheet.bar_width else ""
    tick = "│ reference" if bars and is_marked and found.expected is not None else ""
    clauses = [
        f"per cent of {numbers.several(case.shots, 'shot')}",
        some if found.others else "",
        tick,
        bars,
        *explanations(pieces([str(bits) for bits in found.labels], sheet.terminal)),
        "clbit 0 rightmost",
    ]
    return "; ".join(filter(None, clauses))


def _is_roomy(sheet: _Sheet) -> bool:
    """Return whether all simulators stand side by side, with bars where the matrix has bars."""
    return sheet.side_by_side >= len(sheet.matrix.columns) and (sheet.bar_width > 0 or sheet.matrix.of_clbits)


def _sheet(found: Matrix, terminal: Terminal) -> _Sheet:
    labels = _labels(found, terminal)
    places = range(len(found.labels) + bool(found.others and not found.of_clbits))
    texts = [_number(found, place, column) for column in found.columns for place in places]
    mark_width = len(terminal.spell("≠ "))
    number_width = mark_width + max(map(len, texts))
    room = terminal.width - INDENT - (len("reference") + _GAP if found.expected is not None else 0)
    label_width = _label_width(labels, room - number_width - _GAP)
    room -= label_width
    title_width = max(number_width, *(len(column.title) + mark_width for column in found.columns))
    each = room // len(found.columns) - _GAP
    bar_width = 0 if found.of_clbits else min(each - number_width - 1, _LONGEST_BAR)
    if bar_width < _SHORTEST_BAR or each < title_width:
        bar_width = 0
    side_by_side = len(found.columns) if bar_width else max(room // (title_width + _GAP), 1)
    return _Sheet(found, labels, terminal, label_width, mark_width, number_width, bar_width, side_by_side)


def _label_width(labels: Sequence[Text], room: int) -> int:
    """Return the columns for the labels; those that do not fit are folded into lines of one length, in fours."""
    widest = max([len("outcome"), *(text.cell_len for text in labels)])
    if widest <= room:
        return widest
    lines = -(-widest // max(room // GROUP * GROUP, _NARROWEST_LABEL))
    return -(-widest // (GROUP * lines)) * GROUP


def _labels(found: Matrix, terminal: Terminal) -> list[Text]:
    if found.of_clbits:
        labels = [terminal.text(f"clbit {number}") for number in found.labels]
    else:
        labels = [label(outcome, terminal) for outcome in pieces([str(bits) for bits in found.labels], terminal)]
    return [*labels, *([terminal.text(words.others(found))] if found.others else [])]


def _block(sheet: _Sheet, columns: Sequence[Simulators]) -> RenderableType:
    """Return the rows of some simulators."""
    from rich.padding import Padding
    from rich.table import Table

    found, terminal = sheet.matrix, sheet.terminal
    block: Table = Table(box=None, show_edge=False, pad_edge=False, padding=(0, _GAP, 0, 0), header_style="dim")
    block.add_column("clbit" if found.of_clbits else "outcome", width=sheet.label_width, overflow="fold")
    if found.expected is not None:
        block.add_column("reference", justify="right")
    for column in columns:
        block.add_column(terminal.text(" " * sheet.mark_width, column.title), overflow="fold")
    for place, text in enumerate(sheet.labels):
        cells = [_cell(sheet, place, column) for column in columns]
        block.add_row(text, *([terminal.text(_expected(found, place))] if found.expected is not None else []), *cells)
    return Padding(block, (0, 0, 0, INDENT))


def _expected(found: Matrix, place: int) -> str:
    if place < len(found.labels):
        return words.probability((found.expected or ())[place], 1.0 if found.of_clbits else found.end)
    return "" if found.of_clbits else words.probability(found.others_expected, found.end)


def _cell(sheet: _Sheet, place: int, column: Simulators) -> Text:
    """Return mark, number and bar of one simulator at one row, or what stands for those that are left out."""
    found, terminal = sheet.matrix, sheet.terminal
    number = _number(found, place, column)
    gap = " " * (sheet.number_width - sheet.mark_width - len(number))
    cell = column.cells[place] if place < len(column.cells) else None
    if cell is None or not cell.differs:
        plain = "" if cell is None else bar(cell.share / found.end, sheet.bar_width)
        return terminal.text(" " * sheet.mark_width, gap, number, " ", plain)
    tick = None if found.expected is None else found.expected[place] / found.end
    mark = terminal.text(("≠", "red"))
    mark.pad_right(sheet.mark_width - mark.cell_len)
    bar_of_difference = marked_bar(cell.share / found.end, tick, sheet.bar_width)
    return mark.append_text(terminal.text(gap, (number, "bold"), " ", *bar_of_difference))


def _number(found: Matrix, place: int, column: Simulators) -> str:
    """Return the share of a simulator in per cent, or for clbits its difference from the reference in points."""
    if place == len(column.cells):
        return f"{'at most ' if found.of_clbits else ''}{numbers.per_cent(column.others, found.end)}"
    share = column.cells[place].share
    if found.of_clbits and found.expected is not None:
        return words.deviation(share, found.expected[place], found.end)
    return numbers.per_cent(share, found.end)
