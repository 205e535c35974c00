"""Every screen, light and dark, wide and narrow: what axe-core finds, and whether it fits."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from support.browsing import DESKTOP, PHONE, TABLET, Browsing, axe, overflow
from support.doors import address
from support.screens import SCREENS
from support.serving import Served

SIZES = {"desktop": DESKTOP, "phone": PHONE}
NARROWEST = (320, 640)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("size", ["desktop", "phone"])
@pytest.mark.parametrize("name", SCREENS)
def test_axe_finds_nothing_grave(opened_with_fault: Served, browsing: Browsing, name: str, size: str, dark: bool):
    page = browsing.open(address(opened_with_fault), size=SIZES[size], dark=dark)
    SCREENS[name](page)
    assert axe(page) == []


@pytest.mark.parametrize("size", [NARROWEST, PHONE, TABLET, (1199, 800), DESKTOP, (2560, 1440)], ids=str)
@pytest.mark.parametrize("name", ["error", "differs", "comparisons", "docs"])
def test_no_screen_scrolls_sideways_as_a_whole(opened_with_fault: Served, browsing: Browsing, name: str, size):
    page = browsing.open(address(opened_with_fault), size=size)
    SCREENS[name](page)
    assert overflow(page) == 0


@pytest.mark.parametrize("name", ["agree", "differs", "comparisons"])
def test_nothing_moves_for_who_asks_for_that(opened_with_fault: Served, browsing: Browsing, name: str):
    page = browsing.open(address(opened_with_fault), reduced_motion=True)
    SCREENS[name](page)
    assert page.evaluate("() => document.getAnimations().length") == 0


@pytest.mark.parametrize(("path", "title"), [("/", "qulacs"), ("/docs", "API")])
def test_a_simulators_own_page_is_read_by_everybody(right_simulators, browsing: Browsing, path: str, title: str):
    page = browsing.open(address(right_simulators["qulacs"], path))
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    assert axe(page) == []
    assert overflow(page) == 0
