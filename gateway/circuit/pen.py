"""Draws the parts of a circuit's picture as SVG elements, in the colours of a palette. Lengths are pixels."""

from __future__ import annotations

from typing import NamedTuple

from gateway.look.markup import html
from gateway.look.theme import MIDTONES

BOX_WIDTH, BOX_HEIGHT, TALL_BOX_HEIGHT = 28.0, 28.0, 32.0
_LETTER, _SMALL_LETTER = 7.2, 6.3
"""The widths of letters of 12 and 10.5 pixels in the fonts for code."""


class Palette(NamedTuple):
    """The colours of a picture.

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


NOTEBOOK = Palette(
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

PAGE = Palette(
    box="var(--paper)",
    outline="var(--ink)",
    letter="var(--ink)",
    quiet="var(--soft)",
    hot="var(--differ)",
    on_hot="var(--on-differ)",
    wire="var(--edge)",
    line="var(--ink)",
    tile="",
)
"""For a picture that is part of a page: its colours are the variables of :class:`gateway.look.theme.Theme`."""


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
        letter, quiet = (self.palette.on_hot,) * 2 if hot else (self.palette.letter, self.palette.quiet)
        self._text(x, y - 2.5 if angles else y + 4, name, letter, bold=hot)
        if angles:
            self._text(x, y + 10.5, angles, quiet, size=10.5, bold=hot)

    def dial(self, x: float, y: float, *, hot: bool) -> None:
        """Draw a measurement around its middle."""
        self._frame(x, y, BOX_WIDTH + 2, BOX_HEIGHT, hot=hot)
        needle = f"M{_n(x - 9)} {_n(y + 6)}a9 9 0 0 1 18 0M{_n(x)} {_n(y + 6)}l6.5 -13"
        self._path(needle, self.palette.on_hot if hot else self.palette.letter, 1.4)

    def target(self, x: float, y: float, *, hot: bool) -> None:
        """Draw the target of a controlled x around its middle."""
        fill, color = self._fill(hot=hot)
        outline = self.palette.hot if hot else self.palette.outline
        self.elements.append(
            f'<circle cx="{_n(x)}" cy="{_n(y)}" r="9.5" fill="{fill}" stroke="{outline}" stroke-width="1.25"/>'
        )
        self._path(f"M{_n(x - 9.5)} {_n(y)}h19M{_n(x)} {_n(y - 9.5)}v19", color, 1.25)

    def control(self, x: float, y: float, *, hot: bool) -> None:
        """Draw the dot of a control."""
        color = self.palette.hot if hot else self.palette.outline
        self.elements.append(f'<circle cx="{_n(x)}" cy="{_n(y)}" r="4.5" fill="{color}"/>')

    def swap(self, x: float, y: float, *, hot: bool) -> None:
        """Draw the cross of a swap."""
        color = self.palette.hot if hot else self.palette.line
        self._path(f"M{_n(x - 6)} {_n(y - 6)}l12 12m0 -12l-12 12", color, 2)

    def barrier(self, x: float, y: float, height: float) -> None:
        """Draw the barrier on one wire."""
        self._path(f"M{_n(x)} {_n(y - height / 2)}v{_n(height)}", self.palette.wire, 1.5, ' stroke-dasharray="3 3"')

    def connect(self, x: float, top: float, bottom: float, *, hot: bool) -> None:
        """Draw the line between the qubits of a gate."""
        self._path(f"M{_n(x)} {_n(top)}V{_n(bottom)}", self.palette.hot if hot else self.palette.line, 1.25)

    def wire(self, left: float, right: float, y: float) -> None:
        """Draw the wire of a qubit."""
        self._path(f"M{_n(left)} {_n(y)}H{_n(right)}", self.palette.wire, 1.25)

    def double_wire(self, left: float, right: float, y: float) -> None:
        """Draw the wire of the clbits."""
        self.wire(left, right, y - 1.5)
        self.wire(left, right, y + 1.5)

    def drop(self, x: float, top: float, bottom: float, text: str) -> None:
        """Draw the double line down to the clbits, and what stands below it."""
        lines = "".join([f"M{_n(x + side)} {_n(top)}V{_n(bottom - 1.5)}" for side in (-1.5, 1.5)])
        self._path(lines, self.palette.wire, 1.25)
        self.elements.append(f'<circle cx="{_n(x)}" cy="{_n(bottom)}" r="3.5" fill="{self.palette.line}"/>')
        self._label(x, bottom + 13, text, 15)

    def name(self, right: float, y: float, text: str) -> None:
        """Write the name of a wire to the left of it."""
        self._label(right - width_of_label(text) / 2, y, text, 20)

    def _label(self, x: float, y: float, text: str, height: float) -> None:
        if self.palette.tile:
            self._rectangle(x, y, width_of_label(text), height, f'rx="2" fill="{self.palette.tile}"')
        self._text(x, y + 4, text, self.palette.quiet)

    def _frame(self, x: float, y: float, width: float, height: float, *, hot: bool) -> None:
        fill, _ = self._fill(hot=hot)
        outline = self.palette.hot if hot else self.palette.outline
        self._rectangle(x, y, width, height, f'fill="{fill}" stroke="{outline}" stroke-width="1.25"')

    def _fill(self, *, hot: bool) -> tuple[str, str]:
        """Return the colour of a box and of what is drawn in it."""
        return (self.palette.hot, self.palette.on_hot) if hot else (self.palette.box, self.palette.letter)

    def _rectangle(self, x: float, y: float, width: float, height: float, paint: str) -> None:
        place = f'x="{_n(x - width / 2)}" y="{_n(y - height / 2)}" width="{_n(width)}" height="{_n(height)}"'
        self.elements.append(f"<rect {place} {paint}/>")

    def _path(self, path: str, color: str, width: float, more: str = "") -> None:
        self.elements.append(f'<path d="{path}" fill="none" stroke="{color}" stroke-width="{width:g}"{more}/>')

    def _text(self, x: float, y: float, text: str, color: str, *, size: float = 12, bold: bool = False) -> None:
        weight = ' font-weight="bold"' if bold else ""
        place = f'x="{_n(x)}" y="{_n(y)}" text-anchor="middle" font-size="{size:g}"'
        self.elements.append(f'<text {place} fill="{color}"{weight}>{html(text)}</text>')


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
