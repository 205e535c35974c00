"""The screen of all comparisons: those that run first, then the others, found, filtered and turned page by page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect
from support.asked import ask, ask_for, ended, is_running
from support.browsing import PHONE, TABLET, Browsing, axe, overflow
from support.doors import address, door
from support.raw import Server
from support.screens import BELL, TURNED, Comparisons, endless
from support.serving import Served

KEPT = 23
"""So many comparisons are kept, of which a page shows 20."""

QUICK = {"simulators": ["qulacs"], "shots": 100, "exact": False, "reproduce": False}
HOSTILE = "<img src=x onerror=alert(1)>\u202egnp.qasm"


@pytest.fixture(scope="module")
def kept(right_simulators: dict[str, Server]) -> Iterator[Served]:
    """A door that keeps comparisons of ``bell-0.qasm`` and so on, one with a hostile name, and one of two circuits."""
    with door(right_simulators) as served:
        names = [f"bell-{place}.qasm" for place in range(KEPT - 2)]
        ids = [ask_for(served, {"circuits": [{"name": name, "openqasm": BELL}], **QUICK}) for name in names]
        ids.append(ask_for(served, {"circuits": [{"name": HOSTILE, "openqasm": BELL}], **QUICK}))
        ids.append(ask(served, BELL, TURNED, shots=100, simulators=["cirq", "mqt"]))
        for comparison in ids:
            ended(served, comparison)
        yield served


def screen(browsing: Browsing, served: Served, fragment: str = "", **options) -> Comparisons:
    return Comparisons(browsing.open(address(served, f"/#comparisons{fragment}"), **options))


def test_a_verdict_is_a_link_to_the_result(kept: Served, browsing: Browsing):
    listed = screen(browsing, kept)
    expect(listed.past.get_by_role("row")).to_have_count(1 + 20)
    listed.past.get_by_role("row").filter(has_text="and 1 more").get_by_role("link").click()
    expect(listed.page.get_by_role("status", name="Verdict")).to_contain_text("agree on both circuits")
    expect(listed.page).to_have_url(re.compile("#comparison="))
    listed.page.go_back()
    expect(listed.page.get_by_role("heading", name="Past comparisons")).to_be_visible()


def test_a_row_says_what_was_asked_for_and_how_long_it_took(kept: Served, browsing: Browsing):
    listed = screen(browsing, kept)
    row = listed.past.get_by_role("row").filter(has_text="bell-20.qasm")
    expect(row).to_contain_text(re.compile(r"qulacs agrees.*2 qubits, 4 operations.*100.*today, \d\d:\d\d"))
    heads = listed.past.get_by_role("columnheader").all_inner_texts()
    assert heads == ["verdict", "circuit", "simulators", "shots", "started", "took"], "nobody has a name here"


def test_older_ones_are_turned_to_and_the_address_and_the_history_know_where(kept: Served, browsing: Browsing):
    listed = screen(browsing, kept)
    page = listed.page
    newer, older = page.get_by_role("button", name="Newer"), page.get_by_role("button", name="Older")
    expect(page.get_by_text(f"1 to 20 of {KEPT}")).to_be_visible()
    expect(newer).to_be_disabled()
    older.click()
    expect(page.get_by_text(f"21 to {KEPT} of {KEPT}")).to_be_visible()
    expect(listed.past).to_contain_text("bell-0.qasm")
    expect(older).to_be_disabled()
    page.reload()
    expect(page.get_by_text(f"21 to {KEPT} of {KEPT}")).to_be_visible()
    newer.click()
    expect(page.get_by_text(f"1 to 20 of {KEPT}")).to_be_visible()
    page.go_back()
    expect(page.get_by_text(f"21 to {KEPT} of {KEPT}")).to_be_visible()


def test_a_text_finds_the_comparisons_that_have_it_in_a_name(kept: Served, browsing: Browsing):
    listed = screen(browsing, kept)
    listed.search.fill("BELL-7")
    expect(listed.page.get_by_text("1 found")).to_be_visible()
    expect(listed.past.get_by_role("row")).to_have_count(2)
    expect(listed.page).to_have_url(re.compile("search=BELL-7"))
    listed.page.reload()
    expect(listed.search).to_have_value("BELL-7")
    expect(listed.past.get_by_role("row")).to_have_count(2)
    listed.search.fill("nobody has this name")
    expect(listed.page.get_by_text("None of those that are kept matches.")).to_be_visible()
    listed.search.fill("")
    expect(listed.page.get_by_text(f"{KEPT} kept")).to_be_visible()


def test_a_switch_shows_those_that_differ_or_failed(opened_with_fault: Served, browsing: Browsing):
    differing = ended(opened_with_fault, ask(opened_with_fault, TURNED))
    listed = screen(browsing, opened_with_fault)
    expect(listed.past).to_be_visible()
    listed.page.get_by_text("Differ", exact=True).click()
    expect(listed.page).to_have_url(re.compile("show=differ"))
    link = listed.past.locator(f'a[href="#comparison={differing}"]')
    expect(link).to_contain_text("turned differs")
    for told in listed.past.get_by_role("link").all_inner_texts():
        assert "differs" in told
        assert "below" not in told, "nothing is below a list"
    listed.page.get_by_text("Failed", exact=True).click()
    expect(link).to_be_hidden()


def test_a_name_is_text_and_turns_nothing_round(kept: Served, browsing: Browsing):
    listed = screen(browsing, kept)
    expect(listed.past).to_contain_text("<img src=x onerror=alert(1)>\ufffdgnp.qasm")
    assert listed.page.locator("img").count() == 0


def test_where_nothing_was_compared_yet_the_screen_says_so(right_simulators: dict[str, Server], browsing: Browsing):
    with door(right_simulators) as served:
        listed = screen(browsing, served)
        expect(listed.page.get_by_text("There is none yet")).to_be_visible()
        expect(listed.past).to_be_hidden()
        expect(listed.running).to_be_hidden()
        listed.page.close()  # before the door does


def test_one_that_begins_and_ends_meanwhile_comes_and_goes_by_itself(opened_with_fault: Served, browsing: Browsing):
    served = opened_with_fault
    listed = screen(browsing, served)
    expect(listed.page.get_by_role("heading", name="Past comparisons")).to_be_visible()
    comparison = ask(served, endless(), simulators=["qulacs", "turned"], shots=1_000)
    link = listed.page.locator(f'a[href="#comparison={comparison}"]')
    row = listed.running.get_by_role("row").filter(has=link)
    expect(row).to_contain_text("1 of 2 has finished", timeout=60_000)
    expect(row.get_by_role("progressbar")).to_have_attribute("value", "50")
    row.get_by_role("button", name="Cancel").click()
    expect(row.get_by_role("button", name="Cancelling")).to_be_disabled()
    expect(listed.past.get_by_role("row").filter(has=link)).to_contain_text(
        "Cancelled. 1 of 2 had finished", timeout=60_000
    )
    expect(listed.running.get_by_role("row").filter(has=link)).to_be_hidden()
    expect(listed.page.get_by_role("status").filter(has_text="circuit-0.qasm: 1 of 2 had finished")).to_be_attached()


def test_those_that_wait_say_how_many_run_before_them(opened_with_fault: Served, browsing: Browsing):
    served = opened_with_fault
    ids = [ask(served, endless(), simulators=["turned"], shots=1_000) for _ in range(8)]
    is_running(served, ids[0])
    listed = screen(browsing, served)
    try:
        expect(listed.page.get_by_text(re.compile(r"^\d running, \d queued$"))).to_be_visible()
        expect(listed.running).to_contain_text(re.compile(r"Queued, \d before it"))
        listed.running.get_by_role("button", name="Cancel").last.focus()
        listed.page.keyboard.press("Enter")
        expect(listed.running.get_by_role("row")).to_have_count(1 + 7)
    finally:
        for comparison in ids:
            served.request("DELETE", f"/v1/comparisons/{comparison}")
    expect(listed.running).to_be_hidden(timeout=60_000)


@pytest.mark.parametrize("size", [PHONE, TABLET])
def test_a_narrow_window_shows_every_comparison_whole(kept: Served, browsing: Browsing, size: tuple[int, int]):
    listed = screen(browsing, kept, size=size, bypass_csp=True)
    row = listed.past.get_by_role("row").filter(has_text="bell-20.qasm")
    expect(row.get_by_role("link")).to_be_visible()
    if size == PHONE:
        expect(row.get_by_text(re.compile(r"^1 simulator, today, \d\d:\d\d, [\d.]+\ss$"))).to_be_visible()
    assert overflow(listed.page) == 0
    assert axe(listed.page) == []


def test_the_screen_never_scrolls_sideways_as_a_whole(kept: Served, browsing: Browsing):
    for width in (320, 699, 700, 1199, 1200, 2560):
        listed = screen(browsing, kept, size=(width, 800))
        expect(listed.past.get_by_role("row")).to_have_count(1 + 20)
        assert overflow(listed.page) == 0, width
        listed.page.close()


def test_while_nobody_answers_the_screen_says_so_and_keeps_what_it_has(
    right_simulators: dict[str, Server], browsing: Browsing, tmp_path: Path
):
    browsing.expect_fault("ERR_CONNECTION_REFUSED|ERR_EMPTY_RESPONSE|ERR_CONNECTION_RESET|50[234]")
    with door(right_simulators, state=tmp_path) as served:
        port, comparison = served.port, ended(served, ask(served, BELL, **QUICK))
        listed = screen(browsing, served)
        link = listed.page.locator(f'a[href="#comparison={comparison}"]')
        expect(link).to_be_visible()
    away = listed.page.locator("main:not([hidden])").get_by_text("does not answer just now")
    expect(away).to_be_visible(timeout=30_000)
    expect(link).to_be_visible()
    with door(right_simulators, state=tmp_path, port=port):
        expect(away).to_be_hidden(timeout=30_000)
        expect(link).to_be_visible()
        listed.page.close()
