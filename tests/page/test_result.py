"""What the page shows of a comparison: the server's part of it in its place, and what its buttons and switches do."""

from __future__ import annotations

import csv
import json
import re
from hashlib import sha256
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from support.asked import ask, ended, is_running, result_of
from support.browsing import DESKTOP, PHONE, Browsing, axe, focused, overflow
from support.doors import address, door
from support.raw import Server
from support.screens import BELL, TURNED, Compare, endless
from support.serving import Served

CLIPBOARD = ["clipboard-read", "clipboard-write"]
FIVE = 'OPENQASM 3; include "stdgates.inc"; qubit[5] q; h q; bit[5] c = measure q;'


def shown(browsing: Browsing, served: Served, comparison: str, **options) -> Page:
    """Open the result of a comparison."""
    return browsing.open(address(served, f"/#comparison={comparison}"), **options)


def clipboard(page: Page) -> str:
    return str(page.evaluate("() => navigator.clipboard.readText()"))


@pytest.fixture(scope="module")
def differing(opened_with_fault: Served) -> str:
    """A comparison in which ``turned`` differs."""
    return ended(opened_with_fault, ask(opened_with_fault, TURNED))


@pytest.fixture(scope="module")
def agreeing(opened: Served) -> str:
    return ended(opened, ask(opened, BELL))


def test_the_part_of_the_server_is_shown_whole_around_the_table_of_simulators(
    opened_with_fault: Served, differing: str, browsing: Browsing
):
    page = shown(browsing, opened_with_fault, differing)
    headings = page.locator("main").get_by_role("heading")
    expect(headings.nth(0)).to_contain_text("turned differs")
    expect(headings).to_contain_text(
        ["turned differs", "Simulators", "Outcomes", "Likely cause", "Reproducer", "What could not have been seen"]
    )
    for line in ("Other explanations", "Pairs", "Timings", "Tests", "Reference and provenance"):
        expect(page.get_by_text(line, exact=True)).to_be_visible()
    assert page.locator("[style]:not(.cm-editor *)").count() == 0


def test_where_all_agree_what_may_have_been_missed_stands_before_the_simulators(
    opened: Served, agreeing: str, browsing: Browsing
):
    page = shown(browsing, opened, agreeing)
    headings = page.locator("main").get_by_role("heading")
    expect(headings).to_contain_text(["All 3 agree", "What could not have been seen", "Simulators", "Outcomes"])


def test_the_reproducer_and_the_bug_report_are_copied(opened_with_fault: Served, differing: str, browsing: Browsing):
    page = shown(browsing, opened_with_fault, differing, permissions=CLIPBOARD)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    assert clipboard(page).startswith("OPENQASM 3")
    assert clipboard(page).endswith(";\n")
    report = page.locator("[data-does=bug-report]")
    report.click()
    expect(report).to_have_text("Copied")
    assert clipboard(page).startswith("# turned")
    assert "## To see it again" in clipboard(page)


def test_a_link_to_the_result_shows_it_to_somebody_else(opened: Served, agreeing: str, browsing: Browsing):
    page = shown(browsing, opened, agreeing, permissions=CLIPBOARD)
    page.locator(".downloads").get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    other = browsing.open(clipboard(page))
    expect(other.get_by_role("status", name="Verdict")).to_contain_text("All 3 agree")


def test_what_is_folded_is_unfolded_by_the_keyboard_alone(opened: Served, agreeing: str, browsing: Browsing):
    page = shown(browsing, opened, agreeing)
    timings = page.get_by_text("Timings", exact=True)
    expect(page.get_by_role("table").filter(has_text="total ms")).to_be_hidden()
    page.get_by_role("group", name="Outcomes", exact=True).focus()
    for _ in range(6):
        page.keyboard.press("Tab")
        if "Timings" in focused(page):
            break
    page.keyboard.press("Enter")
    expect(timings.locator("xpath=ancestor::details")).to_have_attribute("open", "")


def test_on_a_phone_a_switch_leads_from_groups_to_every_simulator(
    opened_with_fault: Served, differing: str, browsing: Browsing
):
    page = shown(browsing, opened_with_fault, differing, size=PHONE)
    outcomes = page.get_by_role("table", name="Share of the shots by outcome and simulator")
    expect(outcomes.get_by_role("columnheader", name="3 agree")).to_be_visible()
    expect(outcomes.get_by_role("columnheader", name="cirq", exact=True)).to_be_hidden()
    page.get_by_text("Every simulator").click()
    expect(outcomes.get_by_role("columnheader", name="cirq", exact=True)).to_be_visible()
    expect(outcomes.get_by_role("columnheader", name="3 agree")).to_be_hidden()
    seen = page.get_by_text(re.compile(r"^Columns \d to \d of 5$"))
    expect(seen).to_contain_text("Columns 1 to")
    page.get_by_role("group", name="Outcomes", exact=True).evaluate("it => { it.scrollLeft = it.scrollWidth; }")
    expect(seen).to_contain_text("to 5 of 5")
    assert overflow(page) == 0


def test_all_outcomes_are_a_table_where_not_all_are_shown(opened: Served, browsing: Browsing, tmp_path: Path):
    page = shown(browsing, opened, ended(opened, ask(opened, FIVE, shots=1_000)))
    with page.expect_download() as download:
        page.get_by_role("link", name="All as a table (CSV)").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    lines = list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))
    assert len(lines) == 32
    assert sum(int(line["cirq"]) for line in lines) == 1_000


