"""Colours and type, the same on pages, in reports, in notebooks and in plots.

A page or a report is light or dark as its reader wants it, so there are two themes. A notebook shows an output on
whatever background its host has, and so has one palette of mid-tones that can be told from white and from black.

Everybody who agrees has the colour ``datum``. ``differ`` is kept for who differs and for what is wrong, and never
stands without a mark or a word.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

SANS = 'system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif'
MONO = (
    'ui-monospace, "SF Mono", "Cascadia Mono", "JetBrains Mono", Menlo, Consolas, "DejaVu Sans Mono", '
    "monospace"
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Theme:
    """The colours of a page, a report or a plot, as ``#rrggbb``.

    Args:
        paper: what is read lies on this.
        ground: bars, the heads of tables, folded things.
        ink: text, the tick of the reference, gates.
        soft: second text.
        line: rules that inform of nothing.
        edge: borders of controls, wires of circuits.
        act: what can be pressed, what runs.
        on_act: text on ``act``.
        differ: who differs, what is wrong.
        on_differ: text on ``differ``.
        differ_wash: the background of a row or a line that is concerned.
        datum: bars.
        chance: what chance alone may do.
    """

    paper: str
    ground: str
    ink: str
    soft: str
    line: str
    edge: str
    act: str
    on_act: str
    differ: str
    on_differ: str
    differ_wash: str
    datum: str
    chance: str

    def variables(self) -> str:
        """Return the colours as CSS declarations, such as ``--paper: #ffffff; --differ-wash: #fcf1eb;``."""
        return " ".join(f"--{field.name.replace('_', '-')}: {getattr(self, field.name)};" for field in fields(self))


LIGHT = Theme(
    paper="#ffffff",
    ground="#f4f4f2",
    ink="#1a1c1e",
    soft="#54595f",
    line="#d9dad7",
    edge="#7b8289",
    act="#0a57a4",
    on_act="#ffffff",
    differ="#ad3a0b",
    on_differ="#ffffff",
    differ_wash="#fcf1eb",
    datum="#647a8f",
    chance="#d3dae1",
)

DARK = Theme(
    paper="#141618",
    ground="#1c1f22",
    ink="#e7e8e9",
    soft="#a4abb2",
    line="#32373c",
    edge="#7e868e",
    act="#7ab6f5",
    on_act="#0d1013",
    differ="#ff9a6c",
    on_differ="#1a0f09",
    differ_wash="#2b1d16",
    datum="#8299af",
    chance="#39434d",
)

THEMES = {"light": LIGHT, "dark": DARK}


@dataclass(frozen=True, slots=True)
class Midtones:
    """The colours of a notebook; text has the colour of the host.

    Args:
        datum: bars.
        differ: bars of who differs; these are striped, too.
        chance: what chance alone may do.
        tile: what a letter of a circuit's picture stands on.
        tile_hot: the same for who differs; also the square around the mark.
        on_tile: letters and lines on a tile.
        rule: the rule under the head of a table, and the wires of a circuit.
        faint_rule: the rule under a row.
    """

    datum: str = "#6b8196"
    differ: str = "#c8551f"
    chance: str = "rgba(128,140,152,0.38)"
    tile: str = "#626e79"
    tile_hot: str = "#b94a15"
    on_tile: str = "#ffffff"
    rule: str = "#7a8087"
    faint_rule: str = "rgba(128,136,144,0.45)"


MIDTONES = Midtones()
MIDTONE_MONO = "ui-monospace,Menlo,Consolas,monospace"
"""Fonts for an attribute of a notebook's markup, where a name with quotation marks would end it."""
