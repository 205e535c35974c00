"""Circuit -> a drawing in text: one line per qubit, time from left to right.

::

    q0: ─┤h├─●─┤M├─────
    q1: ─────X──╫──┤M├─
    c:  ════════0═══1══

The clbit that a measurement writes stands below it. The condition of an operation stands below it too, such
as ``0,1=2`` for "clbits 0 and 1, read as a number, are 2". The time to draw is proportional to the area of the
picture, which is bounded.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator

from gateway.circuit.layout import has_clbits, layout
from gateway.circuit.operations import CircuitData, Operation
from gateway.circuit.symbols import Mark, Symbol, symbol

MOST_OPERATIONS = 10_000
"""Of longer circuits, only so many operations are drawn."""
_WIDTH = 100
"""The width of a drawing that goes to no terminal."""

_MARKS = {
    Mark.NOT: "X",
    Mark.SWAP: "\N{MULTIPLICATION SIGN}",
    Mark.BARRIER: "░",
    Mark.MEASURE: "┤M├",
    Mark.RESET: "┤0├",
}
_QUANTUM, _CLASSICAL = "─", "═"
_ACROSS, _DOWN = "┼", "╫"


def draw(circuit: CircuitData, *, width: int | None = None) -> str:
    """Return a drawing of any valid circuit.

    Args:
        circuit: the circuit to draw.
        width: how many characters a line has at most; longer ones are wrapped between columns. By default the width
            of the terminal, and 100 where there is none.
    """
    if width is None:
        width = shutil.get_terminal_size((_WIDTH, 0)).columns
    return "\n".join(line.rstrip() for line in _Drawing(circuit).lines(width))


class _Drawing:
    """The rows and columns of a drawing; a cell without text shows the wire."""

    def __init__(self, circuit: CircuitData) -> None:
        columns, has_phases, self.left_out = layout(circuit, most_operations=MOST_OPERATIONS)
        self.number = len(circuit.operations)
        self.first = int(has_phases)
        self.bottom = self.first + circuit.num_qubits
        self.labels = ["phase:"] * self.first + [f"q{qubit}:" for qubit in range(circuit.num_qubits)]
        self.wires = [" "] * self.first + [_QUANTUM] * circuit.num_qubits
        if has_clbits(circuit):
            self.labels.append("c:")
            self.wires.append(_CLASSICAL)
        self.columns = [self.column(operations) for operations in columns]

    def column(self, operations: list[Operation]) -> dict[int, str]:
        """Return the texts of one column, by row."""
        cells: dict[int, str] = {}
        for operation in operations:
            cells |= self.cells(symbol(operation))
        return cells

    def cells(self, sign: Symbol) -> dict[int, str]:
        """Return the texts of one operation, by row."""
        if sign.mark is Mark.SET:
            return {self.bottom: sign.classical}
        if sign.mark in {Mark.WHILE, Mark.END}:
            bracket = "[" if sign.mark is Mark.WHILE else "]"
            return dict.fromkeys(range(self.first, self.bottom), bracket) | {self.bottom: sign.classical}
        texts = zip((*sign.controls, *sign.targets), _texts(sign), strict=True)
        own = {qubit + self.first: text for qubit, text in texts} or {0: _label(sign)}
        last = max(own)
        between = _ACROSS if sign.mark is not Mark.BARRIER else ""
        cells = dict.fromkeys(range(min(own), last), between) if between else {}
        if sign.classical:
            cells |= dict.fromkeys(range(last + 1, self.bottom), _DOWN) | {self.bottom: sign.classical}
        return cells | own

    def lines(self, width: int) -> Iterator[str]:
        """Yield the lines of the drawing, wrapped to a width."""
        if not self.labels:
            yield "(no qubits and no clbits)"
            return
        margin = max(map(len, self.labels)) + 1
        chunk: list[dict[int, str]] = []
        line_width = margin + 1
        for column in self.columns:
            size = max(map(len, column.values())) + 1
            if chunk and line_width + size > width:
                yield from self.chunk(chunk, margin)
                yield ""
                chunk, line_width = [], margin + 1
            chunk.append(column)
            line_width += size
        yield from self.chunk(chunk, margin)
        if self.left_out:
            yield ""
            yield f"(the first {self.number - self.left_out:,} of {self.number:,} operations)"

    def chunk(self, columns: list[dict[int, str]], margin: int) -> Iterator[str]:
        """Yield one line per row for some columns."""
        sizes = [max(map(len, column.values())) for column in columns]
        for row, (label, wire) in enumerate(zip(self.labels, self.wires, strict=True)):
            cells = [column.get(row, "").center(size, wire) for column, size in zip(columns, sizes, strict=True)]
            yield label.ljust(margin) + wire + "".join([cell + wire for cell in cells])


def _texts(sign: Symbol) -> list[str]:
    """Return the text to write on each control, and then on each target."""
    text = _MARKS.get(sign.mark) or f"┤{_label(sign)}├"
    places = range(len(sign.targets))
    targets = [f"┤{_label(sign)}:{place}├" if sign.numbered else text for place in places]
    return ["●"] * len(sign.controls) + targets


def _label(sign: Symbol) -> str:
    return f"{sign.name}({sign.angles})" if sign.angles else sign.name