def test_files_are_fetched_with_the_token(right_simulators: dict[str, Server], browsing: Browsing, tmp_path: Path):
    token, tokens = "token-of-mira", tmp_path / "tokens"
    tokens.write_text(f"mira sha256:{sha256(token.encode()).hexdigest()}\n", encoding="utf-8")
    tokens.chmod(0o600)
    with door(right_simulators, "--tokens", str(tokens)) as served:
        _fetch_with(served, token, browsing, tmp_path)


def _fetch_with(served: Served, token: str, browsing: Browsing, tmp_path: Path) -> None:
    comparison = ended(served, ask(served, BELL, token=token), token=token)
    browsing.expect_fault("401")
    page = shown(browsing, served, comparison)
    page.get_by_label(re.compile("[Tt]oken")).fill(token)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status", name="Verdict")).to_contain_text("agree")
    with page.expect_download() as download:
        page.get_by_role("button", name="Record (JSON)").click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert json.loads(file.read_text(encoding="utf-8"))["format"] == 1
    page.close()  # before the door does


def test_a_newer_part_keeps_the_focus_the_scroll_and_what_was_chosen(opened_with_fault: Served, browsing: Browsing):
    served = opened_with_fault
    comparison = ask(served, endless(), simulators=["mqt", "qulacs", "turned"], shots=1_000)
    is_running(served, comparison, results=2)
    page = shown(browsing, served, comparison, size=PHONE)
    expect(page.get_by_role("columnheader", name="2 have finished")).to_be_visible()
    page.get_by_text("Every simulator").click()
    scrolled = page.get_by_role("group", name="Outcomes", exact=True)
    scrolled.focus()
    scrolled.evaluate("it => { it.scrollLeft = 60; it.mark = 'the same element'; }")
    served.request("DELETE", f"/v1/comparisons/{comparison}")
    expect(page.get_by_role("status", name="Verdict")).to_contain_text("2 of 3 had finished", timeout=60_000)
    expect(page.get_by_text("Timings", exact=True)).to_be_visible()
    expect(scrolled).to_be_focused()
    assert scrolled.evaluate("it => [it.scrollLeft, it.mark]") == [60, "the same element"]
    expect(page.get_by_role("radio", name="Every simulator")).to_be_checked()


def test_while_simulators_run_those_that_have_finished_are_shown_and_nobody_is_judged(
    opened_with_fault: Served, browsing: Browsing
):
    served = opened_with_fault
    comparison = ask(served, endless(), simulators=["qulacs", "turned"], shots=1_000)
    is_running(served, comparison, results=1)
    page = shown(browsing, served, comparison)
    screen = Compare(page)
    expect(screen.verdict).to_contain_text("1 of 2 has finished")
    expect(screen.row("qulacs")).to_contain_text("finished")
    heads = page.get_by_role("table", name="Share of the shots by outcome and simulator").get_by_role("columnheader")
    expect(heads).to_contain_text(["outcome", "reference", "qulacs", "turned"])
    expect(heads.last).to_contain_text(re.compile("running|exact"))
    expect(page.get_by_role("button", name="Record (JSON)")).to_be_hidden()
    served.request("DELETE", f"/v1/comparisons/{comparison}")
    expect(screen.verdict).to_contain_text("1 of 2 had finished", timeout=60_000)


def test_several_circuits_have_an_overview_from_which_each_is_unfolded(opened_with_fault: Served, browsing: Browsing):
    served = opened_with_fault
    comparison = ended(served, ask(served, BELL, TURNED))
    page = shown(browsing, served, comparison)
    expect(page.get_by_role("status", name="Verdict")).to_contain_text("1 of 2 circuits: turned differs")
    before = page.url
    details = page.locator("#circuit-1")
    expect(details).not_to_have_attribute("open", "")
    page.get_by_role("link", name="circuit-1.qasm").click()
    expect(details).to_have_attribute("open", "")
    expect(details.get_by_role("heading", name="Likely cause")).to_be_visible()
    assert page.url == before


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize("dark", [False, True])
def test_nothing_of_a_result_keeps_anybody_out(
    opened_with_fault: Served, differing: str, browsing: Browsing, size: tuple[int, int], dark: bool
):
    page = shown(browsing, opened_with_fault, differing, size=size, dark=dark, bypass_csp=True)
    expect(page.get_by_text(re.compile("2 qubits, 2 clbits")).first).to_be_attached()
    expect(page.get_by_text("Timings", exact=True)).to_be_visible()
    for fold in page.locator(".part details > summary").all():
        fold.click()
    assert axe(page) == []
    assert overflow(page) == 0


def test_a_result_never_scrolls_sideways_as_a_whole(opened_with_fault: Served, differing: str, browsing: Browsing):
    for width in (320, 360, 600, 699, 700, 1199, 1200, 2560):
        page = shown(browsing, opened_with_fault, differing, size=(width, 800))
        expect(page.get_by_role("heading", name="Likely cause")).to_be_visible()
        assert overflow(page) == 0, width
        page.close()


def test_the_part_needs_no_more_than_the_page_allows(opened_with_fault: Served, differing: str):
    part = result_of(opened_with_fault, differing)
    assert " style=" not in part
    assert "<script" not in part
