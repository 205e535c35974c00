"""Makes pictures of every screen of the page, of real servers: ``scripts/screenshots [FOLDER]``."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Page, expect
from support.asked import ask, is_running
from support.browsing import DESKTOP, PHONE, TABLET, Browsing, chromium
from support.doors import address, door, simulators
from support.screens import SCREENS, Compare, endless
from support.serving import Served

FOLDER = Path("build/screenshots")
SIZES = (DESKTOP, TABLET, PHONE)
JUDGED = ("agree", "differs", "running")


def main(folder: Path) -> int:
    """Take the pictures; the status is 1 if a page had a fault."""
    folder.mkdir(parents=True, exist_ok=True)
    with simulators("cirq", "mqt", "qulacs", "turned") as servers, door(servers) as opened, chromium() as browser:
        browsing = Browsing(browser)
        judged = {name: _reach(browsing, opened, name) for name in JUDGED}
        for size in SIZES:
            for dark in (False, True):
                for name in (*SCREENS, "running"):
                    page = browsing.open(judged.get(name, address(opened)), size=size, dark=dark)
                    _settle(page, name)
                    _take(page, folder, name, size, dark=dark)
                page = browsing.open(address(servers["qulacs"], "/"), size=size, dark=dark)
                _take(page, folder, "simulator", size, dark=dark)
                browsing.close()
        for fault in browsing.faults:
            print(fault, file=sys.stderr)
    print(f"{len(list(folder.glob('*.png')))} pictures in {folder}")
    return int(bool(browsing.faults))


def _reach(browsing: Browsing, opened: Served, name: str) -> str:
    """Compare as a screen needs it, and return its address."""
    if name == "running":
        comparison = ask(opened, endless(), simulators=["mqt", "qulacs", "turned"], shots=1_000)
        is_running(opened, comparison, results=2)
        return address(opened, f"/#comparison={comparison}")
    page = browsing.open(address(opened))
    SCREENS[name](page)
    return page.url


def _settle(page: Page, name: str) -> None:
    if name == "running":
        expect(Compare(page).cancel).to_be_visible()
        expect(page.get_by_role("heading", name="Outcomes")).to_be_visible()
    elif name in JUDGED:
        Compare(page).wait_for_verdict("agree")
    else:
        SCREENS[name](page)
    if name in {"agree", "differs"}:
        expect(page.get_by_role("heading", name="What could not have been seen")).to_be_visible()


def _take(page: Page, folder: Path, name: str, size: tuple[int, int], *, dark: bool) -> None:
    file = folder / f"{name}-{size[0]}-{'dark' if dark else 'light'}.png"
    page.screenshot(path=file, full_page=name != "docs")  # that one is as long as a book


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if sys.argv[1:] else FOLDER))
