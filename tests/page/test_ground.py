"""The ground that the tests of the page stand on: what goes wrong unseen is noticed."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import Browser
from support.browsing import PHONE, Browsing, axe, focused, overflow

POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'"
FINE = "<!doctype html><html lang=en><title>A page</title><main><h1>A page</h1></main>"


@contextmanager
def served(body: str) -> Iterator[str]:
    """Serve a page under a policy as strict as ours."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            known = self.path == "/"
            self.send_response(200 if known else 204 if self.path == "/favicon.ico" else 404)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Security-Policy", POLICY)
            self.end_headers()
            if known:
                self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.fixture
def serve() -> Iterator[Callable[[str], str]]:
    """Serves pages for longer than the windows are open: what a browser asks for late is answered, too."""
    with ExitStack() as stack:
        yield lambda body: stack.enter_context(served(body))


def test_a_page_without_faults_has_none(serve, browsing: Browsing):
    url = serve(FINE)
    page = browsing.open(url)
    assert axe(page) == []
    assert overflow(page) == 0
    browsing.close()
    assert browsing.faults == []


@pytest.mark.parametrize(
    ("markup", "fault"),
    [
        ("<script>document.title = 'changed'</script>", "console: .*Content Security Policy"),
        ("<p style='color: red'>", "console: .*Content Security Policy"),
        ("<img src=x onerror='document.title = 1'>", "console: .*Content Security Policy"),
        ("<img alt='' src=http://localhost:1/x>", "request to another host|Content Security Policy"),
        ("<a href=javascript:alert(1) id=x>x</a>", "console: .*Content Security Policy"),
        ("<img alt='' src=/missing.png>", "console: .*404"),
    ],
    ids=["script", "style", "handler", "host", "address", "missing"],
)  # fmt: skip
def test_what_a_policy_forbids_and_what_is_missing_is_a_fault(serve, browser: Browser, markup: str, fault: str):
    browsing = Browsing(browser)
    url = serve(FINE + markup)
    page = browsing.open(url)
    if "id=x" in markup:
        page.click("#x")
    page.wait_for_load_state("networkidle")
    browsing.close()
    assert [each for each in browsing.unexpected() if re.search(fault, each)]
    browsing.expect_fault("")
    assert browsing.unexpected() == []


def test_axe_finds_what_cannot_be_read_or_has_no_name(serve, browsing: Browsing):
    url = serve(FINE + "<input><button></button>")
    rules = {each.partition(":")[0] for each in axe(browsing.open(url))}
    assert {"label", "button-name"} <= rules


def test_a_page_too_wide_for_a_phone_is_noticed(serve, browsing: Browsing):
    url = serve(FINE + "<pre>" + "x" * 200)
    assert overflow(browsing.open(url, size=PHONE)) > 0


def test_who_has_the_focus_is_told(serve, browsing: Browsing):
    url = serve(FINE + "<button>Run on 6</button>")
    page = browsing.open(url)
    page.keyboard.press("Tab")
    assert focused(page) == "button Run on 6"
