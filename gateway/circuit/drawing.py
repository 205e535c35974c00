"""Circuit -> a drawing in text: one line per qubit, time from left to right.

::

    q0: ─┤h├─●─┤M├─────
    q1: ─────X──╫──┤M├─
    c:  ════════0═══1══

The clbit that a measurement writes stands below it. The condition of an operation stands below it too, such
as ``0,1=2`` for "clbits 0 and 1, read as a number, are 2". Each operation takes the earliest column where it
does not cross another. The time to draw is proportional to the area of the picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from gateway.circuit.operations import CircuitData, Comparison, Operation

_CONTROLLED: dict[str, tuple[int, str]] = {
    "cx": (1, "X"), "CX": (1, "X"), "cy": (1, "y"), "cz": (1, "z"), "ch": (1, "h"), "cs": (1, "s"),
    "csdg": (1, "sdg"), "csx": (1, "sx"), "cp": (1, "p"), "cu1": (1, "u1"), "crx": (1, "rx"), "cry": (1, "ry"),
    "crz": (1, "rz"), "cu3": (1, "u3"), "cu": (1, "u"), "cswap": (1, "swap"), "ccx": (2, "X"), "ccz": (2, "z"),
    "c3x": (3, "X"), "c3sqrtx": (3, "sx"), "c4x": (4, "X"),
}  # fmt: skip
"""Name -> number of control qubits, and the gate on the other qubits."""

_MARKS = {"X": "X", "swap": "×", "barrier": "░"}  # noqa: RUF001 - the usual mark of a swap
_SYMMETRIC = frozenset(["rzz", "rxx", "ryy", "ms", "iswap"])
_QUANTUM, _CLASSICAL = "─", "═"
_ACROSS, _DOWN = "┼", "╫"
_DENOMINATORS = (1, 2, 3, 4, 6, 8)


def draw(circuit: CircuitData, *, width: int = 100) -> str:
    """Return a drawing of any valid circuit.

    Args:
        circuit: the circuit to draw.
        width: how many characters a line has at most; longer ones are wrapped between columns.
    """
    return "\n".join(line.rstrip() for line in _Drawing(circuit).lines(width))


class _Drawing:
    """The rows and columns of a drawing; a cell without text shows the wire."""

    def __init__(self, circuit: CircuitData) -> None:
        has_phase = any(not operation.qubits and operation.name != "barrier" for operation in circuit.operations)
        self.first = int(has_phase)  # global phases get a row of their own on top
        self.bottom = self.first + circuit.num_qubits
        self.labels = ["phase:"] * self.first + [f"q{qubit}:" for qubit in range(circuit.num_qubits)]
        self.wires = [" "] * self.first + [_QUANTUM] * circuit.num_qubits
        if circuit.num_clbits:
            self.labels.append("c:")
            self.wires.append(_CLASSICAL)
        self.columns: list[dict[int, str]] = []
        self.level = [0] * len(self.labels)
        for operation in circuit.operations:
            self.place(operation)

    def place(self, op: Operation) -> None:
        """Put an operation into the first column where all rows it spans are free."""
        cells = dict(zip([qubit + self.first for qubit in op.qubits], _texts(op), strict=True))
        if op.name == "barrier":
            between = ""
        elif not op.qubits:
            cells[0], between = _label(op), _DOWN
        else:
            between = _ACROSS
        if not cells:
            return
        top, last = min(cells), max(cells)
        low = self.bottom if op.clbits or op.condition else last
        column = max(self.level[top : low + 1])
        self.level[top : low + 1] = [column + 1] * (low + 1 - top)
        if column == len(self.columns):
            self.columns.append({})
        if between:
            cells.update({row: between for row in range(top, last) if row not in cells})
        if low > last:
            cells.update(dict.fromkeys(range(last + 1, low), _DOWN))
            cells[low] = _classical(op)
        self.columns[column].update(cells)

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

    def chunk(self, columns: list[dict[int, str]], margin: int) -> Iterator[str]:
        """Yield one line per row for some columns."""
        sizes = [max(map(len, column.values())) for column in columns]
        for row, (label, wire) in enumerate(zip(self.labels, self.wires, strict=True)):
            cells = [column.get(row, "").center(size, wire) for column, size in zip(columns, sizes, strict=True)]
            yield label.ljust(margin) + wire + "".join([cell + wire for cell in cells])


def _texts(op: Operation) -> list[str]:
    """Return the text to write on each qubit of an operation."""
    name, number = op.name, len(op.qubits)
    if name in _MARKS and name != "X":
        return [_MARKS[name]] * number
    if name == "measure":
        return ["┤M├"]
    if name == "reset":
        return ["┤0├"]
    controls, target = _CONTROLLED.get(name, (0, name))
    text = _MARKS.get(target) or f"┤{target}{_angles(op)}├"
    if number - controls <= 1 or name in _SYMMETRIC or text in _MARKS.values():
        return ["●"] * controls + [text] * (number - controls)
    return [f"┤{target}{_angles(op)}:{place}├" for place in range(number)]


def _label(op: Operation) -> str:
    return f"{op.name}{_angles(op)}"


def _angles(op: Operation) -> str:
    return f"({','.join(map(_angle, op.params))})" if op.params else ""


def _angle(value: float) -> str:
    """Return an angle as a simple fraction of pi, or with four digits."""
    for denominator in _DENOMINATORS if abs(value) < 100 else ():  # noqa: PLR2004 - no fraction is simple there
        numerator = value * denominator / math.pi
        if value and abs(numerator - round(numerator)) < 1e-9:  # noqa: PLR2004 - a picture, not a number
            head = {1: "π", -1: "-π"}.get(round(numerator), f"{round(numerator)}π")
            return head if denominator == 1 else f"{head}/{denominator}"
    return f"{value:.4g}"


def _classical(op: Operation) -> str:
    """Return the text to write on the line of the clbits under an operation."""
    tests = "&".join(map(_test, op.condition))
    writes = str(op.clbits[0]) if op.clbits else ""
    return f"{tests}→{writes}" if tests and writes else tests or writes


def _test(comparison: Comparison) -> str:
    sign = "=" if comparison.equal else "≠"
    return f"{','.join(map(str, comparison.clbits))}{sign}{comparison.value}"
