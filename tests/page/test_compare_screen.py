"""The screen on which a circuit is written and compared: what it keeps, what it says, and what it never does."""

from __future__ import annotations

import json
import re
from urllib.parse import quote

import pytest
from playwright.sync_api import Route, expect
from support.browsing import Browsing
from support.doors import address, door
from support.raw import Server
from support.screens import BELL, Compare, endless
from support.serving import Served

from gateway.look import numbers

GHZ = BELL.replace("[2]", "[3]").replace("c = ", "cx q[1], q[2];\nc = ")
LONG = BELL + "".join(
    f"// {number * 7919 % 104729} is a line that hardly compresses, {number}\n" for number in range(4000)
)


def simulators_of(screen: Compare) -> list[str]:
    return [box.get_attribute("aria-label") or "" for box in screen.simulators.get_by_role("checkbox").all()[1:]]


def test_an_answer_that_is_late_never_replaces_a_newer_one(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    screen = Compare(page)
    expect(screen.run).to_be_enabled()
    held: list[Route] = []

    def hold(route: Route) -> None:
        if "qubit[3]" in (route.request.post_data or ""):
            held.append(route)
        else:
            route.continue_()

    page.route("**/v1/circuits", hold)
    with page.expect_request(lambda request: "qubit[3]" in (request.post_data or "")):
        screen.write(GHZ)
    screen.write(BELL)
    screen.facts("2 qubits, 2 clbits")
    for route in held:
        route.continue_()
    page.unroute("**/v1/circuits")
    page.get_by_label("Number of shots").fill("20,000")
    expect(page.get_by_text("20,000 shots find")).to_be_visible()
    screen.facts("2 qubits, 2 clbits")


def test_nothing_is_lost_of_what_is_typed_while_answers_come(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    screen = Compare(page)
    screen.write("")
    line = "// " + "abcdefghij" * 6
    page.keyboard.type(line, delay=25)  # slower than the page waits, so that it asks in between
    expect(screen.editor).to_have_text(line)


def test_the_address_says_the_circuit_the_settings_and_the_simulators(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    screen = Compare(page)
    screen.write(GHZ)
    screen.shots.fill("5,000")
    screen.seed.fill("")
    screen.choose("cirq", "qulacs")
    expect(screen.run).to_have_text("Run on 2")
    expect(page).to_have_url(re.compile("circuit=.*shots=5000.*seed=any.*simulators=cirq%2Cqulacs"))
    other = Compare(browsing.open(page.url))
    expect(other.run).to_have_text("Run on 2")
    expect(other.shots).to_have_value("5,000")
    expect(other.seed).to_have_value("")
    assert "cx q[1], q[2];" in other.text()


def test_a_link_is_copied_and_one_that_would_be_too_long_is_refused(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened), permissions=["clipboard-read", "clipboard-write"])
    screen = Compare(page)
    screen.write(GHZ)
    page.get_by_role("button", name="Copy link").first.click()
    expect(page.get_by_text("Link copied")).to_be_visible()
    assert "circuit=" in page.evaluate("() => navigator.clipboard.readText()")
    screen.paste(LONG)
    page.get_by_role("button", name="Copy link").first.click()
    expect(page.get_by_text("too long for a link")).to_be_visible()


def test_a_circuit_that_is_too_long_for_an_address_outlives_a_reload_in_its_tab_alone(
    opened: Served, browsing: Browsing
):
    page = browsing.open(address(opened))
    screen = Compare(page)
    expect(screen.run).to_be_enabled()
    screen.paste(LONG)
    expect(page).to_have_url(re.compile("kept="), timeout=20_000)
    page.reload()
    screen.facts("2 qubits, 2 clbits")
    elsewhere = browsing.open(page.url)
    expect(elsewhere.get_by_text("was kept in the tab of whoever wrote it")).to_be_visible()


def test_a_circuit_that_is_larger_than_an_address_may_unfold_to_outlives_a_reload(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    screen = Compare(page)
    expect(screen.run).to_be_enabled()
    screen.paste("// it compresses very well\n" * 170_000 + BELL)
    screen.facts("2 qubits, 2 clbits")
    expect(page).to_have_url(re.compile("kept="), timeout=20_000)
    page.reload()
    screen.facts("2 qubits, 2 clbits")


@pytest.mark.parametrize(
    ("fragment", "sentence"),
    [
        ("#circuit=8w9w9Qt0DPZVMLbmysxLzil", "The circuit in this address is damaged"),
        ("#circuit=%F0%9F%98%80", "The circuit in this address is damaged"),
        ("#example=No+such", "There is no example No such"),
    ],
)
def test_an_address_that_means_nothing_says_so_and_the_page_works(
    opened: Served, browsing: Browsing, fragment: str, sentence: str
):
    page = browsing.open(address(opened, f"/{fragment}"))
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(Compare(page).run).to_be_enabled()


def test_a_comparison_that_nobody_knows_says_so_and_the_page_works(opened: Served, browsing: Browsing):
    browsing.expect_fault("404")
    page = browsing.open(address(opened, f"/#comparison={quote('nobody knows it')}"))
    expect(page.get_by_role("status").filter(has_text=re.compile("no comparison", re.IGNORECASE))).to_be_visible()
    expect(Compare(page).run).to_be_enabled()


@pytest.mark.parametrize(
    ("ask", "field", "text", "sentence"),
    [
        ("Shots", "Number of shots", "many", "The number of shots is a whole number"),
        ("Shots", "Number of shots", "0", "The number of shots is a whole number"),
        ("Shots", "Number of shots", "1.5", "The number of shots is a whole number"),
        ("Shots", "Seed", "4294967296", "The seed is a whole number from 0 to 4,294,967,295"),
        ("Resolution", "Distance to find", "1", "The distance to find is a number between 0 and 1"),
        ("Resolution", "Distance to find", "", "The distance to find is a number between 0 and 1"),
    ],
)
def test_a_setting_that_is_wrong_is_said_to_be_and_nothing_runs(
    opened: Served, browsing: Browsing, ask: str, field: str, text: str, sentence: str
):
    page = browsing.open(address(opened))
    screen = Compare(page)
    expect(screen.run).to_be_enabled()
    page.get_by_text(ask, exact=True).click()
    page.get_by_label(field).fill(text)
    expect(page.get_by_text(sentence)).to_be_visible()
    expect(screen.run).to_be_disabled()


def test_costs_are_written_as_everywhere(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    screen = Compare(page)
    expect(screen.run).to_be_enabled()
    with page.expect_response("**/v1/circuits") as answer:
        screen.write(GHZ)
    for estimate in answer.value.json()["estimates"]:
        row = screen.row(estimate["simulator"])
        expect(row).to_contain_text(numbers.seconds(estimate["seconds"], numbers.NO_BREAK))
        expect(row).to_contain_text(numbers.mebibytes(estimate["memory_bytes"], numbers.NO_BREAK))


def test_rows_are_the_same_before_and_after_a_run_and_one_that_is_down_is_one_of_them(
    right_simulators: dict[str, Server], browsing: Browsing
):
    browsing.expect_fault("ERR_")  # the window is open for longer than the door
    behind = {"cirq": right_simulators["cirq"], "gone": "http://127.0.0.1:9", "qulacs": right_simulators["qulacs"]}
    with door(behind) as served:
        screen = Compare(browsing.open(address(served)))
        expect(screen.row("gone")).to_contain_text("down")
        expect(screen.page.get_by_text("127.0.0.1:9")).to_be_visible()
        before = simulators_of(screen)
        expect(screen.run).to_have_text("Run on 2")
        screen.compare(BELL)
        screen.wait_for_verdict("Both agree|All 2 agree")
        assert simulators_of(screen) == before
        assert set(before) == {"cirq", "gone", "qulacs"}
        expect(screen.row("gone")).to_contain_text("down")


def test_a_request_whose_answer_is_lost_is_sent_again_and_happens_once(opened: Served, browsing: Browsing):
    browsing.expect_fault("ERR_")
    page = browsing.open(address(opened))
    screen = Compare(page)
    screen.write(BELL + "// sent twice\n")
    expect(screen.run).to_be_enabled()
    before = opened.request("GET", "/v1/comparisons?limit=1").json.get("total", 0)
    keys: list[str] = []

    def lose_the_first(route: Route) -> None:
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort("connectionreset")
        else:
            route.continue_()

    page.route("**/v1/comparisons", lose_the_first)
    screen.run.click()
    screen.wait_for_verdict("agree")
    assert len(keys) == 2
    assert keys[0] == keys[1]
    assert opened.request("GET", "/v1/comparisons?limit=1").json.get("total", 0) == before + 1


def test_a_double_click_on_run_starts_one_comparison_and_cancels_none(opened: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened)))
    screen.write(BELL + "// pressed twice\n")
    expect(screen.run).to_be_enabled()
    before = opened.request("GET", "/v1/comparisons?limit=1").json.get("total", 0)
    screen.run.dblclick()
    screen.wait_for_verdict("All 3 agree")
    assert opened.request("GET", "/v1/comparisons?limit=1").json.get("total", 0) == before + 1


def test_a_text_that_is_edited_after_its_run_keeps_the_result_and_says_so(opened: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened)))
    screen.compare(BELL)
    screen.wait_for_verdict("All 3 agree")
    screen.write(GHZ)
    said = screen.page.get_by_text("The text has changed since")
    expect(said).to_be_visible()
    expect(screen.page).to_have_url(re.compile("comparison=.*circuit="))
    screen.page.reload()
    screen.wait_for_verdict("All 3 agree")
    expect(said).to_be_visible()
    screen.write(BELL)
    expect(said).to_be_hidden()


