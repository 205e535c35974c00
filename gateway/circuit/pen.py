"""Draws the parts of a circuit's picture as SVG elements, in the manner of a palette. Lengths are pixels."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, Protocol

from gateway.look.markup import html
from gateway.look.theme import MIDTONE_MONO, MIDTONES

BOX_WIDTH, BOX_HEIGHT, TALL_BOX_HEIGHT = 28.0, 28.0, 32.0
_LETTER, _SMALL_LETTER = 7.2, 6.3
"""The widths of letters of 12 and 10.5 pixels in the fonts for code."""


class Part(StrEnum):
    """What is drawn; the values are the classes of pages."""

    BOX = "g"
    """The outline of a gate, and the circle of the target of a controlled x."""
    NAME = "gt"
    ANGLES = "gp"
    FIGURE = "m"
    """What is drawn in an outline: the dial of a measurement, the cross of a controlled x."""
    DOT = "ctl"
    SWAP = "x"
    LINK = "v"
    """The line between the qubits of a gate."""
    WIRE = "w"
    BARRIER = "bar"
    QUBIT = "ql"
    """The name of a wire."""
    CLBIT = "ci"
    """What stands beside the clbits."""


class Palette(Protocol):
    """How the parts of a picture look."""

    @property
    def root(self) -> str:
        """The attributes of the whole picture."""

    @property
    def tile(self) -> str:
        """What the names of qubits and clbits stand on, where the background is unknown; otherwise empty."""

    def look(self, part: Part, *, hot: bool) -> str:
        """Return the attributes of a part; ``hot`` for an operation that stands out."""


class Colours(NamedTuple):
    """A palette of colours, for an image that has to look the same wherever it is shown.

    Args:
        box: the inside of a box.
        outline: the outline of a box.
        letter: names of gates, and what is drawn in a box.
        quiet: angles, and the names of qubits and clbits.
        hot: the box of an operation that stands out.
        on_hot: what stands in it.
        wire: the wires, and double lines.
        line: what connects the qubits of a gate.
        tile: what names of qubits and clbits stand on, where the background is unknown; otherwise empty.
    """

    box: str
    outline: str
    letter: str
    quiet: str
    hot: str
    on_hot: str
    wire: str
    line: str
    tile: str

    @property
    def root(self) -> str:
        """The font."""
        return f'font-family="{MIDTONE_MONO}"'

    def look(self, part: Part, *, hot: bool) -> str:
        """Return the colours and the sizes of a part."""
        color = self._color(part, hot=hot)
        if part is Part.BOX:
            return f'fill="{color}" stroke="{self.hot if hot else self.outline}" stroke-width="1.25"'
        if part is Part.DOT:
            return f'fill="{color}"'
        if part in _STROKES:
            return f'fill="none" stroke="{color}" {_STROKES[part]}'
        size = "10.5" if part is Part.ANGLES else "12"
        weight = ' font-weight="bold"' if hot else ""
        return f'text-anchor="middle" font-size="{size}" fill="{color}"{weight}'

    def _color(self, part: Part, *, hot: bool) -> str:
        if part in {Part.NAME, Part.FIGURE}:
            return self.on_hot if hot else self.letter
        if part in {Part.ANGLES, Part.QUBIT, Part.CLBIT}:
            return self.on_hot if hot else self.quiet
        if part in {Part.WIRE, Part.BARRIER}:
            return self.wire
        usual = {Part.BOX: self.box, Part.DOT: self.outline}.get(part, self.line)
        return self.hot if hot else usual


_STROKES = {
    Part.FIGURE: 'stroke-width="1.4"',
    Part.SWAP: 'stroke-width="2"',
    Part.LINK: 'stroke-width="1.25"',
    Part.WIRE: 'stroke-width="1.25"',
    Part.BARRIER: 'stroke-width="1.5" stroke-dasharray="3 3"',
}


class Classes(NamedTuple):
    """A palette of classes, which the style sheet of a page gives their colours."""

    root: str = 'class="circuit"'
    tile: str = ""

    def look(self, part: Part, *, hot: bool) -> str:
        """Return the classes of a part."""
        return f'class="{part} hot"' if hot else f'class="{part}"'


NOTEBOOK = Colours(
    box=MIDTONES.tile,
    outline=MIDTONES.tile,
    letter=MIDTONES.on_tile,
    quiet=MIDTONES.on_tile,
    hot=MIDTONES.tile_hot,
    on_hot=MIDTONES.on_tile,
    wire=MIDTONES.rule,
    line=MIDTONES.rule,
    tile=MIDTONES.tile,
)
"""For an image on a background that is unknown: every letter stands on a tile."""

PAGE = Classes()
"""For a picture that is part of a page or a report: its looks are in ``sheet.css`` of :mod:`gateway.look`."""


def width_of_box(name: str, angles: str) -> float:
    """Return the width of a box with a name and angles."""
    return max(BOX_WIDTH, _LETTER * len(name) + 8, _SMALL_LETTER * len(angles) + 10)


def width_of_label(text: str) -> float:
    """Return the width of the name of a wire or of what stands beside the clbits."""
    return _LETTER * len(text) + 8


class Pen:
    """Draws with a palette.

    Attributes:
        elements: the SVG elements so far.
    """

    def __init__(self, palette: Palette) -> None:
        self.palette = palette
        self.elements: list[str] = []

    def box(self, x: float, y: float, name: str, angles: str, *, hot: bool) -> None:
        """Draw a gate around its middle."""
        self._frame(x, y, width_of_box(name, angles), TALL_BOX_HEIGHT if angles else BOX_HEIGHT, hot=hot)
        self._text(x, y - 2.5 if angles else y + 4, name, Part.NAME, hot=hot)
        if angles:
            self._text(x, y + 10.5, angles, Part.ANGLES, hot=hot)

    def dial(self, x: float, y: float, *, hot: bool) -> None:
        """Draw a measurement around its middle."""
        self._frame(x, y, BOX_WIDTH + 2, BOX_HEIGHT, hot=hot)
        self._path(f"M{_n(x - 9)} {_n(y + 6)}a9 9 0 0 1 18 0M{_n(x)} {_n(y + 6)}l6.5 -13", Part.FIGURE, hot=hot)

    def target(self, x: float, y: float, *, hot: bool) -> None:
        """Draw the target of a controlled x around its middle."""
        self._circle(x, y, "9.5", Part.BOX, hot=hot)
        self._path(f"M{_n(x - 9.5)} {_n(y)}h19M{_n(x)} {_n(y - 9.5)}v19", Part.FIGURE, hot=hot)

    def control(self, x: float, y: float, *, hot: bool) -> None:
        """Draw the dot of a control."""
        self._circle(x, y, "4.5", Part.DOT, hot=hot)

    def swap(self, x: float, y: float, *, hot: bool) -> None:
        """Draw the cross of a swap."""
        self._path(f"M{_n(x - 6)} {_n(y - 6)}l12 12m0 -12l-12 12", Part.SWAP, hot=hot)

    def barrier(self, x: float, y: float, height: float) -> None:
        """Draw the barrier on one wire."""
        self._path(f"M{_n(x)} {_n(y - height / 2)}v{_n(height)}", Part.BARRIER)

    def connect(self, x: float, top: float, bottom: float, *, hot: bool) -> None:
        """Draw the line between the qubits of a gate."""
        self._path(f"M{_n(x)} {_n(top)}V{_n(bottom)}", Part.LINK, hot=hot)

    def wire(self, left: float, right: float, y: float) -> None:
        """Draw the wire of a qubit."""
        self._path(f"M{_n(left)} {_n(y)}H{_n(right)}", Part.WIRE)

    def double_wire(self, left: float, right: float, y: float) -> None:
        """Draw the wire of the clbits."""
        self.wire(left, right, y - 1.5)
        self.wire(left, right, y + 1.5)

    def drop(self, x: float, top: float, bottom: float, text: str) -> None:
        """Draw the double line down to the clbits, and what stands below it."""
        lines = "".join([f"M{_n(x + side)} {_n(top)}V{_n(bottom - 1.5)}" for side in (-1.5, 1.5)])
        self._path(lines, Part.WIRE)
        self._circle(x, bottom, "3.5", Part.DOT)
        self._label(x, bottom + 13, text, 15, Part.CLBIT)

    def name(self, right: float, y: float, text: str) -> None:
        """Write the name of a wire to the left of it."""
        self._label(right - width_of_label(text) / 2, y, text, 20, Part.QUBIT)

    def _label(self, x: float, y: float, text: str, height: float, part: Part) -> None:
        if self.palette.tile:
            self._rectangle(x, y, width_of_label(text), height, f'rx="2" fill="{self.palette.tile}"')
        self._text(x, y + 4, text, part)

    def _frame(self, x: float, y: float, width: float, height: float, *, hot: bool) -> None:
        self._rectangle(x, y, width, height, self.palette.look(Part.BOX, hot=hot))

    def _rectangle(self, x: float, y: float, width: float, height: float, paint: str) -> None:
        place = f'x="{_n(x - width / 2)}" y="{_n(y - height / 2)}" width="{_n(width)}" height="{_n(height)}"'
        self.elements.append(f"<rect {place} {paint}/>")

    def _circle(self, x: float, y: float, radius: str, part: Part, *, hot: bool = False) -> None:
        look = self.palette.look(part, hot=hot)
        self.elements.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{radius}" {look}/>')

    def _path(self, path: str, part: Part, *, hot: bool = False) -> None:
        self.elements.append(f'<path d="{path}" {self.palette.look(part, hot=hot)}/>')

    def _text(self, x: float, y: float, text: str, part: Part, *, hot: bool = False) -> None:
        look = self.palette.look(part, hot=hot)
        self.elements.append(f'<text x="{_n(x)}" y="{_n(y)}" {look}>{html(text)}</text>')


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
