from __future__ import annotations

import re
from dataclasses import asdict

import pytest

from gateway.look.theme import DARK, LIGHT, MIDTONES, THEMES, Theme

HOSTS = ["#ffffff", "#111111", "#1f1f1f"]
"""The backgrounds of notebooks: white, JupyterLab's dark and VS Code's dark."""

TEXT, GRAPHIC = 4.5, 3.0
"""The least contrasts of WCAG 2.2 for text (1.4.3) and for what is not text (1.4.11)."""


def luminance(color: str) -> float:
    """Return the relative luminance of WCAG 2.2."""
    shares = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    darker, brighter = sorted([luminance(one), luminance(other)])
    return (brighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=THEMES)
def test_text_is_read_on_every_ground_of_a_theme(theme: Theme):
    for ground in (theme.paper, theme.ground, theme.differ_wash):
        assert contrast(theme.ink, ground) >= 13
        assert contrast(theme.soft, ground) >= TEXT
        assert contrast(theme.differ, ground) >= TEXT
        assert contrast(theme.act, ground) >= TEXT
    assert contrast(theme.on_act, theme.act) >= TEXT
    assert contrast(theme.on_differ, theme.differ) >= TEXT


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=THEMES)
def test_bars_ticks_and_wires_are_seen(theme: Theme):
    for ground in (theme.paper, theme.chance):
        assert contrast(theme.datum, ground) >= GRAPHIC
        assert contrast(theme.ink, ground) >= GRAPHIC
    assert contrast(theme.edge, theme.paper) >= GRAPHIC


@pytest.mark.parametrize("host", HOSTS)
def test_the_midtones_of_a_notebook_are_seen_on_every_host(host):
    for color in (MIDTONES.datum, MIDTONES.differ, MIDTONES.rule, MIDTONES.tile, MIDTONES.tile_hot):
        assert contrast(color, host) >= GRAPHIC, color


@pytest.mark.parametrize("tile", [MIDTONES.tile, MIDTONES.tile_hot])
def test_letters_are_read_on_their_tiles(tile):
    assert contrast(MIDTONES.on_tile, tile) >= TEXT


def test_a_theme_is_written_as_css_variables():
    declarations = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", DARK.variables()))
    assert declarations == {name.replace("_", "-"): color for name, color in asdict(DARK).items()}