def test_what_a_comparison_asked_for_besides_is_asked_for_again(opened: Served, browsing: Browsing):
    body = {"circuits": [{"name": "bell", "openqasm": BELL}], "shots": 100, "repeat": 2, "simulators": ["qulacs"]}
    accepted = opened.request("POST", "/v1/comparisons", json.dumps(body).encode()).json["id"]
    page = browsing.open(address(opened, f"/#comparison={accepted}"))
    screen = Compare(page)
    screen.wait_for_verdict("agree|alone|qulacs")
    expect(page.get_by_text("As in the comparison shown: 2 runs of each circuit.")).to_be_visible()
    with page.expect_request(lambda request: request.method == "POST" and "comparisons" in request.url) as asked:
        screen.run.click()
    assert asked.value.post_data_json["repeat"] == 2
    assert asked.value.post_data_json["shots"] == 100


def test_a_circuit_that_was_begun_with_an_example_does_not_have_its_name(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    screen = Compare(page)
    expect(screen.run).to_be_enabled()
    example = page.get_by_label("Example").input_value()
    screen.write(BELL)
    expect(screen.run).to_be_enabled()
    with page.expect_request(lambda request: request.method == "POST" and "comparisons" in request.url) as asked:
        screen.run.click()
    assert asked.value.post_data_json["circuits"] == [{"name": f"{example}, edited", "openqasm": BELL}]


def test_a_door_that_is_back_is_not_said_to_be_away(opened: Served, browsing: Browsing):
    browsing.expect_fault("ERR_INTERNET_DISCONNECTED")
    page = browsing.open(address(opened))
    screen = Compare(page)
    expect(screen.run).to_be_enabled()
    page.context.set_offline(True)
    expect(page.get_by_text("The gateway does not answer just now")).to_be_visible(timeout=30_000)
    screen.run.click()
    said = page.get_by_role("form", name="Run").get_by_text("The gateway does not answer")
    expect(said).to_be_visible(timeout=30_000)
    page.context.set_offline(False)
    expect(said).to_be_hidden(timeout=30_000)


def test_tab_leaves_the_editor_and_the_drawing_is_enlarged_and_put_away_by_keys(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    screen = Compare(page)
    enlarge = page.get_by_role("button", name="Enlarge")
    expect(enlarge).to_be_visible()
    screen.editor.focus()
    page.keyboard.press("Tab")
    expect(enlarge).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Drawing")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Drawing")).to_be_hidden()
    expect(enlarge).to_be_focused()


