"""A comparison as a picture: an SVG that is drawn here, or a PNG that matplotlib draws.

The SVG has its colours and sizes in attributes, so that other programs than browsers show it, too.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence

from gateway.compare.presentation import tables, words
from gateway.compare.presentation.marks import CHARACTERS, with_news
from gateway.compare.presentation.matrix import Column, Matrix, matrix
from gateway.compare.presentation.outcome_table import content, expectation
from gateway.compare.record import Case, Record, Row
from gateway.compare.verdict import Standing, standing
from gateway.errors import RequestError
from gateway.look import numbers
from gateway.look.bitstrings import plain_text, readable
from gateway.look.markup import Html, join
from gateway.look.sheet import element, visible
from gateway.look.theme import LIGHT

LISTED = 30
"""So many circuits at most have a line; those that differ come first."""

LONGEST_NAME = 20
"""The characters of a name that fit above a panel."""

_MARGIN, _ROW, _HEAD, _FOOT, _BAR = 16, 20, 34, 26, 16
_PANEL, _NUMBER, _GAP = 156, 44, 14
_CHARACTER = 7.3
"""The width of a letter of the fixed pitch in pixels."""

_SANS = "system-ui, 'Segoe UI', Roboto, 'Noto Sans', 'DejaVu Sans', sans-serif"
_MONO = "ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace"
_PAINT = {
    "track": f'fill="{LIGHT.line}"',
    "chance": f'fill="{LIGHT.chance}"',
    "datum": f'fill="{LIGHT.datum}"',
    "datum differs": f'fill="{LIGHT.differ}"',
    "stripes": 'fill="url(#stripes)"',
    "hollow": f'fill="none" stroke="{LIGHT.ink}" stroke-width="1.25"',
    "halo": f'stroke="{LIGHT.paper}" stroke-width="3"',
    "tick": f'stroke="{LIGHT.ink}" stroke-width="2"',
    "span": f'stroke="{LIGHT.ink}" stroke-width="1"',
    "bar": f'width="100%" height="{_BAR}" overflow="visible"',
}
"""The class of a part of a bar -> the attributes with which it looks as on a page."""

_STRIPES = (
    '<defs><pattern id="stripes" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(-45)">'
    f'<rect fill="{LIGHT.paper}" width="1.6" height="5"/></pattern></defs>'
)


def svg_picture(record: Record) -> str:
    """Return a picture of a comparison as SVG: histograms of one circuit, or how far who is on each of several.

    Raises:
        RequestError: no simulator has results.
    """
    if len(record.cases) == 1:
        (case,) = record.cases
        found = matrix(case, record.false_alarm_rate)
        if found is not None:
            return _histograms(found, case)
    elif record.rows:
        return _circuits(record)
    raise RequestError("there is nothing to draw: no simulator has counts", field="record")


def png_picture(record: Record) -> bytes:
    """Return a picture of a comparison as PNG.

    Raises:
        FrameworkNotInstalled: matplotlib, which draws it, is not installed.
        RequestError: no simulator has results.
    """
    from gateway.compare.presentation.plotting import plot  # noqa: PLC0415 - needs matplotlib, which is optional

    picture = io.BytesIO()
    plot(record).savefig(picture, format="png")
    return picture.getvalue()


# ---------------------------------------------------------------- one circuit


def _histograms(found: Matrix, case: Case) -> str:
    labels = _labels(found)
    left = _MARGIN + _CHARACTER * max(map(len, labels)) + _GAP
    lines = len(labels) + bool(found.others)
    first = [] if found.expected is None else ["reference"]
    panels = [left + place * (_PANEL + _GAP) for place in range(len(first) + len(found.columns))]
    parts = [_text(_MARGIN, _baseline(row), label, mono=True) for row, label in enumerate(labels)]
    if found.others:
        parts.append(_text(_MARGIN, _baseline(len(labels)), words.others(found), fill=LIGHT.soft))
    if first:
        parts += _panel(panels[0], "reference", [expectation(found, row) for row in range(len(labels))])
    for x, column in zip(panels[len(first) :], found.columns, strict=True):
        cells = [content(found, cell, row) for row, cell in enumerate(column.cells)]
        parts += _panel(x, column.title, cells, column)
        if found.others:
            share = f"{'±' if found.of_clbits else ''}{numbers.per_cent(column.others, found.end)}"
            parts.append(_number(x, len(labels), share, fill=LIGHT.soft))
    note = f"{case.name}: {words.outcomes(found, case)}"
    return _document(panels[-1] + _PANEL + _MARGIN, lines, note, parts)


def _labels(found: Matrix) -> list[str]:
    if found.of_clbits:
        return [f"clbit {label}" for label in found.labels]
    return [plain_text(pieces) for pieces in readable([str(label) for label in found.labels])]


def _panel(x: float, title: str, cells: Sequence[tuple[str, Html]], column: Column | None = None) -> Iterator[Html]:
    """Yield a name, and a number with its bar for each row."""
    differs = column is not None and column.differs
    name = f"{'≠ ' * differs}{_short(title)}"
    yield _text(x + _NUMBER, _HEAD - 8, name, weight=600, fill=LIGHT.differ if differs else LIGHT.ink)
    for row, (text, drawn) in enumerate(cells):
        is_marked = column is not None and column.cells[row].differs
        yield _number(x, row, f"{'≠ ' * is_marked}{text}", weight=600 if is_marked else None)
        y, width = _HEAD + row * _ROW + (_ROW - _BAR) / 2, _PANEL - _NUMBER - 6
        place = Html(f'<svg x="{x + _NUMBER + 6:g}" y="{y:g}" width="{width}" height="{_BAR}" overflow="visible">')
        yield join(place, _painted(drawn), Html("</svg>"))


def _painted(drawn: Html) -> Html:
    """Return a bar that looks as it does on a page, without the sheet of a page."""
    return Html(re.sub(r'class="([^"]*)"', lambda found: _PAINT[found[1]], drawn))


# ---------------------------------------------------------------- several circuits


def _circuits(record: Record) -> str:
    names = list(dict.fromkeys(row.simulator for row in record.rows))
    listed = with_news(record.cases, LISTED)
    left = _MARGIN + _CHARACTER * max(len(_short(case.name)) for _, case in listed) + _GAP
    places = {name: left + place * (_PANEL + _GAP) for place, name in enumerate(names)}
    parts = [_text(x, _HEAD - 8, _short(name), weight=600) for name, x in places.items()]
    for line, (_, case) in enumerate(listed):
        parts.append(_text(_MARGIN, _baseline(line), _short(case.name)))
        parts += [_circuit_cell(places[row.simulator], line, row) for row in case.rows]
    left_out = len(record.cases) - len(listed)
    more = f"; {numbers.several(left_out, 'more circuit')} without news" if left_out else ""
    note = f"total variation distance from the reference{more}"
    return _document(max(places.values()) + _PANEL + _MARGIN, len(listed), note, parts)


def _circuit_cell(x: float, line: int, row: Row) -> Html:
    found = standing(row)
    known = row.distance is not None and found in {Standing.AGREES, Standing.DIFFERS}
    text = f"{CHARACTERS[found]} {numbers.distance(row.distance or 0.0) if known else tables.says(row)}".strip()
    if found is not Standing.DIFFERS:
        return _text(x, _baseline(line), text)
    y = _HEAD + line * _ROW + 2
    square = Html(f'<rect x="{x - 6:g}" y="{y}" width="{_PANEL}" height="{_ROW - 4}" fill="{LIGHT.differ}"/>')
    return join(square, _text(x, _baseline(line), text, weight=600, fill=LIGHT.on_differ))


# ---------------------------------------------------------------- markup


def _document(width: float, lines: int, note: str, parts: Sequence[Html]) -> str:
    """Return the picture, with a line beneath that says what it shows."""
    size = 12
    width = max(width, 2 * _MARGIN + 0.58 * size * len(note))
    height = _HEAD + lines * _ROW + _FOOT + _MARGIN
    paper = Html(f'<rect width="100%" height="100%" fill="{LIGHT.paper}"/>')
    beneath = _text(_MARGIN, height - _MARGIN, note, fill=LIGHT.soft)
    whole = element(
        "svg",
        Html(_STRIPES),
        paper,
        *parts,
        beneath,
        xmlns="http://www.w3.org/2000/svg",
        width=f"{width:.0f}",
        height=f"{height}",
        viewBox=f"0 0 {width:.0f} {height}",
        font_family=_SANS,
        font_size=size,
        role="img",
        aria_label=note,
    )
    return visible(f"{whole}\n")


def _text(
    x: float,
    y: float,
    text: str,
    *,
    fill: str = LIGHT.ink,
    weight: int | None = None,
    anchor: str | None = None,
    mono: bool = False,
) -> Html:
    family = _MONO if mono else None
    return element(
        "text", text, x=f"{x:g}", y=f"{y:g}", fill=fill, font_weight=weight, text_anchor=anchor, font_family=family
    )


def _number(x: float, row: int, text: str, *, fill: str = LIGHT.ink, weight: int | None = None) -> Html:
    return _text(x + _NUMBER, _baseline(row), text, fill=fill, weight=weight, anchor="end")


def _baseline(row: int) -> float:
    return _HEAD + row * _ROW + _ROW / 2 + 4


def _short(name: str) -> str:
    """Return a name that has a place above a panel: on one line, its end left out where it is long."""
    line = " ".join(name.split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"
