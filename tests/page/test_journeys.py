"""What people do with the page, from the first key to the file that they keep, with real simulators."""

from __future__ import annotations

import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect
from support.browsing import PHONE, Browsing, focused, overflow
from support.doors import address, door
from support.raw import Server, port_to_keep
from support.screens import BELL, TURNED, Compare, Comparisons, endless
from support.serving import Served


def test_an_error_is_shown_at_its_place_while_typing_and_the_run_waits(opened: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened)))
    screen.write(BELL.replace("cx", "cxx"))
    place = screen.page.get_by_role("link", name="line 6, column 1")
    expect(place).to_be_visible()
    expect(screen.page.get_by_text("there is no gate").first).to_be_visible()
    expect(screen.run).to_be_disabled()
    place.click()
    expect(screen.editor).to_be_focused()
    screen.page.keyboard.press("Control+Shift+ArrowRight")
    screen.page.keyboard.insert_text("cx")
    screen.facts("2 qubits, 2 clbits, 4 operations, depth 3")
    expect(place).to_be_hidden()
    expect(screen.run).to_be_enabled()
    expect(screen.page.get_by_role("img", name=re.compile("^2 qubits, 2 clbits")).first).to_be_visible()


@pytest.mark.parametrize("key", ["x", "Enter", "Backspace", "Tab"])
def test_a_key_takes_the_place_of_what_is_selected(opened: Served, browsing: Browsing, key: str):
    screen = Compare(browsing.open(address(opened)))
    screen.write(BELL)
    screen.page.keyboard.press("Control+A")
    screen.page.keyboard.press(key)
    written = {"x": "x", "Enter": "", "Backspace": "", "Tab": BELL}[key]
    expect(screen.editor.locator(".cm-line").first).to_have_text(written.partition("\n")[0])
    assert screen.text().strip() == written.strip()


def test_a_circuit_is_run_watched_and_judged_and_a_reload_shows_the_same(opened: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened)))
    screen.compare(BELL)
    screen.wait_for_verdict("All 3 agree.*would have been found")
    for name in ("cirq", "mqt", "qulacs"):
        expect(screen.row(name)).to_contain_text("agrees")
    expect(screen.page.get_by_role("heading", name="Outcomes")).to_be_visible()
    expect(screen.page.get_by_role("heading", name="What could not have been seen")).to_be_visible()
    judged, told = screen.page.url, screen.verdict.inner_text()
    screen.page.reload()
    screen.wait_for_verdict(re.escape(told.split("\n")[0]))
    assert screen.page.url == judged
    assert "cx q[0], q[1];" in screen.text()
    expect(screen.run).to_have_text(re.compile("again"))


def test_a_wrong_simulator_is_named_with_what_is_wrong_and_a_reproducer(opened_with_fault: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened_with_fault)))
    screen.compare(TURNED)
    screen.wait_for_verdict(r"turned differs.*rz.*turned the other way")
    expect(screen.row("turned")).to_contain_text("differs")
    for name in ("cirq", "mqt", "qulacs"):
        expect(screen.row(name)).to_contain_text("agrees")
    expect(screen.page.get_by_role("heading", name="Likely cause")).to_be_visible()
    expect(screen.page.get_by_role("heading", name="Reproducer", exact=True)).to_be_visible()
    screen.page.get_by_role("button", name="Open in editor").click()
    screen.facts("1 qubit")
    expect(screen.run).to_be_enabled()


def test_a_comparison_is_cancelled_and_kept(opened_with_fault: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened_with_fault)))
    screen.paste(endless())
    screen.choose("turned", "qulacs")
    expect(screen.run).to_be_enabled()
    screen.run.click()
    screen.cancel.click()
    screen.wait_for_verdict("[Cc]ancelled|interrupted")
    expect(screen.run).to_be_enabled()
    listed = Comparisons(screen.page)
    listed.show()
    expect(listed.past.get_by_role("row").nth(1)).to_contain_text(re.compile("[Cc]ancelled|interrupted"))


