"""What the page says and does while the door takes long, is away, or refuses."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

from playwright.sync_api import Page, Route, expect
from support.asked import ask, ended
from support.browsing import PHONE, Browsing
from support.doors import address
from support.screens import BELL, Compare, Comparisons
from support.serving import Served

WIDE = (
    'OPENQASM 3;\ninclude "stdgates.inc";\nqubit[60] q;\nh q[0];\n'
    + "".join(f"cx q[{number}], q[{number + 1}];\n" for number in range(59))
    + "bit[60] c = measure q;\n"
)
"""Too many qubits for a state vector."""

BUSY = {"title": "Service Unavailable", "status": 503, "code": "busy", "detail": "The gateway has too much to do."}


RUNNING = re.compile(r"/v1/comparisons\?show=running")


class Held:
    """Requests to an address that are not passed on yet."""

    def __init__(self, page: Page, url: str | re.Pattern[str]) -> None:
        self.routes: list[Route] = []
        page.route(url, self.take)

    def take(self, route: Route) -> None:
        self.routes.append(route)


def refuse(status: int, times: int = 1) -> Callable[[Route], None]:
    """Return what answers some requests with a problem, and lets those after them through."""
    left = [times]

    def answer(route: Route) -> None:
        if left[0] and route.request.method != "OPTIONS":
            left[0] -= 1
            body = json.dumps(BUSY | {"status": status})
            route.fulfill(status=status, content_type="application/problem+json", body=body)
        else:
            route.continue_()

    return answer


def test_a_run_that_is_asked_for_before_the_text_is_checked_leaves_out_who_cannot_run_it(
    opened: Served, browsing: Browsing
):
    page = browsing.open(address(opened))
    screen = Compare(page)
    screen.write(BELL)
    screen.facts("2 qubits, 2 clbits")
    held = Held(page, "**/v1/circuits")
    with page.expect_request("**/v1/circuits"):
        screen.write(WIDE)
    screen.run.click()
    expect(page.get_by_text("It runs as soon as the circuit has been checked.")).to_be_visible()
    with page.expect_request(lambda request: request.url.endswith("/v1/comparisons")) as asked:
        held.routes[-1].continue_()
    assert asked.value.post_data_json["simulators"] == ["mqt"]
    assert asked.value.post_data_json["circuits"][0]["openqasm"] == WIDE


def test_a_comparison_that_the_door_takes_late_is_said_to_be_late_and_calls_nobody_back(
    opened: Served, browsing: Browsing
):
    page = browsing.open(address(opened))
    screen = Compare(page)
    screen.write(BELL)
    screen.facts("2 qubits, 2 clbits")
    held = Held(page, "**/v1/comparisons")
    with page.expect_request("**/v1/comparisons"):
        screen.run.click()
    expect(page.get_by_text("has not answered yet")).to_be_visible()
    listed = Comparisons(page)
    listed.show()
    with page.expect_response("**/v1/comparisons"):
        held.routes[0].continue_()
    page.get_by_role("navigation", name="Pages").get_by_text("Comparisons (1 running)").or_(
        listed.past.get_by_role("link").first
    ).first.wait_for()
    assert "#comparisons" in page.url
    page.get_by_role("link", name="Compare", exact=True).click()
    screen.wait_for_verdict("All 3 agree")
    expect(page).to_have_url(re.compile("#comparison="))


def test_a_refusal_is_seen_on_a_phone_where_the_settings_are_folded(opened: Served, browsing: Browsing):
    browsing.expect_fault("429")
    page = browsing.open(address(opened), size=PHONE)
    screen = Compare(page)
    screen.compare(BELL)
    screen.wait_for_verdict("All 3 agree")
    page.route("**/v1/comparisons", refuse(429))
    screen.run.click()
    expect(page.get_by_text("The gateway has too much to do.")).to_be_visible()


def test_a_shared_comparison_is_asked_for_again_where_the_door_is_busy_and_its_address_stays(
    opened: Served, browsing: Browsing
):
    browsing.expect_fault("503")
    comparison = ended(opened, ask(opened, BELL))
    page = browsing.open(address(opened))
    expect(Compare(page).run).to_be_enabled()
    page.route("**/request", refuse(503, times=2))
    page.route("**/result", refuse(503))
    page.goto(address(opened, f"/#comparison={comparison}"))
    expect(page.get_by_text("The gateway has too much to do. This page asks again")).to_be_visible()
    Compare(page).wait_for_verdict("All 3 agree")
    expect(page.get_by_role("heading", name="Outcomes")).to_be_visible()
    expect(page.get_by_text("This page asks again")).to_be_hidden()
    assert page.url.endswith(f"#comparison={comparison}")


def test_a_result_that_cannot_be_shown_says_why(opened: Served, browsing: Browsing):
    browsing.expect_fault("504")
    comparison = ended(opened, ask(opened, BELL))
    page = browsing.open(address(opened))
    expect(Compare(page).run).to_be_enabled()
    page.route("**/result", refuse(504))
    page.goto(address(opened, f"/#comparison={comparison}"))
    expect(page.get_by_text("The result cannot be shown: The gateway has too much to do.")).to_be_visible()
    expect(page.get_by_role("button", name="Record (JSON)")).to_be_visible()


def test_a_list_that_is_looked_at_again_and_again_asks_once_at_a_time(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened, "/#comparisons"))
    expect(page.get_by_role("heading", name="Past comparisons")).to_be_visible()
    held = Held(page, RUNNING)
    with page.expect_request(RUNNING):
        pass
    for _ in range(5):
        page.evaluate("() => void document.dispatchEvent(new Event('visibilitychange'))")
    page.evaluate("() => fetch('v1/door').then((answer) => answer.text())")
    assert len(held.routes) == 1
    held.routes[0].continue_()


def test_a_browser_that_keeps_nothing_shows_the_page_all_the_same(opened: Served, browsing: Browsing):
    page = browsing.open(address(opened))
    page.add_init_script("""for (const name of ["localStorage", "sessionStorage"]) {
        Object.defineProperty(window, name, { get() { throw new DOMException("denied", "SecurityError"); } });
    }""")
    page.reload()
    screen = Compare(page)
    screen.compare(BELL)
    screen.wait_for_verdict("All 3 agree")
    theme = page.get_by_role("button", name="Theme")
    theme.click()
    expect(theme).to_have_text("Theme: light")
