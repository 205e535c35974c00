"""Plots with matplotlib, in the colours of a page, without touching the settings of the caller.

A :class:`Plot` belongs to nobody but its holder: pyplot does not know it, a notebook shows it once, and
``plot.savefig("counts.pdf")`` writes it.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from gateway.errors import FrameworkNotInstalled, RequestError
from gateway.look.bitstrings import plain_text, readable
from gateway.look.numbers import per_cent, several
from gateway.look.outcomes import scale_end, shown
from gateway.look.theme import THEMES, Theme

try:
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib.figure import Figure
except ModuleNotFoundError as exc:
    raise FrameworkNotInstalled(
        f"a plot needs the package {exc.name!r}, which is not installed: pip install 'simulator-gateway[plot]'",
        framework="matplotlib",
        requirement="simulator-gateway[plot]",
    ) from exc

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DOTS_PER_INCH = 200
_PIXELS_PER_INCH = 96
_BAR, _TICK, _CHANCE = 0.6, 0.84, 0.96
"""The heights of a bar, of the tick of the reference and of the band of chance, in rows."""


class Plot(Figure):
    """A figure that a notebook shows sharply and once."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """Return the picture, and the size at which it is shown in pixels of CSS."""
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=DOTS_PER_INCH)
        width, height = (round(inches * _PIXELS_PER_INCH) for inches in self.get_size_inches())
        return picture.getvalue(), {"width": width, "height": height}


def theme_of(name: str) -> Theme:
    """Return a theme by its name.

    Raises:
        RequestError: there is no such theme.
    """
    if name not in THEMES:
        raise RequestError(f"the theme of a plot is {' or '.join(THEMES)}, not {name!r}", field="theme")
    return THEMES[name]


@contextmanager
def style(theme: Theme) -> Iterator[None]:
    """Use our settings of matplotlib while a plot is made, and the caller's before and after."""
    settings: Any = {
        "figure.facecolor": theme.paper,
        "axes.facecolor": theme.paper,
        "savefig.facecolor": theme.paper,
        "text.color": theme.ink,
        "axes.titlecolor": theme.ink,
        "axes.labelcolor": theme.soft,
        "xtick.color": theme.soft,
        "ytick.color": theme.soft,
        "axes.edgecolor": theme.edge,
        "axes.linewidth": 0.8,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "axes.grid": False,
        "grid.color": theme.line,
        "grid.linewidth": 0.8,
        "font.size": 9,
        "axes.titlesize": 9,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "xtick.labelsize": 8,
        "ytick.labelsize": 8,
        "ytick.major.size": 0,
        "lines.linewidth": 1.5,
        "hatch.linewidth": 1.3,
        "hatch.color": theme.paper,
        "legend.frameon": False,
        "savefig.dpi": DOTS_PER_INCH,
        "text.parse_math": False,  # names and labels come from outside
        "axes.prop_cycle": cycler(color=[theme.datum, theme.ink, theme.act]) * cycler(linestyle=["-", "--", "-.", ":"]),
    }
    with mpl.rc_context(settings):
        yield


def bars(  # noqa: PLR0913 - all but the first two by keyword
    axes: Axes,
    shares: Sequence[float],
    *,
    theme: Theme,
    end: float,
    title: str = "",
    differs: Sequence[bool] | None = None,
    ticks: Sequence[float] | None = None,
    chance: Sequence[tuple[float, float]] | None = None,
    hollow: bool = False,
) -> None:
    """Draw one panel of a histogram: a horizontal bar for each outcome, the first one on top.

    Args:
        axes: where to draw, made inside :func:`style`.
        shares: of each outcome, from 0 to 1.
        theme: the colours.
        end: where the scale ends, from 0 to 1.
        title: the name of the panel.
        differs: for each outcome, whether it differs from the reference.
        ticks: for each outcome, the share in the reference.
        chance: for each outcome, between which shares chance alone may lead.
        hollow: whether the panel is the reference itself.
    """
    rows = range(len(shares))
    if chance is not None:
        lows, widths = [100 * low for low, _ in chance], [100 * (high - low) for low, high in chance]
        axes.barh(rows, widths, height=_CHANCE, left=lows, color=theme.chance, zorder=1)
    odd = differs or [False] * len(shares)
    colors = ["none" if hollow else theme.differ if is_odd else theme.datum for is_odd in odd]
    drawn = axes.barh(rows, [100 * share for share in shares], height=_BAR, color=colors, zorder=2)
    for patch, is_odd in zip(drawn, odd, strict=True):
        patch.set(edgecolor=theme.ink if hollow else "none", linewidth=1.2 if hollow else 0)
        if is_odd:
            patch.set(hatch="////", edgecolor=theme.paper)
    if ticks is not None:
        positions = [100 * tick for tick in ticks]
        bounds = [row - _TICK / 2 for row in rows], [row + _TICK / 2 for row in rows]
        axes.vlines(positions, *bounds, color=theme.ink, linewidth=2, zorder=3)
    mark = "≠ " if any(odd) else ""
    axes.set_title(mark + title, color=theme.differ if mark else theme.ink)
    axes.set(xlim=(0, 100 * end), ylim=(max(len(shares), 1) - 0.4, -0.6))
    axes.spines["left"].set_visible(False)


def name_rows(axes: Axes, outcomes: Sequence[str]) -> None:
    """Write outcomes beside the bars of a panel; where one is shortened, no two look alike."""
    axes.set_yticks(range(len(outcomes)), list(map(plain_text, readable(outcomes))), family="monospace")


def inches(outcomes: Sequence[str], panels: int = 1) -> tuple[float, float]:
    """Return a size for panels of bars with these outcomes beside the first one."""
    widest = max((len(plain_text(pieces)) for pieces in readable(outcomes)), default=0)
    return 1.9 * max(panels, 2) + 0.07 * widest, 0.9 + 0.23 * max(len(outcomes), 2)


def histogram(values: Mapping[str, float], *, title: str, of: str, theme: str, axes: Axes | None) -> Figure:
    """Return a histogram of one result.

    Args:
        values: bitstring -> share, from 0 to 1.
        title: what it shows, and where it comes from.
        of: what the whole is, such as ``10,000 shots``; empty for exact probabilities.
        theme: ``light`` or ``dark``.
        axes: where to draw instead of a figure of its own.

    Raises:
        RequestError: there is no such theme.
    """
    colors = theme_of(theme)
    selection = shown(values)
    shares = [values[outcome] for outcome in selection.bitstrings]
    end = scale_end(shares)
    with style(colors):
        if axes is None:
            axes = Plot(figsize=inches(selection.bitstrings), layout="constrained").add_subplot()
        bars(axes, shares, theme=colors, end=end, title=title)
        name_rows(axes, selection.bitstrings)
        others = (
            f"\n{several(selection.others, 'more outcome')}: {per_cent(selection.rest)}" if selection.others else ""
        )
        axes.set_xlabel((f"per cent of {of}" if of else "probability in per cent") + others)
    figure = axes.get_figure(root=True)
    assert figure is not None  # noqa: S101 - axes that can be drawn into have one
    return figure
