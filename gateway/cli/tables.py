"""Tables for the terminal: columns are left out, the least important first, until the rest fits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from gateway.look.terminal import Terminal

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.text import Text

INDENT = 2
GAP = 3


class Column(NamedTuple):
    """A column.

    Args:
        title: what stands above it.
        right: whether its cells are aligned right.
        rank: 0 if it always stays; of the others the highest is left out first.
    """

    title: str
    right: bool = False
    rank: int = 0


def table(
    terminal: Terminal, columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], *, gap: int = GAP
) -> RenderableType:
    """Return a table for rich.

    Args:
        terminal: where it is shown.
        columns: the columns from left to right.
        rows: the cells of each row, a text or one that :meth:`Terminal.text` made.
        gap: the columns of the terminal between two of the table.
    """
    from rich.padding import Padding
    from rich.table import Table

    texts = [[terminal.text(cell) if isinstance(cell, str) else cell for cell in row] for row in rows]
    places = _fitting(columns, texts, terminal.width, gap)
    shown = Table(box=None, show_edge=False, pad_edge=False, padding=(0, gap, 0, 0), header_style="dim")
    for place in places:
        column = columns[place]
        shown.add_column(terminal.spell(column.title), justify="right" if column.right else "left", overflow="fold")
    for row in texts:
        shown.add_row(*(row[place] for place in places))
    return Padding(shown, (0, 0, 0, INDENT))


def print_table(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]) -> None:
    """Print a table on standard output; where that is no terminal, each row is one line, whole, for programs."""
    terminal = Terminal()
    if not terminal.is_terminal:
        terminal.width = max(terminal.width, natural_width(columns, rows))
    terminal.print(table(terminal, columns, rows))


def natural_width(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]], gap: int = GAP) -> int:
    """Return the columns of the terminal that a table takes if nothing is left out or folded, its indent included."""
    return INDENT + sum(_widths(columns, rows)) + gap * (len(columns) - 1)


def _widths(columns: Sequence[Column], rows: Sequence[Sequence[str | Text]]) -> list[int]:
    from rich.cells import cell_len

    return [
        max([cell_len(column.title), *(cell_len(str(row[place])) for row in rows)])
        for place, column in enumerate(columns)
    ]


def _fitting(columns: Sequence[Column], rows: Sequence[Sequence[Text]], width: int, gap: int) -> list[int]:
    """Return the places of the columns that are shown."""
    places = list(range(len(columns)))
    while natural_width([columns[p] for p in places], [[row[p] for p in places] for row in rows], gap) > width:
        least = max(places, key=lambda place: columns[place].rank)
        if columns[least].rank == 0:
            break
        places.remove(least)
    return places
