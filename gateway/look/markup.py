"""The parts of a notebook's outputs as HTML that any notebook shows.

A host puts an output on a background and under rules that are unknown here, and may remove scripts and style sheets.
Each element therefore has its own ``style`` with plain colours; nothing has a class or an id, text has the host's
colour, and what has no style left is still a table with all its numbers.

Whatever is no :class:`Html` is escaped wherever it is put into some, and characters that would hide or reorder others
are replaced.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

from gateway.look.bitstrings import NO_CLBITS, Piece
from gateway.look.theme import MIDTONE_MONO, MIDTONES

BAR_WIDTH_PX = 150

_BLOCK = "font-size:13px;line-height:1.45;padding:4px 0;font-variant-numeric:tabular-nums"
_TABLE = "border-collapse:collapse;margin:0;border:0;font-size:13px;line-height:1.45"
_TRANSPARENT = "background:rgba(0,0,0,0)"
_CELL = "padding:3px 14px 3px 0;border:0"
_STRIPES = (
    ";background-image:linear-gradient(135deg,rgba(255,255,255,0.55) 25%,rgba(255,255,255,0) 25%,"
    "rgba(255,255,255,0) 50%,rgba(255,255,255,0.55) 50%,rgba(255,255,255,0.55) 75%,rgba(255,255,255,0) 75%)"
    ";background-size:6px 6px"
)


_HIDING = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]")
"""Control characters but for tabs and line ends, and characters of Unicode that steer how others are shown."""


class Html(str):
    """A text that is HTML already, and so is not escaped."""

    __slots__ = ()


class Column(NamedTuple):
    """A column of a table.

    Args:
        head: the name of the column.
        under: a second line of the head, such as the unit or the scale.
        right: whether its cells are aligned right, as numbers are.
        mono: whether its cells are bitstrings or code.
    """

    head: str
    under: str = ""
    right: bool = False
    mono: bool = False


class Bold(NamedTuple):
    """A cell of a table that stands out."""

    content: str


def html(text: object) -> Html:
    """Return a text as HTML; what is HTML already stays as it is."""
    return text if isinstance(text, Html) else Html(escape(visible(str(text))))


def visible(text: str) -> str:
    """Return a text in which control characters, and those that reorder or hide others, are replaced."""
    return _HIDING.sub("\N{REPLACEMENT CHARACTER}", text)


def join(*parts: object) -> Html:
    """Return parts one after the other; each that is no HTML is escaped."""
    return Html("".join(map(html, parts)))


def block(*parts: object) -> Html:
    """Return a whole output."""
    return _element("div", _BLOCK, *parts)


def title(text: object, aside: object = "") -> Html:
    """Return the first line of an output: what it is, and quietly where it comes from."""
    quiet = join(" ", _element("span", "opacity:0.75;padding-left:8px", aside)) if aside else ""
    return _element("div", "padding-bottom:6px", strong(text), quiet)


def note(*parts: object) -> Html:
    """Return the quiet last lines of an output."""
    return _element("div", "opacity:0.75;padding-top:6px;overflow-wrap:break-word", *parts)


def strong(text: object) -> Html:
    """Return a text in bold."""
    return join(Html("<strong>"), text, Html("</strong>"))


def quiet(text: object) -> Html:
    """Return a text that is of second importance."""
    return _element("span", "opacity:0.75", text)


def code(text: object) -> Html:
    """Return a short piece of code inside a sentence."""
    return join(Html("<code>"), text, Html("</code>"))


def mark(character: str = "≠") -> Html:
    """Return the mark of who differs, as a character on a filled square."""
    style = f"padding:0 4px;font-weight:bold;font-family:{MIDTONE_MONO}"
    return _element("span", f"background-color:{MIDTONES.tile_hot};color:{MIDTONES.on_tile};{style}", character)


def folded(summary: object, *parts: object) -> Html:
    """Return something that is folded to one line until it is asked for."""
    line = join(Html('<summary style="cursor:pointer">'), summary, Html("</summary>"))
    return _element("details", "padding-top:8px", line, *parts)


def listing(text: str) -> Html:
    """Return a text of several lines, such as a circuit in OpenQASM or the whole message of an error."""
    style = "font-size:13px;line-height:1.4;padding:8px 12px;margin:6px 0 0 0;max-height:12em;overflow:auto"
    border = f"border:1px solid {MIDTONES.faint_rule};{_TRANSPARENT};white-space:pre-wrap;overflow-wrap:break-word"
    return _element("pre", f"font-family:{MIDTONE_MONO};{style};{border}", text)


def table(columns: Sequence[Column], rows: Sequence[Sequence[object]]) -> Html:
    """Return a table, which scrolls by itself where it is wider than its place.

    Args:
        columns: the heads, and how cells are aligned.
        rows: the cells of each row, as text, HTML or :class:`Bold`.
    """
    is_tall = any(column.head and column.under for column in columns)
    head = _row([_head(column, is_tall=is_tall) for column in columns])
    body = [_row([_cell(cell, column) for cell, column in zip(row, columns, strict=True)]) for row in rows]
    parts = [Html("<thead>"), head, Html("</thead><tbody>"), *body, Html("</tbody>")]
    return scrolling(_element("table", _TABLE, *parts))


def pairs(facts: Mapping[str, object]) -> Html:
    """Return facts as a table without a head: what it is, and its value, which is wrapped where it is long."""
    rows = [
        _row([_cell(quiet(name), Column("")), _cell(value, Column(""), wraps=True)]) for name, value in facts.items()
    ]
    return _element("table", _TABLE, Html("<tbody>"), *rows, Html("</tbody>"))


def scrolling(content: object) -> Html:
    """Return something that scrolls by itself where it is wider than its place."""
    return _element("div", "overflow-x:auto", content)


def bar(
    share: float,
    *,
    differs: bool = False,
    hollow: bool = False,
    tick: float | None = None,
    chance: tuple[float, float] | None = None,
    width_px: int = BAR_WIDTH_PX,
) -> Html:
    """Return a bar on its scale; all numbers are shares of the scale, from 0 to 1.

    Args:
        share: the length of the bar.
        differs: whether the bar is that of who differs.
        hollow: whether the bar is the reference itself.
        tick: where the reference is.
        chance: from where to where chance alone may lead.
        width_px: the length of the scale.
    """
    parts = []
    if chance is not None:
        low, high = map(_inside, chance)
        place = f"top:0;height:16px;left:{_per_cent(low)};width:{_per_cent(high - low)}"
        parts.append(_part(f"{place};background:{MIDTONES.chance}"))
    if share > 0:
        paint = "border:1px solid" if hollow else f"background-color:{MIDTONES.differ if differs else MIDTONES.datum}"
        stripes = _STRIPES if differs and not hollow else ""
        parts.append(_part(f"top:3px;height:10px;left:0;width:{_per_cent(_inside(share))};{paint}{stripes}"))
    if tick is not None:
        parts.append(_part(f"top:0;height:16px;left:{_per_cent(_inside(tick))};border-left:2px solid"))
    track = f"position:relative;height:16px;width:{width_px}px;border-bottom:1px solid {MIDTONES.faint_rule}"
    return _element("div", track, *parts)


def progress(share: float) -> Html:
    """Return a bar of how much is done, from 0 to 1; the words beside it say the same."""
    done = f"position:absolute;left:0;top:0;height:10px;width:{_per_cent(_inside(share))}"
    frame = f"position:relative;height:10px;max-width:420px;border:1px solid {MIDTONES.datum}"
    return _element("div", frame, _element("div", f"{done};background-color:{MIDTONES.datum}"))


def bits(pieces: Sequence[Piece]) -> Html:
    """Return a bitstring from its pieces; the whole of it is the title."""
    if not pieces:
        return quiet(NO_CLBITS)
    whole = "".join(piece.bits for piece in pieces)
    if whole == pieces[0].text:
        return html(whole)
    spans: list[object] = [_piece(pieces[0], gap_px=0)]
    for previous, piece in pairwise(pieces):
        is_gap_seen = previous.form == piece.form == "bits"  # beside a number, a gap has to be there without a style
        spans += [_piece(piece, gap_px=4)] if is_gap_seen else [" ", _piece(piece, gap_px=0)]
    return join(Html(f'<span title="{escape(whole)}">'), *spans, Html("</span>"))


def picture(svg: str, description: str, width_px: float, height_px: float) -> Html:
    """Return an SVG as an image in the document itself, so that the host can change nothing in it."""
    size = f'width="{width_px:.0f}" height="{height_px:.0f}" style="max-width:none;margin:0;display:block"'
    data = b64encode(svg.encode()).decode()
    source = f'src="data:image/svg+xml;base64,{data}"'
    return _element("div", "overflow:auto;max-height:720px", Html(f'<img alt="{html(description)}" {size} {source}>'))


def _element(name: str, style: str, *parts: object) -> Html:
    return join(Html(f'<{name} style="{style}">'), *parts, Html(f"</{name}>"))


def _row(cells: Sequence[Html]) -> Html:
    return _element("tr", _TRANSPARENT, *cells)


def _head(column: Column, *, is_tall: bool) -> Html:
    under = _element("span", "opacity:0.75;font-weight:normal", column.under) if column.under else ""
    first_line = column.head or (Html("&nbsp;") if is_tall and column.under else "")
    content = join(first_line, Html("<br>") if first_line and under else "", under)
    rule = f"border-bottom:1px solid {MIDTONES.rule};vertical-align:bottom;font-weight:bold"
    return _element("th", f"text-align:{_side(column)};{_CELL};white-space:nowrap;{rule}", content)


def _cell(cell: object, column: Column, *, wraps: bool = False) -> Html:
    weight, content = ("bold", cell.content) if isinstance(cell, Bold) else ("normal", cell)
    rule = f"border-bottom:1px solid {MIDTONES.faint_rule};vertical-align:middle;font-weight:{weight}"
    font = f";font-family:{MIDTONE_MONO}" if column.mono else ""
    spaces = f"white-space:{'normal' if wraps else 'nowrap'}"
    return _element("td", f"text-align:{_side(column)};{_CELL};{spaces};{rule}{font}", content)


def _side(column: Column) -> str:
    return "right" if column.right else "left"


def _part(style: str) -> Html:
    return _element("div", f"position:absolute;{style}")


def _piece(piece: Piece, *, gap_px: int) -> Html:
    fragments = [
        join(Html("<u><b>"), text, Html("</b></u>")) if is_marked else html(text) for text, is_marked in piece.fragments
    ]
    if piece.form == "number":
        fragments[1] = quiet(fragments[1])
    return _element("span", f"padding-left:{gap_px}px", *fragments)


def _inside(share: float) -> float:
    return min(max(share, 0.0), 1.0)


def _per_cent(share: float) -> str:
    return f"{100 * share:.1f}%"
