"""The screens of the page as people use them: by what they read and hear, never by how the page is built."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Locator, Page, expect

BELL = """OPENQASM 3;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
cx q[0], q[1];
c = measure q;
"""

TURNED = """OPENQASM 3;
include "stdgates.inc";
qubit[2] q;
bit[2] c;
h q[0];
rz(pi/3) q[0];
cx q[0], q[1];
rz(pi/5) q[1];
cx q[0], q[1];
h q[0];
rz(pi/4) q[0];
sx q[0];
c = measure q;
"""
"""A circuit on which a simulator is seen that turns every rz the other way."""


_PASTE = """text => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", text);
    const event = new ClipboardEvent("paste", {clipboardData, bubbles: true, cancelable: true});
    document.activeElement.dispatchEvent(event);
}"""


def endless(num_qubits: int = 20, gates: int = 3_000) -> str:
    """Return a text that takes a simulator written in numpy minutes, and a good one a moment."""
    lines = [f"rx(0.{number % 9 + 1}) q[{number % num_qubits}];" for number in range(gates)]
    head = ["OPENQASM 3;", 'include "stdgates.inc";', f"qubit[{num_qubits}] q;"]
    return "\n".join([*head, *lines, f"bit[{num_qubits}] c = measure q;", ""])


class Compare:
    """The screen on which a circuit is written and compared."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.editor = page.get_by_role("textbox", name=re.compile("OpenQASM"))
        self.run = page.get_by_role("button", name=re.compile(r"^Run (again )?on \d+"))
        self.cancel = page.get_by_role("form", name="Run").get_by_role("button", name="Cancel")
        self.shots = page.get_by_role("textbox", name="Number of shots")
        self.seed = page.get_by_role("textbox", name="Seed")
        self.verdict = page.get_by_role("status", name="Verdict")
        self.simulators = page.get_by_role("table", name=re.compile("^Simulators"))

    def write(self, text: str) -> None:
        """Replace the text in the editor."""
        self.editor.click()
        self.page.keyboard.press("Control+A")
        self.page.keyboard.press("Delete")
        self.page.keyboard.insert_text(text)

    def paste(self, text: str) -> None:
        """Replace the text in the editor by a long one, in one piece."""
        self.editor.click()
        self.page.keyboard.press("Control+A")
        self.page.evaluate(_PASTE, text)

    def text(self) -> str:
        """Return the text in the editor, as far as it is shown."""
        return "\n".join(self.editor.locator(".cm-line").all_inner_texts())

    def facts(self, sentence: str) -> None:
        """Wait until the page says of the text that it has these facts."""
        expect(self.page.get_by_role("status").filter(has_text=sentence)).to_be_visible()

    def choose(self, *names: str) -> None:
        """Choose some simulators and no others."""
        for box in self.simulators.get_by_role("checkbox").all()[1:]:
            box.set_checked(box.get_attribute("aria-label") in names)

    def row(self, name: str) -> Locator:
        """Return the row of a simulator."""
        return self.simulators.get_by_role("row").filter(has=self.page.get_by_role("checkbox", name=name, exact=True))

    def compare(self, text: str) -> None:
        """Write a text and run it."""
        self.write(text)
        expect(self.run).to_be_enabled()
        self.run.click()

    def wait_for_verdict(self, pattern: str) -> None:
        """Wait for a verdict that a regular expression finds."""
        expect(self.verdict).to_contain_text(re.compile(pattern), timeout=120_000)


class Comparisons:
    """The screen of running and past comparisons."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.link = page.get_by_role("navigation", name="Pages").get_by_role("link", name=re.compile("^Comparisons"))
        self.running = page.get_by_role("table", name="Running comparisons")
        self.past = page.get_by_role("table", name="Past comparisons")
        self.search = page.get_by_role("searchbox")

    def show(self) -> None:
        """Go there by the link."""
        self.link.click()
        expect(self.page.get_by_role("heading", name="Past comparisons")).to_be_visible()


def unfold(page: Page) -> None:
    """Open everything that is folded."""
    page.evaluate("() => document.querySelectorAll('main details').forEach((fold) => { fold.open = true; })")


def first(page: Page) -> None:
    """Show the page as it is found first."""
    expect(Compare(page).run).to_be_enabled()


def error(page: Page) -> None:
    """Show a text with an error."""
    Compare(page).write(BELL.replace("cx", "cxx"))
    expect(page.get_by_text("there is no gate").first).to_be_visible()


def agree(page: Page) -> None:
    """Show a comparison in which all agree."""
    screen = Compare(page)
    screen.write(BELL)
    screen.choose("cirq", "mqt", "qulacs")
    expect(screen.run).to_be_enabled()
    screen.run.click()
    screen.wait_for_verdict("All 3 agree")


def differs(page: Page) -> None:
    """Show a comparison of the first example, in which the wrong simulator is seen, all folds open."""
    first(page)
    Compare(page).run.click()
    Compare(page).wait_for_verdict("turned differs")
    unfold(page)


def comparisons(page: Page) -> None:
    """Show the list of comparisons."""
    agree(page)
    Comparisons(page).show()
    expect(Comparisons(page).past.get_by_role("row").nth(1)).to_contain_text("agree")


def docs(page: Page) -> None:
    """Show the description of the interface."""
    page.get_by_role("link", name="API").click()
    expect(page.get_by_text("/v1/comparisons").first).to_be_visible()


SCREENS: dict[str, Callable[[Page], None]] = {
    "first": first, "error": error, "agree": agree, "differs": differs, "comparisons": comparisons, "docs": docs,
}  # fmt: skip
"""Name of a screen -> what leads there from the first, at a door with a wrong simulator."""
