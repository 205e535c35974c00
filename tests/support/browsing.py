"""A real browser for the tests of pages: what goes wrong on a page unseen fails the test as well."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
AXE = Path(__file__).parents[1] / "page/node_modules/axe-core/axe.min.js"
DESKTOP, TABLET, PHONE = (1440, 900), (820, 1180), (390, 844)
"""Widths and heights of windows, in CSS pixels."""

_INTERRUPTED = "net::ERR_NETWORK_CHANGED"
"""What Chromium says of requests under way when an interface of the machine comes or goes."""

_OWN_SCHEMES = {"about", "blob", "data"}
_GRAVE = {"serious", "critical"}


PATIENCE_MS = 30_000
"""How long a page may take to show what is expected: machines that run tests have much else to do."""

expect.set_options(timeout=PATIENCE_MS)


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run Debian's Chromium until the end of the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-dev-shm-usage"],  # tests run as root too, and where /dev/shm is small
        )
        try:
            yield browser
        finally:
            browser.close()


class Browsing:
    """Opens pages, each in a window of its own, and notes what nobody would see.

    Attributes:
        faults: errors in a console, exceptions of scripts, and requests to other hosts than that of the page.
    """

    def __init__(self, browser: Browser) -> None:
        self.faults: list[str] = []
        self._browser = browser
        self._contexts: list[BrowserContext] = []
        self._expected: list[str] = []

    def open(
        self,
        url: str,
        *,
        size: tuple[int, int] = DESKTOP,
        dark: bool = False,
        reduced_motion: bool = False,
        **options: Any,
    ) -> Page:
        """Open an address in a new window, with a storage of its own.

        Args:
            url: the address.
            size: width and height of the window; one as narrow as a phone is touched.
            dark: whether the system is dark.
            reduced_motion: whether the system asks for little motion.
            **options: of Playwright's contexts.
        """
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            color_scheme="dark" if dark else "light",
            reduced_motion="reduce" if reduced_motion else "no-preference",
            has_touch=size[0] <= PHONE[0],
            **options,
        )
        context.set_default_timeout(PATIENCE_MS)
        self._contexts.append(context)
        page = context.new_page()
        context.on("console", self._note_console)
        context.on("weberror", lambda error: self._note(f"exception: {error.error}"))
        context.on("request", lambda request: self._note_request(request, urlsplit(url).netloc))
        page.goto(url)
        return page

    def expect_fault(self, pattern: str) -> None:
        """Let faults pass that a regular expression finds: those that the test brings about itself."""
        self._expected.append(pattern)

    def close(self) -> None:
        """Close all windows."""
        for context in self._contexts:
            context.close()
        self._contexts.clear()

    def unexpected(self) -> list[str]:
        """Return the faults that the test did not bring about."""
        return [fault for fault in self.faults if not any(re.search(each, fault) for each in self._expected)]

    def _note(self, fault: str) -> None:
        self.faults.append(fault)

    def _note_console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and _INTERRUPTED not in message.text:
            self._note(f"console: {message.text} ({message.location.get('url', '')})")

    def _note_request(self, request: Request, host: str) -> None:
        parts = urlsplit(request.url)
        if parts.netloc != host and parts.scheme not in _OWN_SCHEMES:
            self._note(f"request to another host: {request.url}")


def axe(page: Page) -> list[str]:
    """Return what axe-core finds serious or critical on a page: the rule, and where."""
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("() => axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{violation['id']}: {', '.join(str(node['target']) for node in violation['nodes'])}"
        for violation in found["violations"]
        if violation["impact"] in _GRAVE
    ]


def overflow(page: Page) -> int:
    """Return by how many pixels a page is wider than its window; 0 if it does not scroll sideways."""
    return int(page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth"))


def focused(page: Page) -> str:
    """Return the role and the name of the element that has the focus."""
    snapshot = """() => {
        const it = document.activeElement;
        const name = it.getAttribute("aria-label") || it.labels?.[0]?.textContent || it.textContent || it.value || "";
        const role = it.getAttribute("role") || it.tagName.toLowerCase();
        return `${role} ${name.trim().replace(/\\s+/g, " ").slice(0, 60)}`;
    }"""
    return str(page.evaluate(snapshot))
