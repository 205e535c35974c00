"""Two charts of a report as SVG: the ruler of distances, and how times grow."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from gateway.compare.presentation.scaling import Curve, Scaling
from gateway.compare.record import Case
from gateway.compare.verdict import Standing, standing
from gateway.look import numbers
from gateway.look.markup import Html, html, join
from gateway.look.sheet import element

LOWEST_EXPONENT = -4
"""The ruler begins at 10 to this power and ends at 1."""

LONGEST_NAME = 12
"""A longer name has no room on the ruler of a phone."""

_DECADES = -LOWEST_EXPONENT
_ROOM_FOR_A_NAME = 0.25
"""The share of the width that a name needs to its left."""

# ---------------------------------------------------------------- the ruler


def ruler(case: Case) -> Html:
    """Return a logarithmic ruler from 0.0001 to 1: what may be missed is grey, and each simulator has its place."""
    found = case.detectable.hardest if case.detectable else 1.0
    where = _place(found)
    parts = [
        Html(f'<rect class="missed" x="0" y="22" width="{where}" height="24"/>'),
        *_axis(),
        Html(f'<line class="limit" x1="{where}" x2="{where}" y1="16" y2="50"/>'),
        _text("may be missed", "0%", 12, "start"),
    ]
    if found < 1:
        # The number gives way to the words at both ends.
        within = min(max(_share(found), 0.2), 0.72)
        parts.append(_text(numbers.short_distance(found), f"{100 * within:.2f}%", 12, "middle", class_="strong"))
        parts.append(_text(join("found", element("tspan", ", 99 times in 100", class_="wide-only")), "100%", 12, "end"))
    label = f"Distances of the simulators on a logarithmic scale; from {numbers.short_distance(found)} upward a "
    return element(
        "svg", *parts, *_simulators(case), class_="ruler", role="img", aria_label=f"{label}difference is found"
    )


def _axis() -> list[Html]:
    parts = [Html('<line class="axis" x1="0" x2="100%" y1="46" y2="46"/>')]
    for exponent in range(LOWEST_EXPONENT, 1):
        share = (exponent - LOWEST_EXPONENT) / _DECADES
        for step in range(1, 10 if exponent < 0 else 2):
            place = _place(step * 10.0**exponent)
            parts.append(Html(f'<line class="axis" x1="{place}" x2="{place}" y1="46" y2="{52 if step == 1 else 49}"/>'))
        anchor = "start" if share == 0 else "end" if share == 1 else "middle"
        parts.append(_text(f"{10.0**exponent:.4f}".rstrip("0").rstrip("."), f"{100 * share:.2f}%", 66, anchor))
    return parts


def _simulators(case: Case) -> list[Html]:
    known = [(row, row.distance) for row in case.rows if row.distance is not None]
    agreeing = sorted(distance for row, distance in known if standing(row) is Standing.AGREES)
    differing = sorted((distance, row.simulator) for row, distance in known if standing(row) is Standing.DIFFERS)
    parts = [Html(f'<circle class="dot" cx="{_place(distance)}" cy="34" r="5"/>') for distance in agreeing]
    if agreeing:
        text = f"{len(agreeing)} that agree" if len(agreeing) > 1 else "agrees"
        parts.append(_beside(text, agreeing[0], agreeing[-1], "name"))
    diamond = '<path class="dot differs" d="M0-8 8 0 0 8-8 0z"/>'
    parts += [Html(f'<svg x="{_place(off)}" y="34" overflow="visible">{diamond}</svg>') for off, _ in differing]
    if differing:
        (lowest, name), (highest, _) = differing[0], differing[-1]
        shortest = name if len(name) <= LONGEST_NAME else "differs"
        alone = f"{shortest} {numbers.short_distance(lowest)}"
        text = alone if len(differing) == 1 else f"{len(differing)} that differ"
        parts.append(_beside(text, lowest, highest, "strong"))
    return parts


def _beside(text: str, lowest: float, highest: float, kind: str) -> Html:
    """Return a text to the left of the lowest place, or where there is no room to the right of the highest."""
    left = _share(lowest) > _ROOM_FOR_A_NAME
    place, by, anchor = (_place(lowest), "-14", "end") if left else (_place(highest), "14", "start")
    return element("text", text, class_=kind, x=place, dx=by, y=38, text_anchor=anchor)


def _share(distance: float) -> float:
    exponent = math.log10(distance) if distance > 0 else LOWEST_EXPONENT
    return min(max((exponent - LOWEST_EXPONENT) / _DECADES, 0.0), 1.0)


def _place(distance: float) -> str:
    return f"{100 * _share(distance):.2f}%"


def _text(text: object, x: str, y: float, anchor: str, class_: str = "") -> Html:
    return element("text", text, x=x, y=y, text_anchor=anchor, class_=class_)


# ---------------------------------------------------------------- times

_WIDTH, _HEIGHT = 784, 320
_LEFT, _RIGHT, _TOP, _BOTTOM = 64, 150, 14, 44
_NAME_HEIGHT = 15


def curves(scaling: Scaling) -> Html:
    """Return the time of a run against the size of the circuit, one line for each simulator, named at its end."""
    seconds = [spread.median for curve in scaling.curves for spread in curve.seconds if spread.median > 0]
    sizes = sorted({size for curve in scaling.curves for size in curve.sizes})
    low = math.floor(math.log10(min(seconds, default=1e-3)))
    high = max(math.ceil(math.log10(max(seconds, default=1.0))), low + 1)

    def across(size: int) -> float:
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (size - sizes[0]) / max(sizes[-1] - sizes[0], 1)

    def down(time: float) -> float:
        share = (math.log10(max(time, 10.0**low)) - low) / (high - low)
        return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * min(share, 1.0)

    grid = [_decade(exponent, down(10.0**exponent)) for exponent in range(low, high + 1)]
    ticks = [_tick(size, across(size)) for size in _spaced(sizes)]
    lines = []
    for place, curve in enumerate(scaling.curves):
        points = [(across(size), spread) for size, spread in zip(curve.sizes, curve.seconds, strict=True)]
        path = "L".join(f"{x:.1f} {down(spread.median):.1f}" for x, spread in points)
        spreads = "".join(f"M{x:.1f} {down(s.lowest):.1f}V{down(s.highest):.1f}" for x, s in points)
        lines.append(Html(f'<path class="curve curve-{place % 12}" d="M{path}"/><path class="spread" d="{spreads}"/>'))
    ends = [(across(curve.sizes[-1]), down(curve.seconds[-1].median)) for curve in scaling.curves]
    names = _names(scaling.curves, ends)
    unit = _text(scaling.unit, f"{(_LEFT + _WIDTH - _RIGHT) / 2:.0f}", _HEIGHT - 6, "middle")
    axis = Html(f'<path class="axis" d="M{_LEFT} {_TOP}V{_HEIGHT - _BOTTOM}H{_WIDTH - _RIGHT}"/>')
    label = f"Time of a run against the number of {scaling.unit}, on a logarithmic scale, for each simulator"
    parts = [*grid, axis, *ticks, *lines, *names, unit]
    return element(
        "svg", *parts, class_="curves", role="img", aria_label=label, viewBox=f"0 0 {_WIDTH} {_HEIGHT}", width=_WIDTH
    )


def _decade(exponent: int, y: float) -> Html:
    line = Html(f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH - _RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
    time = (
        f"{10.0**exponent:g}{numbers.NO_BREAK}s" if exponent >= 0 else f"{10.0 ** (exponent + 3):g}{numbers.NO_BREAK}ms"
    )
    return join(line, _text(time, str(_LEFT - 8), y + 4, "end"))


def _tick(size: int, x: float) -> Html:
    y = _HEIGHT - _BOTTOM
    line = Html(f'<line class="axis" x1="{x:.1f}" x2="{x:.1f}" y1="{y}" y2="{y + 5}"/>')
    return join(line, _text(numbers.integer(size), f"{x:.1f}", y + 18, "middle"))


def _spaced(sizes: Sequence[int]) -> list[int]:
    """Return at most a dozen of the sizes, evenly spaced, the last one included."""
    step = -(-len(sizes) // 12)
    return list(sizes[::-1][::step][::-1])


def _names(curves: Iterable[Curve], ends: Sequence[tuple[float, float]]) -> list[Html]:
    """Return the names at the ends of the lines, moved down where they would lie on each other."""
    named = sorted(zip(ends, curves, strict=True), key=lambda item: item[0][1])
    names, free = [], 0.0
    for (x, y), curve in named:
        free = max(y + 4, free)
        names.append(_text(curve.simulator, f"{x + 8:.1f}", round(free, 1), "start", class_="name"))
        free += _NAME_HEIGHT
    return [html(name) for name in names]
