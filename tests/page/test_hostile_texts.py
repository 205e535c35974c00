"""Names, texts and messages that are written to be taken for markup: a browser shows them, and runs nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect
from support.browsing import Browsing
from support.doors import address, door
from support.raw import Server
from support.screens import BELL, Compare, unfold
from support.serving import Served
from support.upstream import answer, upstream

from gateway.look.markup import visible

TAKEN = "document.title='taken over'"
TEXTS = {
    "image": f'<img src=x onerror="{TAKEN}">',
    "script": f"</script></title><script>{TAKEN}</script>",
    "drawing": f"<svg/onload={TAKEN}><animate onbegin={TAKEN} attributeName=x dur=1s>",
    "attribute": f'" autofocus onfocus="{TAKEN}" x="\' onfocus=\'{TAKEN}',
    "address": f"javascript:{TAKEN}",
    "style": "</style><style>*{background:url(http://evil.example/x)}</style>",
    "frame": f'<iframe srcdoc="<script>parent.{TAKEN}</script>"></iframe><base href="http://evil.example/">',
    "reversed": "\u202egnp.evil\u202c \u2066<b>bold</b>",
    "template": "{{constructor.constructor('alert(1)')()}}${alert(1)}",
}
JSON = "Content-Type: application/json"


@pytest.fixture(scope="module")
def hostile(right_simulators: dict[str, Server]) -> Iterator[Served]:
    """A door before a real simulator, and one that says of itself, and of every run, what is no text."""
    real = right_simulators["qulacs"].request("GET", "/v1/backend").json
    backend = json.dumps(real | {"version": TEXTS["image"], "name": "hostile"}).encode()
    failure = {"type": "about:blank", "title": TEXTS["script"], "status": 500, "detail": TEXTS["image"]}
    problem = json.dumps(failure | {"code": "simulator-error"}).encode()
    answers = {
        "/v1/backend": answer(backend, JSON),
        "/readyz": answer(b'{"status":"ok"}', JSON),
        "/v1/run": answer(problem, "Content-Type: application/problem+json", status="500 Internal Server Error"),
        "/v1/jobs": answer(problem, "Content-Type: application/problem+json", status="500 Internal Server Error"),
        "/page": answer(f"<!doctype html><script>{TAKEN}</script><p>it ran".encode(), "Content-Type: text/html"),
    }
    with ExitStack() as stack:
        behind = stack.enter_context(upstream(answers))
        yield stack.enter_context(door({"qulacs": right_simulators["qulacs"], "hostile": behind.url}))


def compared(served: Served, name: str, **fields: object) -> str:
    """Compare a circuit of a name, and return the id of the comparison once it has ended."""
    body = {"circuits": [{"name": name, "openqasm": BELL}], "shots": 100, "simulators": ["qulacs"], **fields}
    accepted = served.request("POST", "/v1/comparisons", json.dumps(body).encode())
    assert accepted.status == 202, accepted.body
    found = accepted.json["id"]
    assert served.request("GET", f"/v1/comparisons/{found}?wait_s=60").json["state"] == "finished"
    return str(found)


def assert_nothing_ran(page: Page) -> None:
    page.wait_for_load_state("networkidle")
    assert "taken" not in page.title()
    foreign = page.locator("img[src='x'], iframe, base, [onfocus], [onerror], [onload], animate, script:not([src])")
    assert foreign.count() == 0


@pytest.mark.parametrize("name", TEXTS)
def test_the_name_of_a_circuit_is_shown_as_it_is(hostile: Served, browsing: Browsing, tmp_path: Path, name: str):
    found = compared(hostile, TEXTS[name])
    page = browsing.open(address(hostile, f"/#comparison={found}"))
    Compare(page).wait_for_verdict("qulacs|agree|alone|nothing")
    assert_nothing_ran(page)
    listed = browsing.open(address(hostile, "/#comparisons"))
    expect(listed.get_by_text(visible(TEXTS[name])[:20]).locator("visible=true").first).to_be_visible()
    assert_nothing_ran(listed)
    for kept in ("report.html", "picture.svg"):
        file = tmp_path / kept
        file.write_bytes(hostile.request("GET", f"/v1/comparisons/{found}/{kept}").body)
        opened = browsing.open(file.as_uri())
        assert opened.evaluate("() => document.title") != "taken over"
        assert opened.locator("script, iframe, base, img[src='x'], [onfocus], [onload], animate").count() == 0


@pytest.mark.parametrize("name", TEXTS)
def test_a_text_and_the_errors_in_it_are_shown_as_they_are(hostile: Served, browsing: Browsing, name: str):
    page = browsing.open(address(hostile))
    screen = Compare(page)
    for text in (
        f"OPENQASM 3;\n{TEXTS[name]}\nqubit q;",
        f'OPENQASM 3;\ninclude "{TEXTS[name]}";\nqubit q;',
        f"OPENQASM 3;\nqubit q;\n// {TEXTS[name]}\npragma {TEXTS[name]}\nx q;",
    ):
        screen.write(text)
        page.wait_for_load_state("networkidle")
        assert_nothing_ran(page)


@pytest.mark.parametrize("name", TEXTS)
def test_an_address_that_somebody_was_led_to_is_no_markup(hostile: Served, browsing: Browsing, name: str):
    browsing.expect_fault("status of 40[04]")
    text = quote(TEXTS[name])
    for fragment in (
        f"#comparison={text}", f"#comparisons&search={text}&show={text}", f"#example={text}", f"#circuit={text}",
        f"#name={text}&shots={text}&seed={text}&simulators={text}", f"#{text}",
    ):  # fmt: skip
        page = browsing.open(address(hostile, f"/{fragment}"))
        expect(page.get_by_role("heading", name="Simulator Gateway")).to_be_visible()
        assert_nothing_ran(page)


def test_what_a_simulator_says_of_itself_and_of_its_failure_is_no_markup(hostile: Served, browsing: Browsing):
    page = browsing.open(address(hostile))
    screen = Compare(page)
    expect(screen.row("hostile")).to_contain_text("<img")
    screen.compare(BELL)
    screen.wait_for_verdict("hostile")
    unfold(page)
    assert_nothing_ran(page)


def test_a_document_of_a_simulator_runs_nothing_at_the_address_of_the_door(hostile: Served, browsing: Browsing):
    browsing.expect_fault("Content Security Policy|sandboxed")
    page = browsing.open(address(hostile, "/v1/simulators/hostile/page"))
    expect(page.get_by_text("it ran")).to_be_visible()
    assert "taken" not in page.title()
