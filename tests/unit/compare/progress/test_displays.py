"""Progress is redrawn in place in a terminal and in a notebook, and is lines elsewhere."""

from __future__ import annotations

import io
import re
import sys
import types

import pytest
from support.terminals import Screen, pseudo_terminal
from support.waiting import wait_until

from gateway.compare.progress import (
    Event,
    NoProgress,
    NotebookProgress,
    Progress,
    Stage,
    TerminalProgress,
    progress_of,
)
from gateway.compare.progress.board import Line, View
from gateway.compare.progress.notebook import to_html
from gateway.compare.progress.terminal import draw
from gateway.errors import RequestError
from gateway.look.terminal import Terminal

VIEW = View(
    lines=(
        Line("cirq", Stage.FINISHED, 1.0, 3.1),
        Line("mqt", Stage.FAILED, 1.0, 5.4),
        Line("pytket", Stage.RUNNING, 0.62, 0.8),
        Line("rigetti", Stage.STARTING, None, 0.1),
        Line("qulacs"),
    ),
    finished=2,
    simulators=5,
    sentence="2 of 5 have finished; none differs so far.",
    seconds=9.7,
    left_s=6.0,
)


@pytest.fixture(autouse=True)
def _ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("COLUMNS", raising=False)
    monkeypatch.setattr("gateway.compare.progress.drawn.QUIET_S", 0.0)


def drawn(columns: int, monkeypatch: pytest.MonkeyPatch, view: View = VIEW, encoding: str = "utf-8") -> list[str]:
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("NO_COLOR", "1")
    terminal = Terminal(Screen(encoding))
    return terminal.render(*draw(view, terminal)).splitlines()


def test_at_80_columns(monkeypatch):
    assert drawn(80, monkeypatch) == [
        "✓ cirq      finished                                    3.1 s",
        "! mqt       failed                                      5.4 s",
        "▸ pytket    running   ━━━━━━━━━━━━━━━─────────   62 %   0.8 s",
        "▸ rigetti   starting                                    0.1 s",
        "… qulacs    queued",
        "  2 of 5 have finished; none differs so far. About 6 s left; Ctrl-C cancels.",
    ]


def test_a_bar_grows_with_the_terminal_and_goes_where_there_is_no_room(monkeypatch):
    assert "━" * 25 + "─" * 15 in drawn(120, monkeypatch)[2]
    assert drawn(40, monkeypatch)[2] == "▸ pytket    running    62 %   0.8 s"
    assert max(map(len, drawn(40, monkeypatch))) <= 40


def test_rows_do_not_jump_when_a_bar_appears(monkeypatch):
    running = Line("pytket", Stage.RUNNING, 0.5, 0.8)
    before, after = (
        drawn(80, monkeypatch, View((Line("cirq", Stage.FINISHED, 1, 3.1), line), 1, 2, "", 3.0, None))
        for line in (Line("pytket"), running)
    )
    assert before[0] == after[0]


def test_other_encodings_have_other_characters(monkeypatch):
    assert drawn(80, monkeypatch, encoding="ascii")[0].startswith("v cirq ")
    assert "=" * 15 + "-" * 9 in drawn(80, monkeypatch, encoding="ascii")[2]


def test_a_long_name_is_cut_off_rather_than_broken(monkeypatch):
    view = View((Line("a" * 100, Stage.RUNNING, 0.5, 1.0),), 0, 1, "", 1.0, None)
    lines = drawn(60, monkeypatch, view)
    assert len(lines[0]) <= 60
    assert "a…" in lines[0]


def test_of_more_simulators_than_lines_those_that_run_are_shown(monkeypatch):
    monkeypatch.setenv("LINES", "10")
    lines = (*(Line(f"s{k}", Stage.FINISHED, 1.0, 1.0) for k in range(20)), Line("busy", Stage.RUNNING, 0.5, 1.0))
    shown = drawn(80, monkeypatch, View(lines, 20, 21, "", 3.0, None))
    assert [line.split()[1] for line in shown[:-1]] == ["busy"]


def test_it_is_redrawn_in_place_and_removed_at_the_end():
    with pseudo_terminal() as terminal:
        progress = TerminalProgress(terminal.stream)
        progress.start(["cirq", "mqt"], ["a"])
        progress.update(Event(simulator="cirq", circuit="a", stage=Stage.RUNNING, done=1, total=2))
        redrawn = re.compile(r"\x1b\[3F\x1b\[J[^\n]*running.*50 %")
        wait_until(lambda: redrawn.search(terminal.output), lambda: terminal.output)
        progress.finish()
        terminal.close()
        assert terminal.output.endswith("\x1b[3F\x1b[J")


