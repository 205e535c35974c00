"""A comparison as a plot: histograms side by side, who agrees with whom where there are many, curves for a series.

This module needs matplotlib, which the extra ``plot`` installs.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from gateway.compare.presentation import tables
from gateway.compare.presentation.marks import CHARACTERS, with_news
from gateway.compare.presentation.matrix import SIDE_BY_SIDE, Column, Matrix, matrix
from gateway.compare.presentation.pairs import Pairs, pairs
from gateway.compare.presentation.scaling import Scaling, scaling
from gateway.compare.record import Case, Record, Row
from gateway.compare.verdict import Standing, standing
from gateway.errors import RequestError
from gateway.look import numbers
from gateway.look.plotting import Plot, bars, inches, name_rows, style, theme_of
from gateway.look.sheet import visible
from gateway.look.theme import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

LISTED = 30
"""So many circuits at most have a line in the matrix of circuits; those that differ come first."""

LONGEST_NAME = 18
"""The characters of a name that fit above a panel."""

_Drawing = Callable[["SubFigure", Theme], None]


def plot(record: Record, *, theme: str = "light") -> Figure:
    """Return a figure of a comparison.

    One circuit is drawn as histograms on one scale, with the distances of all pairs below them where more than six
    simulators took part. Several circuits are drawn as a matrix of circuits and simulators; if they are a series, the
    time of a run is drawn against their size, too.

    Args:
        record: the comparison.
        theme: ``light`` or ``dark``.

    Raises:
        RequestError: there is no such theme, or no simulator has counts or times.
    """
    colors = theme_of(theme)
    parts = _of_one(record, record.cases[0]) if len(record.cases) == 1 else _of_several(record)
    if not parts:
        raise RequestError("there is nothing to plot: no simulator has results", field="record")
    width = max(size[0] for size, _ in parts)
    heights = [size[1] for size, _ in parts]
    with style(colors):
        figure = Plot(figsize=(width, sum(heights)), layout="constrained")
        rows = figure.subfigures(len(parts), 1, height_ratios=heights, squeeze=False)
        for (_, draw), (row,) in zip(parts, rows, strict=True):
            draw(row, colors)
    return figure


_Part = tuple[tuple[float, float], _Drawing]
"""A size in inches, and what draws there."""


def _of_one(record: Record, case: Case) -> list[_Part]:
    parts: list[_Part] = []
    found = matrix(case, record.false_alarm_rate)
    if found is not None:
        panels = len(found.columns) + (found.expected is not None)
        labels = ["clbit 00"] * len(found.labels) if found.of_clbits else [str(label) for label in found.labels]
        parts.append((inches(labels, panels), lambda place, theme: _histograms(place, theme, found, case)))
        counted = sum(bool(row.counts) for row in case.rows)
        if counted > SIDE_BY_SIDE and not found.of_clbits:
            far = pairs(case)
            size = (1.0 + 0.75 * len(far.names), 0.7 + 0.3 * len(far.names))
            parts.append((size, lambda place, theme: _pairs(place, theme, far)))
    return parts


def _of_several(record: Record) -> list[_Part]:
    parts: list[_Part] = []
    if record.rows:
        listed = min(len(record.cases), LISTED)
        names = list(dict.fromkeys(row.simulator for row in record.rows))
        size = (2.0 + 0.95 * len(names), 0.8 + 0.28 * listed)
        parts.append((size, lambda place, theme: _circuits(place, theme, record, names)))
    found = scaling(record)
    if found is not None:
        parts.append(((6.5, 3.2), lambda place, theme: _curves(place, theme, found, record)))
    return parts


# ---------------------------------------------------------------- histograms


def _histograms(place: SubFigure, theme: Theme, found: Matrix, case: Case) -> None:
    panels = place.subplots(1, len(found.columns) + (found.expected is not None), sharey=True, squeeze=False)[0]
    axes = list(panels)
    if found.expected is not None:
        end = max(found.expected) if found.of_clbits else found.end
        bars(axes[0], found.expected, theme=theme, end=end or 1.0, title="reference", hollow=True)
        axes = axes[1:]
    draw = _deviations if found.of_clbits and found.expected is not None else _shares
    for panel, column in zip(axes, found.columns, strict=True):
        draw(panel, theme, found, column)
    if found.of_clbits:
        panels[0].set_yticks(range(len(found.labels)), [f"clbit {label}" for label in found.labels])
    else:
        name_rows(panels[0], [str(label) for label in found.labels])
    for panel in panels[1:]:
        panel.tick_params(labelleft=False)
    place.supxlabel(_unit(found, case), fontsize=9, color=theme.soft)


def _shares(axes: Axes, theme: Theme, found: Matrix, column: Column) -> None:
    chance = [cell.chance for cell in column.cells if cell.chance is not None]
    bars(
        axes,
        [cell.share for cell in column.cells],
        theme=theme,
        end=found.end,
        title=_short(column.title),
        differs=[cell.differs for cell in column.cells],
        ticks=found.expected,
        chance=chance if len(chance) == len(column.cells) else None,
    )


def _deviations(axes: Axes, theme: Theme, found: Matrix, column: Column) -> None:
    rows = range(len(column.cells))
    expected = found.expected or ()
    for row, cell, middle in zip(rows, column.cells, expected, strict=True):
        low, high = cell.chance or (middle, middle)
        axes.barh(row, 100 * (high - low), left=100 * (low - middle), height=0.96, color=theme.chance, zorder=1)
        color, hatch = (theme.differ, "////") if cell.differs else (theme.datum, None)
        drawn = axes.barh(row, 100 * (cell.share - middle), height=0.6, color=color, linewidth=0, zorder=2)
        drawn[0].set(hatch=hatch, edgecolor=theme.paper)
    axes.vlines(
        [0.0] * len(rows), [row - 0.42 for row in rows], [row + 0.42 for row in rows], color=theme.ink, zorder=3
    )
    differs = any(cell.differs for cell in column.cells)
    axes.set_title(f"{'≠ ' * differs}{_short(column.title)}", color=theme.differ if differs else theme.ink)
    axes.set(xlim=(-100 * found.end, 100 * found.end), ylim=(len(rows) - 0.4, -0.6))
    axes.spines["left"].set_visible(False)


def _unit(found: Matrix, case: Case) -> str:
    shots = numbers.several(case.shots, "shot")
    if not found.of_clbits:
        more = f"; {numbers.integer(found.others)} more outcomes" if found.others else ""
        return f"per cent of {shots}{more}"
    more = f"; {numbers.integer(found.others)} more clbits" if found.others else ""
    what = "difference of the share of ones, in percentage points" if found.expected else "per cent ones"
    return f"{what}, of {shots}{more}"


# ---------------------------------------------------------------- matrices of agreement


def _pairs(place: SubFigure, theme: Theme, found: Pairs) -> None:
    axes = _grid(place, theme, found.names[:-1], found.names[1:], "Pairs: distance between samples")
    for (left, row), pair in found.pairs.items():
        mark = "" if pair.differ is None else "≠ " if pair.differ else "= "
        _square(axes, theme, left, row - 1, f"{mark}{pair.distance:.3f}", differs=bool(pair.differ))


def _circuits(place: SubFigure, theme: Theme, record: Record, names: Sequence[str]) -> None:
    listed = with_news(record.cases, LISTED)
    left_out = len(record.cases) - len(listed)
    more = f"; {numbers.several(left_out, 'circuit')} more" if left_out else ""
    title = f"Distance from the reference{more}"
    axes = _grid(place, theme, names, [case.name for _, case in listed], title)
    for line, (_, case) in enumerate(listed):
        for row in case.rows:
            differs = standing(row) is Standing.DIFFERS
            _square(axes, theme, names.index(row.simulator), line, _says(row), differs=differs)


def _says(row: Row) -> str:
    found = standing(row)
    known = row.distance is not None and found in {Standing.AGREES, Standing.DIFFERS}
    return f"{CHARACTERS[found]} {numbers.distance(row.distance or 0.0) if known else tables.says(row)}".strip()


def _grid(place: SubFigure, theme: Theme, columns: Sequence[str], rows: Sequence[str], title: str) -> Axes:
    axes: Axes = place.subplots()
    axes.set(xlim=(-0.5, len(columns) - 0.5), ylim=(len(rows) - 0.5, -0.5))
    axes.set_xticks(range(len(columns)), list(map(_short, columns)))
    axes.set_yticks(range(len(rows)), list(map(_short, rows)))
    axes.tick_params(length=0, labeltop=True, labelbottom=False, colors=theme.soft)
    axes.spines[:].set_visible(False)
    axes.set_title(title)
    return axes


def _square(axes: Axes, theme: Theme, column: int, row: int, text: str, *, differs: bool) -> None:
    if differs:
        axes.barh(row, 0.92, left=column - 0.46, height=0.84, color=theme.differ, linewidth=0)
    color, weight = (theme.on_differ, "bold") if differs else (theme.ink, "normal")
    axes.text(column, row, text, ha="center", va="center", color=color, weight=weight, fontsize=8)


# ---------------------------------------------------------------- curves


def _curves(place: SubFigure, theme: Theme, found: Scaling, record: Record) -> None:
    axes: Axes = place.subplots()
    ends = []
    for curve in found.curves:
        medians = [1e3 * spread.median for spread in curve.seconds]
        (line,) = axes.plot(curve.sizes, medians)
        axes.vlines(
            curve.sizes,
            [1e3 * spread.lowest for spread in curve.seconds],
            [1e3 * spread.highest for spread in curve.seconds],
            color=theme.edge,
            linewidth=0.8,
        )
        ends.append((medians[-1], curve.sizes[-1], curve.simulator, line.get_color()))
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,g}")
    axes.minorticks_off()
    axes.grid(visible=True, axis="y")
    axes.set_xlabel(found.unit)
    median = f", median of {record.repeat}" if record.repeat > 1 else ""
    axes.set_title(f"Milliseconds of a run{median}")
    _name_ends(axes, theme, [(y, x, name) for y, x, name, _ in ends])


def _name_ends(axes: Axes, theme: Theme, ends: Sequence[tuple[float, int, str]]) -> None:
    """Write the names beside the ends of their lines, kept apart by a thirteenth of the axes' height."""
    low, high = axes.transLimits.inverted().transform([(0, 0), (0, 1)])[:, 1]
    free = -1.0
    for y, x, name in sorted(ends):
        place = axes.transLimits.transform(axes.transScale.transform((x, y)))[1]
        free = max(place, free + 1 / 13)
        at = axes.transScale.inverted().transform((0, low + free * (high - low)))[1]
        axes.annotate(
            _short(name), (x, at), xytext=(6, 0), textcoords="offset points", va="center", color=theme.ink, fontsize=8
        )


def _short(name: str) -> str:
    """Return a name that has a place on a plot: on one line, its end left out where it is long."""
    line = " ".join(visible(name).split())
    return line if len(line) <= LONGEST_NAME else f"{line[: LONGEST_NAME - 1]}…"