def test_a_comparison_goes_on_without_its_page_and_is_cancelled_from_the_list(
    opened_with_fault: Served, browsing: Browsing
):
    screen = Compare(browsing.open(address(opened_with_fault)))
    screen.paste(endless())
    screen.choose("turned", "qulacs")
    expect(screen.run).to_be_enabled()
    screen.run.click()
    expect(screen.cancel).to_be_visible()
    shown = screen.page.url
    screen.page.close()
    listed = Comparisons(browsing.open(address(opened_with_fault, "/#comparisons")))
    its = listed.page.locator(f'a[href="#{urlsplit(shown).fragment}"]')
    row = listed.running.get_by_role("row").filter(has=its)
    expect(row).to_contain_text(re.compile("Queued|[01] of 2"))  # the quick one may have finished by now
    row.get_by_role("button", name="Cancel").click()
    ended = listed.past.get_by_role("row").filter(has=its)
    expect(ended).to_contain_text(re.compile("[Cc]ancelled|interrupted"), timeout=60_000)
    expect(row).to_be_hidden()


@pytest.mark.parametrize(
    ("kind", "check"),
    [
        ("JSON", lambda data: json.loads(data)["cases"]),
        ("HTML", lambda data: data.startswith(b"<!doctype html>")),
        ("SVG", lambda data: b"<svg" in data),
        ("CSV", lambda data: b"00" in data and b"qulacs" in data),
    ],
)
def test_what_was_found_is_kept_as_a_file(opened: Served, browsing: Browsing, tmp_path: Path, kind: str, check):
    screen = Compare(browsing.open(address(opened)))
    screen.compare(BELL)
    screen.wait_for_verdict("All 3 agree")
    with screen.page.expect_download() as download:
        screen.page.get_by_role("button", name=re.compile(rf"\b{kind}\b")).or_(
            screen.page.get_by_role("link", name=re.compile(rf"\b{kind}\b"))
        ).first.click()
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    assert check(file.read_bytes())
    assert file.suffix == f".{kind.lower()}"


def test_a_file_is_opened_and_one_is_dropped(opened: Served, browsing: Browsing, tmp_path: Path):
    file = tmp_path / "bell.qasm"
    file.write_text(BELL, encoding="utf-8")
    screen = Compare(browsing.open(address(opened)))
    with screen.page.expect_file_chooser() as chooser:
        screen.page.get_by_role("button", name="Open file").click()
    chooser.value.set_files(file)
    screen.facts("2 qubits, 2 clbits, 4 operations, depth 3")
    screen.run.click()
    screen.wait_for_verdict("All 3 agree")
    listed = Comparisons(screen.page)
    listed.show()
    expect(listed.past.get_by_role("row").nth(1)).to_contain_text("bell.qasm")


def test_a_link_to_a_text_shows_it_to_somebody_else(opened: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened)))
    screen.write(TURNED)
    screen.facts("2 qubits, 2 clbits, 10 operations, depth 9")
    expect(screen.page).to_have_url(re.compile("#.*circuit="))
    other = Compare(browsing.open(screen.page.url))
    other.facts("2 qubits, 2 clbits, 10 operations, depth 9")
    assert "rz(pi/5) q[1];" in other.text()


def test_the_history_of_the_browser_leads_back(opened: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened)))
    screen.compare(BELL)
    screen.wait_for_verdict("All 3 agree")
    listed = Comparisons(screen.page)
    listed.show()
    screen.page.go_back()
    screen.wait_for_verdict("All 3 agree")
    screen.page.go_forward()
    expect(listed.past).to_be_visible()


