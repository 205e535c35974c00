"""A terminal is written to in its width, its colours and its characters; elsewhere text is plain."""

from __future__ import annotations

import io
import subprocess
import sys

import pytest
from support.terminals import Screen, pseudo_terminal

from gateway.look.terminal import Terminal, printable


@pytest.fixture(autouse=True)
def _ordinary(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "60")


def shown(terminal: Terminal, *parts: str | tuple[str, str], mark: str = "", indent: int = 0) -> str:
    return terminal.render(terminal.sentence(*parts, mark=mark, indent=indent))


def test_a_terminal_has_weight_and_the_colours_of_its_theme():
    text = shown(Terminal(Screen()), ("rigetti differs", "bold"), mark="≠")
    assert text == "\x1b[31m≠\x1b[0m \x1b[1mrigetti differs\x1b[0m\n"


@pytest.mark.parametrize("variable", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_nothing_is_coloured_where_nobody_wants_it(variable, monkeypatch):
    monkeypatch.setenv(*variable)
    assert shown(Terminal(Screen()), ("rigetti differs", "bold"), mark="≠") == "≠ rigetti differs\n"


def test_an_empty_no_color_is_none(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "")
    assert Terminal(Screen()).is_coloured


def test_variables_for_other_programs_colour_no_file(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert shown(Terminal(io.StringIO()), ("bold", "bold")) == "bold\n"


def test_lines_of_a_sentence_begin_below_its_first_word():
    text = shown(Terminal(Screen()), "word " * 15, mark="=", indent=2)
    assert text.splitlines() == [f"  = {'word ' * 11}".rstrip(), "    word word word word"]


def test_a_sentence_is_one_line_where_no_terminal_is():
    assert shown(Terminal(io.StringIO()), "word " * 100 + "end", mark="≠") == "≠ " + "word " * 100 + "end\n"


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252"])
def test_other_encodings_have_other_characters(encoding):
    terminal = Terminal(Screen(encoding))
    assert terminal.spell("≠ = ! – ○ ▸ × █▒│─… 0×60 rz(0.6π)") == "!= = ! - o > x #%|-- 0x60 rz(0.6pi)"  # noqa: RUF001


@pytest.mark.parametrize("encoding", ["utf-8", "UTF8", "utf_8"])
def test_utf_8_is_known_by_all_of_its_names(encoding):
    assert Terminal(Screen(encoding)).is_unicode


def test_an_unknown_encoding_is_not_utf_8():
    assert not Terminal(Screen("no-such-encoding")).is_unicode


def test_text_of_others_does_not_control_the_terminal():
    assert printable("\x1b[2J\x07\u202edne\ttab") == "\\x1b[2J\\x07\\u202edne    tab"
    assert Terminal(Screen()).spell("two\nlines") == "two\nlines"


@pytest.mark.parametrize(("columns", "width"), [("120", 120), ("40", 40), ("7", 40), ("none", 80), ("0", 80)])
def test_the_variable_says_the_width_but_for_what_is_too_narrow(columns, width, monkeypatch):
    monkeypatch.setenv("COLUMNS", columns)
    for stream in ("__stderr__", "__stdin__"):
        monkeypatch.setattr(sys, stream, None)
    assert Terminal(io.StringIO()).width == width


def test_the_width_is_that_of_the_terminal(monkeypatch):
    monkeypatch.delenv("COLUMNS")
    with pseudo_terminal(columns=97) as terminal:
        assert Terminal(terminal.stream).width == 97


def test_a_file_is_as_wide_as_the_terminal_of_another_stream(monkeypatch):
    monkeypatch.delenv("COLUMNS")
    with pseudo_terminal(columns=97) as terminal:
        monkeypatch.setattr(sys, "__stderr__", terminal.stream)
        assert Terminal(io.StringIO()).width == 97


def test_rich_is_loaded_when_something_is_laid_out_and_not_before():
    program = (
        "import sys; from gateway.look.terminal import Terminal; Terminal().spell('≠'); print('rich' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
