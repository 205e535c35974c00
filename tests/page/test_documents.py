"""The page of a simulator and the documentation, in a real browser: nothing fails, nothing is wider than a phone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from support.browsing import DESKTOP, PHONE, Browsing, axe, overflow
from support.serving import Served, serving

ANYTHING = {"GATEWAY_TOKEN_SHA256": "0" * 64}
SMALL = (320, 640)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serving("--adapter", "support.fakes:NumpyAdapter") as started:
        yield started


@pytest.mark.parametrize("path", ["/", "/docs"])
@pytest.mark.parametrize("size", [DESKTOP, PHONE, SMALL], ids=str)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_a_page_fits_and_can_be_read(served: Served, browsing: Browsing, path: str, size: tuple[int, int], dark: bool):
    page = browsing.open(f"http://127.0.0.1:{served.port}{path}", size=size, dark=dark)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert overflow(page) == 0
    assert axe(page) == []


def test_from_the_root_to_a_field_by_the_keyboard_alone(served: Served, browsing: Browsing):
    page = browsing.open(f"http://127.0.0.1:{served.port}/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("API")
    link = page.get_by_role("link", name="POST /v1/run")
    link.focus()
    page.keyboard.press("Enter")
    assert page.url.endswith("/docs#run")
    section = page.locator("#run")
    expect(section.get_by_role("table").first).to_be_visible()
    summary = section.locator("summary")
    summary.focus()
    page.keyboard.press("Enter")
    expect(section.get_by_role("cell", name="the body is not application/json")).to_be_visible()


def test_tables_stay_tables_on_a_phone(served: Served, browsing: Browsing):
    page = browsing.open(f"http://127.0.0.1:{served.port}/docs", size=PHONE)
    table = page.locator("#run").get_by_role("table").first
    expect(table.get_by_role("rowheader").first).to_be_visible()
    expect(table.get_by_role("columnheader")).to_have_count(3)


def test_the_page_for_those_without_a_token_leads_to_the_documentation(browsing: Browsing):
    with serving("--adapter", "support.fakes:NumpyAdapter", env=ANYTHING) as guarded:
        page = browsing.open(f"http://127.0.0.1:{guarded.port}/", size=PHONE)
        expect(page.get_by_text("This server wants a token.")).to_be_visible()
        page.get_by_role("link").click()
        expect(page.get_by_role("heading", level=1)).to_contain_text("API")