def test_where_no_terminal_is_each_end_is_a_line():
    stream = io.StringIO()
    progress = TerminalProgress(stream)
    progress.start(["cirq", "mqt"], ["a"])
    progress.update(Event(simulator="cirq", circuit="a", stage=Stage.RUNNING, done=1, total=2))
    progress.update(Event(simulator="cirq", circuit="a", stage=Stage.FINISHED, seconds=3.1))
    wait_until(stream.getvalue, "the first line")
    progress.update(Event(simulator="mqt", circuit="a", stage=Stage.FAILED, seconds=0.04))
    progress.finish()
    assert stream.getvalue() == "gateway: cirq finished, 3.1 s\ngateway: mqt failed, 0.0 s\n"


def test_of_several_circuits_each_is_named():
    stream = io.StringIO()
    progress = TerminalProgress(stream)
    progress.start(["cirq"], ["a.qasm", "b.qasm"])
    progress.update(Event(simulator="cirq", circuit="a.qasm", stage=Stage.FINISHED, seconds=3.1))
    wait_until(stream.getvalue, "the line")
    progress.finish()
    assert stream.getvalue() == "gateway: cirq finished a.qasm, 3.1 s\n"


def test_what_ends_soon_shows_nothing(monkeypatch):
    monkeypatch.setattr("gateway.compare.progress.drawn.QUIET_S", 60.0)
    stream = Screen()
    progress = TerminalProgress(stream)
    progress.start(["cirq"], ["a"])
    progress.update(Event(simulator="cirq", circuit="a", stage=Stage.FINISHED))
    progress.finish()
    progress.finish()
    assert stream.getvalue() == ""


def test_a_terminal_that_has_gone_ends_no_comparison():
    stream = Screen()
    stream.close()
    progress = TerminalProgress(stream)
    progress.start(["cirq"], ["a"])
    progress.update(Event(simulator="cirq", circuit="a", stage=Stage.FINISHED))
    progress.finish()


# ---------------------------------------------------------------------- notebooks


class Shell:
    """The shell of a notebook's kernel, as IPython gives it."""

    kernel = object()


def pretend_ipython(monkeypatch: pytest.MonkeyPatch, shell: object) -> None:
    module = types.ModuleType("IPython")
    monkeypatch.setattr(module, "get_ipython", lambda: shell, raising=False)
    monkeypatch.setitem(sys.modules, "IPython", module)


def test_a_bar_is_chosen_in_a_notebook_only(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert isinstance(progress_of("auto"), TerminalProgress)
    assert "IPython" not in sys.modules
    for shell in (None, object()):  # no shell; the shell of a terminal
        pretend_ipython(monkeypatch, shell)
        assert isinstance(progress_of("auto"), TerminalProgress)
    pretend_ipython(monkeypatch, Shell())
    assert isinstance(progress_of("auto"), NotebookProgress)


def test_a_progress_of_ones_own_is_taken_and_none_is_none():
    own = Progress()
    assert progress_of(own) is own
    assert isinstance(progress_of(None), NoProgress)


@pytest.mark.parametrize("progress", ["loud", 3, object(), TerminalProgress])
def test_what_cannot_show_progress_is_refused(progress):
    with pytest.raises(RequestError, match="progress must be 'auto', None or a Progress"):
        progress_of(progress)


def test_a_notebook_shows_a_bar_a_row_for_each_and_no_scripts_or_styles():
    html = to_html(VIEW)
    assert "<strong>2 of 5 have finished</strong>; none differs so far." in html
    assert "width:52.4%" in html
    assert re.findall(r"[✓!▸…] [^<]+", html) == [
        "✓ finished",
        "! failed",
        "▸ running, 62\xa0%",
        "▸ starting",
        "… queued",
    ]
    assert not re.search(r"<script|<style|class=|id=|var\(", html)


def test_names_cannot_break_the_page():
    html = to_html(View((Line("<b>&"),), 0, 1, "<i>;<u>", 1.0, None))
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;&amp;" in html


def test_at_the_end_of_a_notebooks_progress_one_line_stays(monkeypatch):
    pictures: list[dict[str, str]] = []

    class Handle:
        def update(self, picture: dict[str, str], *, raw: bool) -> None:
            pictures.append(picture)

    def display(picture: dict[str, str], *, raw: bool, display_id: bool) -> Handle:
        pictures.append(picture)
        return Handle()

    module = types.ModuleType("IPython.display")
    module.display = display  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    progress = NotebookProgress()
    progress.start(["cirq"], ["a"])
    wait_until(lambda: pictures, "the first picture")
    progress.update(Event(simulator="cirq", circuit="a", stage=Stage.FINISHED, seconds=1.0))
    progress.finish()
    assert "<table" in pictures[0]["text/html"]
    assert pictures[0]["text/plain"] == "0 of 1 have finished.\ncirq: queued"
    assert "<table" not in pictures[-1]["text/html"]
    assert "1 of 1 has finished" in pictures[-1]["text/html"]
