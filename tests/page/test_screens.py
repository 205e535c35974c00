"""Every screen, light and dark, wide and narrow: what axe-core finds, and whether it fits."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from support.browsing import DESKTOP, PHONE, TABLET, Browsing, axe, overflow
from support.doors import address
from support.screens import SCREENS, Compare
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


@pytest.mark.parametrize(("size", "least"), [(DESKTOP, 32), (PHONE, 40)], ids=["desktop", "phone"])
def test_the_choice_of_a_simulator_is_easily_hit(
    opened_with_fault: Served, browsing: Browsing, size: tuple[int, int], least: int
):
    page = browsing.open(address(opened_with_fault), size=size)
    SCREENS["first"](page)
    row = Compare(page).row("cirq")
    box = row.get_by_role("checkbox")
    expect(box).to_be_checked()
    box.evaluate("it => it.scrollIntoView({block: 'center'})")
    found = box.bounding_box()
    assert found
    reach = (least - found["width"]) / 2 - 1
    for across, down in ((-reach, 0), (found["width"] + reach - 2, 0), (2, -reach), (2, found["height"] + reach - 1)):
        was = box.is_checked()
        page.mouse.click(found["x"] + across, found["y"] + down)
        expect(box).to_be_checked(checked=not was)


def test_what_is_chosen_is_told_apart_where_the_reader_sets_the_colours(opened_with_fault: Served, browsing: Browsing):
    page = browsing.open(address(opened_with_fault), forced_colors="active")
    SCREENS["first"](page)
    ground = "it => getComputedStyle(it).backgroundColor"
    chosen, other = (page.locator("label", has_text=word).first.evaluate(ground) for word in ("Shots", "Exact"))
    assert chosen != other