def test_a_whole_session_needs_no_pointer(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    screen = Compare(page)
    expect(screen.editor).to_be_visible()
    _tab_to(page, "OpenQASM")
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    page.keyboard.insert_text(BELL)
    screen.facts("2 qubits, 2 clbits, 4 operations, depth 3")
    _tab_to(page, "Number of shots")
    page.keyboard.press("Control+A")
    page.keyboard.type("2000")
    _tab_to(page, "Run on 3")
    page.keyboard.press("Enter")
    screen.wait_for_verdict("All 3 agree")
    page.keyboard.press("Control+Home")
    _tab_to(page, "Comparisons")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Past comparisons")).to_be_visible()
    _tab_to(page, "All 3 agree")
    page.keyboard.press("Enter")
    screen.wait_for_verdict("All 3 agree")


def _tab_to(page: Page, name: str) -> None:
    """Press Tab until something of this name has the focus, and see that it shows."""
    passed = []
    for _ in range(80):
        page.keyboard.press("Tab")
        passed.append(focused(page))
        if passed[-1].partition(" ")[2].startswith(name):
            return
    raise AssertionError(f"no {name} in {passed}")


def test_on_a_phone_a_circuit_is_run_by_touch_and_nothing_is_wider_than_the_phone(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened), size=PHONE)
    screen = Compare(page)
    screen.write(BELL)
    screen.facts("2 qubits, 2 clbits, 4 operations, depth 3")
    assert overflow(page) == 0
    screen.run.tap()
    screen.wait_for_verdict("All 3 agree")
    assert overflow(page) == 0
    controls = page.get_by_role("button").or_(page.get_by_role("textbox")).or_(page.get_by_role("combobox"))
    boxes = {control.inner_text() or control.input_value(): control.bounding_box() for control in controls.all()}
    assert {name for name, box in boxes.items() if box and box["height"] < 40} == set()
    Comparisons(page).show()
    assert overflow(page) == 0


def test_the_theme_follows_the_system_until_it_is_chosen(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened), dark=True)
    expect(page.locator("body")).to_have_css("background-color", "rgb(20, 22, 24)")
    choose = page.get_by_role("button", name="Theme")
    while "light" not in choose.inner_text():
        choose.click()
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
    page.reload()
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")


def test_a_door_that_goes_away_and_comes_back_is_found_again(
    right_simulators: dict[str, Server], browsing: Browsing, tmp_path: Path
):
    browsing.expect_fault("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    port = port_to_keep()
    with door(right_simulators, port=port, state=tmp_path) as first:
        screen = Compare(browsing.open(address(first)))
        screen.compare(BELL)
        screen.wait_for_verdict("All 3 agree")
    screen.write(TURNED)
    expect(screen.page.get_by_text("does not answer").first).to_be_visible()
    with door(right_simulators, port=port, state=tmp_path):
        screen.facts("2 qubits, 2 clbits, 10 operations, depth 9")
        expect(screen.page.get_by_text("does not answer")).to_have_count(0)
        before = screen.page.url
        screen.run.click()
        expect(screen.page).not_to_have_url(before)
        screen.wait_for_verdict("All 3 agree")
        listed = Comparisons(screen.page)
        listed.show()
        expect(listed.past.get_by_role("link")).to_have_count(2)


def test_a_comparison_survives_a_restart_of_the_door_under_its_page(
    right_simulators: dict[str, Server], wrong_simulator: Server, browsing: Browsing, tmp_path: Path
):
    browsing.expect_fault("ERR_")
    port = port_to_keep()
    simulators = {"qulacs": right_simulators["qulacs"], "turned": wrong_simulator}
    with door(simulators, port=port, state=tmp_path) as first:
        screen = Compare(browsing.open(address(first)))
        screen.compare(endless(18, 1_000))
        expect(screen.cancel).to_be_visible()
    with door(simulators, port=port, state=tmp_path):
        screen.wait_for_verdict("agree")


def test_a_token_is_asked_for_kept_for_this_tab_alone_and_never_in_the_address(
    guarded: tuple[Served, str], browsing: Browsing
):
    browsing.expect_fault("401")
    served, token = guarded
    page = browsing.open(address(served))
    field = page.get_by_label(re.compile("[Tt]oken"))
    field.fill("wrong")
    field.press("Enter")
    expect(page.get_by_text("token is wrong")).to_be_visible()
    field.fill(token)
    field.press("Enter")
    screen = Compare(page)
    screen.compare(BELL)
    screen.wait_for_verdict("agree")
    page.reload()
    screen.wait_for_verdict("agree")
    assert token not in page.url
    assert token not in page.evaluate("() => JSON.stringify({...localStorage}) + document.cookie")
    other = browsing.open(page.url)
    expect(other.get_by_label(re.compile("[Tt]oken"))).to_be_visible()
    expect(other.get_by_text("agree")).to_have_count(0)
