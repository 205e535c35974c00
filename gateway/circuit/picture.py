"""Circuit -> a picture as SVG: one line per qubit, time from left to right, folded into several rows where it is wide.

Gates are boxes with their angles as multiples of pi, controls are dots, and a double line leads from a measurement to
the clbit that it writes, or from an operation to the condition under which it happens: ``c0,1=2`` for "clbits 0 and
1, read as a number, are 2". What is drawn of a large circuit is bounded, and a sentence says what is not drawn.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from itertools import islice
from typing import NamedTuple

from gateway.circuit.layout import Layout, has_clbits, layout
from gateway.circuit.operations import CircuitData, Operation
from gateway.circuit.pen import (
    BOX_HEIGHT,
    NOTEBOOK,
    PAGE,
    TALL_BOX_HEIGHT,
    Palette,
    Pen,
    width_of_box,
    width_of_label,
)
from gateway.circuit.symbols import Mark, Symbol, sentence, symbol
from gateway.look.markup import html
from gateway.look.numbers import MINUS, several

__all__ = ["NOTEBOOK", "PAGE", "Palette", "Picture", "draw"]

MOST_QUBITS = 48
MOST_OPERATIONS = 2_000
MOST_COLUMNS, FEWEST_COLUMNS, MOST_PLACES = 120, 24, 4_000
"""A picture has at most 120 columns, and fewer where it has many rows, so that it has about 4,000 places for boxes."""
MOST_WORDS = 40
"""The number of operations that the description of a picture lists."""
WIDTH = 960.0
"""The width in pixels at which a picture is folded."""

_ROW, _FIRST_ROW, _TO_CLBITS, _BELOW_CLBITS, _TO_BLOCK = 38.0, 22.0, 30.0, 22.0, 12.0
_GAP, _MARGIN, _SHORTEST_WIRE = 12.0, 6.0, 40.0
_HIDDEN = "⋮"
"""What stands for the qubits that are not drawn."""


class Picture(NamedTuple):
    """A picture of a circuit.

    Args:
        svg: the picture.
        width: in pixels.
        height: in pixels.
        description: the circuit in words, for who cannot see the picture.
        remark: a sentence that says what is not drawn; empty if everything is.
        columns: where the middle of each column is, from the left.
    """

    svg: str
    width: float
    height: float
    description: str
    remark: str
    columns: tuple[float, ...]


def draw(
    circuit: CircuitData,
    *,
    hot: Collection[str] = (),
    palette: Palette = NOTEBOOK,
    width: float = WIDTH,
    names: Sequence[str] = (),
) -> Picture:
    """Return a picture of any valid circuit.

    Args:
        circuit: the circuit to draw.
        hot: the names of operations that stand out, such as the gate that a diagnosis names.
        palette: how it looks: ``NOTEBOOK`` or ``PAGE``.
        width: the width in pixels at which the picture is folded; infinite for a picture in one row.
        names: those of the qubits, all of them; by default ``q0``, ``q1`` and so on.
    """
    rows = min(circuit.num_qubits, MOST_QUBITS)
    most_columns = max(FEWEST_COLUMNS, min(MOST_COLUMNS, MOST_PLACES // max(rows, 1)))
    plan = layout(circuit, most_operations=MOST_OPERATIONS, most_columns=most_columns)
    drawing = _Drawing(circuit, plan, hot, palette, names or [f"q{qubit}" for qubit in range(rows)])
    drawing.fill(plan.columns, width)
    description = _description(circuit)
    remark = _remark(circuit, plan)
    svg = drawing.svg(description)
    return Picture(svg, drawing.width, drawing.height, description, remark, tuple(drawing.columns))


class _Drawing:
    """The picture while it is drawn, block by block.

    Attributes:
        width: of the widest block so far.
        height: of all blocks so far, under which the next one begins.
        columns: where the middle of each column is that has been drawn.
    """

    def __init__(
        self, circuit: CircuitData, plan: Layout, hot: Collection[str], palette: Palette, names: Sequence[str]
    ) -> None:
        self.hot = hot
        self.pen = Pen(palette)
        self.num_qubits = min(circuit.num_qubits, MOST_QUBITS)
        self.first = int(plan.has_phases)
        self.names = ["phase"] * self.first + list(names[: self.num_qubits])
        if circuit.num_qubits > self.num_qubits:
            self.names.append(_HIDDEN)
        self.has_clbits = has_clbits(circuit)
        self.margin = max([width_of_label(name) for name in [*self.names, "c"]])
        self._begin = self.margin + 2 * _MARGIN
        self.width = self.height = 0.0
        self.columns: list[float] = []

    def fill(self, columns: Sequence[Sequence[Operation]], width: float) -> None:
        """Draw all columns, in as few blocks as fit into a width, which are about equally wide."""
        seen = [[operation for operation in column if self._is_seen(operation)] for column in columns]
        sizes = [max([_width(symbol(operation)) for operation in column]) + _GAP if column else 0 for column in seen]
        places = width - self._begin - _MARGIN
        blocks = math.ceil(sum(sizes) / places)
        most = min(places, sum(sizes) / max(blocks, 1) + max(sizes, default=0) / 2)
        block: list[tuple[float, list[Operation]]] = []
        left = 0.0
        for column, size in zip(seen, sizes, strict=True):
            if block and left + size > most:
                self._block(block, left)
                block, left = [], 0.0
            block.append((self._begin + left + (size - _GAP) / 2, column))
            left += size
        self._block(block, max(left, _SHORTEST_WIRE))

    def svg(self, description: str) -> str:
        """Return the whole picture."""
        size = f'width="{self.width:.0f}" height="{self.height:.0f}" viewBox="0 0 {self.width:.0f} {self.height:.0f}"'
        head = f'<svg xmlns="http://www.w3.org/2000/svg" {self.pen.palette.root} {size}'
        columns = " ".join([f"{x:.0f}" for x in self.columns])
        qubits = " ".join([f"{_FIRST_ROW + _ROW * (self.first + qubit):.0f}" for qubit in range(self.num_qubits)])
        about = f'data-columns="{columns}" data-qubits="{qubits}" role="img" aria-label="{html(description)}"'
        return "".join([f"{head} {about}>", *self.pen.elements, "</svg>"])

    def _block(self, columns: Sequence[tuple[float, list[Operation]]], length: float) -> None:
        """Draw the wires and the operations of some columns, which stand around their middles."""
        right = self._begin + length
        if self.height:
            self.height += _TO_BLOCK
        for row, name in enumerate(self.names):
            self.pen.name(self.margin, self._y(row), name)
            if row >= self.first and name != _HIDDEN:
                self.pen.wire(self.margin + _MARGIN, right, self._y(row))
        if self.has_clbits:
            self.pen.name(self.margin, self._clbits, "c")
            self.pen.double_wire(self.margin + _MARGIN, right, self._clbits)
        for x, operations in columns:
            if operations:
                self.columns.append(x)
            for operation in operations:
                self._operation(x, symbol(operation), hot=operation.name in self.hot)
        below = self._clbits + _BELOW_CLBITS if self.has_clbits else self._y(len(self.names) - 1) + _FIRST_ROW
        self.width, self.height = max(self.width, right + _MARGIN), below

    def _operation(self, x: float, sign: Symbol, *, hot: bool) -> None:
        """Draw one operation around the middle of its column."""
        if sign.mark is Mark.SET:
            self.pen.drop(x, self._clbits - _TO_CLBITS / 2, self._clbits, _beside_clbits(sign))
            return
        if sign.mark in {Mark.WHILE, Mark.END}:
            self._loop_mark(x, sign)
            return
        rows = [self._row(qubit) for qubit in (*sign.controls, *sign.targets)] or [0]
        if sign.mark is not Mark.BARRIER and min(rows) < max(rows):
            self.pen.connect(x, self._y(min(rows)), self._y(max(rows)), hot=hot)
        if text := _beside_clbits(sign):
            half = (TALL_BOX_HEIGHT if sign.angles else BOX_HEIGHT) / 2
            is_box = rows[-1] == max(rows) and sign.mark not in {Mark.NOT, Mark.SWAP}
            self.pen.drop(x, self._y(max(rows)) + (half if is_box else 0), self._clbits, text)
        for qubit in sign.controls:
            self.pen.control(x, self._y(self._row(qubit)), hot=hot)
        for place, row in enumerate(rows[len(sign.controls) :]):
            self._target(x, row, sign, f":{place}" if sign.numbered else "", hot=hot)

    def _loop_mark(self, x: float, sign: Symbol) -> None:
        """Draw the beginning or the end of a loop across all wires."""
        rows = range(self.first, self.first + self.num_qubits)
        for row in rows:
            self.pen.barrier(x, self._y(row), _ROW)
        last = self._y(rows[-1]) if rows else self._clbits - _TO_CLBITS / 2
        self.pen.drop(x, last, self._clbits, _beside_clbits(sign))

    def _target(self, x: float, row: int, sign: Symbol, number: str, *, hot: bool) -> None:
        """Draw what stands on one target of an operation."""
        y = self._y(row)
        if sign.mark is Mark.NOT:
            self.pen.target(x, y, hot=hot)
        elif sign.mark is Mark.SWAP:
            self.pen.swap(x, y, hot=hot)
        elif sign.mark is Mark.BARRIER:
            self.pen.barrier(x, y, _ROW)
        elif sign.mark is Mark.MEASURE:
            self.pen.dial(x, y, hot=hot)
        else:
            self.pen.box(x, y, _name(sign) + number, _angles(sign), hot=hot)

    def _is_seen(self, operation: Operation) -> bool:
        return not operation.qubits or min(operation.qubits) < self.num_qubits

    def _row(self, qubit: int) -> int:
        """Return the row of a qubit; those that are not drawn share the last one."""
        return self.first + min(qubit, self.num_qubits)

    def _y(self, row: int) -> float:
        return self.height + _FIRST_ROW + _ROW * row

    @property
    def _clbits(self) -> float:
        """The height of the wire of the clbits."""
        return self._y(len(self.names) - 1) + _TO_CLBITS


def _name(sign: Symbol) -> str:
    return "|0⟩" if sign.mark is Mark.RESET else sign.name


def _angles(sign: Symbol) -> str:
    return sign.angles.replace("-", MINUS).replace(",", ", ")


def _width(sign: Symbol) -> float:
    """Return the width that an operation needs."""
    own = {Mark.NOT: 24.0, Mark.SWAP: 20.0, Mark.BARRIER: 12.0, Mark.MEASURE: 30.0, Mark.SET: 12.0, Mark.WHILE: 12.0,
           Mark.END: 12.0}.get(sign.mark)  # fmt: skip
    number = ":0" if sign.numbered else ""
    box = width_of_box(_name(sign) + number, _angles(sign)) if own is None else own
    return max(box, width_of_label(text) if (text := _beside_clbits(sign)) else 0)


def _beside_clbits(sign: Symbol) -> str:
    """Return what stands under an operation; a condition begins with the name of the wire, unlike a clbit's number."""
    condition = f"c{sign.tests.replace('&', '&c')}" if sign.tests else ""
    if sign.mark in {Mark.WHILE, Mark.END}:
        return f"{sign.name} {condition}".rstrip()
    return "→".join(filter(None, [condition, sign.writes]))


def _description(circuit: CircuitData) -> str:
    """Return a circuit in words, of which there is a bounded number."""
    steps = [sentence(operation) for operation in islice(circuit.operations, MOST_WORDS)]
    left_out = len(circuit.operations) - len(steps)
    steps += [f"and {several(left_out, 'operation')} more"] if left_out else []
    size = f"{several(circuit.num_qubits, 'qubit')}, {several(circuit.num_clbits, 'clbit')}"
    return f"{size}: {'; '.join(steps) or 'no operations'}"


def _remark(circuit: CircuitData, plan: Layout) -> str:
    """Return a sentence about what is not drawn."""
    number = len(circuit.operations)
    parts = []
    if circuit.num_qubits > MOST_QUBITS:
        parts.append(f"qubits 0 to {MOST_QUBITS - 1} of {circuit.num_qubits:,}")
    if plan.left_out:
        parts.append(f"the first {number - plan.left_out:,} of {number:,} operations")
    text = " and ".join(parts)
    return f"{text[0].upper()}{text[1:]} are drawn." if text else ""