def test_a_wide_drawing_says_which_part_of_it_is_seen(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    chain = "".join(f"cx q[{number}], q[{number + 1}];\n" for number in range(29))
    Compare(page).write(f'OPENQASM 3;\ninclude "stdgates.inc";\nqubit[30] q;\n{chain}')
    expect(
        page.get_by_text(re.compile(r"Drawing, columns 1 to \d+ of 29, qubits 0 to \d+ of 30")).first
    ).to_be_visible()
    page.get_by_role("group", name="Circuit, scrolls sideways").first.focus()
    page.keyboard.press("End")
    expect(page.get_by_text(re.compile(r"qubits \d+ to 29 of 30")).first).to_be_visible()


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(b"\xff\xfe\x00", "is no text in UTF-8"), (b"//" + b"x" * (4 * 2**20), "has more than 4 MiB")],
    ids=["binary", "huge"],
)
def test_a_file_that_is_no_circuit_is_refused_and_the_text_stays(
    opened: Served, browsing: Browsing, content: bytes, sentence: str
):
    page = browsing.open(address(opened))
    screen = Compare(page)
    expect(screen.run).to_be_enabled()
    before = screen.text()
    page.locator("input[type=file]").set_input_files({"name": "x.qasm", "mimeType": "text/plain", "buffer": content})
    expect(page.get_by_text(f"x.qasm {sentence}")).to_be_visible()
    assert screen.text() == before


def test_a_version_stands_after_the_distribution_that_has_it(opened: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened)))
    expect(screen.row("cirq")).to_contain_text(re.compile(r"cirq-core \d"))


def test_what_of_a_large_circuit_is_not_drawn_is_said(opened: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened)))
    screen.write(endless(4, 600))
    screen.facts("604 operations")
    expect(screen.page.get_by_text("The first 480 of 604 operations are drawn.").first).to_be_visible()


def test_a_comparison_of_exact_results_asks_for_them_again_after_a_reload(opened: Served, browsing: Browsing):
    screen = Compare(browsing.open(address(opened)))
    screen.write(BELL)
    screen.facts("2 qubits, 2 clbits")
    screen.page.get_by_text("Exact", exact=True).click()
    screen.run.click()
    screen.wait_for_verdict("All 3 agree")
    screen.page.reload()
    screen.wait_for_verdict("All 3 agree")
    expect(screen.page.get_by_role("radio", name="Exact")).to_be_checked()
