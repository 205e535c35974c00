"""What a terminal can show: its width, its 16 colours and its characters; plain text where there is no terminal.

rich lays out what is shown. It is loaded when something is laid out, and not before.
"""

from __future__ import annotations

import codecs
import os
import re
import sys
from functools import cached_property
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

NARROWEST = 40
"""The number of columns below which nothing becomes narrower."""

WIDTH_ELSEWHERE = 80
"""The number of columns where no terminal has a width."""

HEIGHT_ELSEWHERE = 24

_ASCII = str.maketrans({
    "≠": "!=", "\N{EN DASH}": "-", "○": "o", "▸": ">", "…": "-", "✓": "v", "\N{MULTIPLICATION SIGN}": "x",
    "█": "#", "▉": "#", "▊": "#", "▋": "#", "▌": "#", "▍": " ", "▎": " ", "▏": " ", "▒": "%",
    "│": "|", "┃": "|", "─": "-", "━": "=", "\N{MINUS SIGN}": "-", "π": "pi", "⟩": ">", "±": "+/-",
})  # fmt: skip
"""Our characters in encodings that may lack them."""

_TRAILING = re.compile(r"[ ]+((?:\x1b\[[0-9;]*m)*)$", re.MULTILINE)
"""The spaces at the end of a line, and what switches colours off behind them."""


class Terminal:
    """A stream that people read, and what it can show.

    Args:
        stream: the stream; standard output by default.

    Attributes:
        is_terminal: whether the stream is a terminal.
        is_redrawable: whether lines on it can be drawn again in place.
        is_coloured: whether it shows weight and the 16 colours: a terminal does, unless ``NO_COLOR`` is set.
        is_unicode: whether its encoding is UTF-8.
        width: its columns, at least 40.
        height: its lines.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = stream or sys.stdout
        self.is_terminal = self.stream.isatty()
        self.is_redrawable = self.is_terminal and os.environ.get("TERM", "").lower() not in {"dumb", "unknown"}
        self.is_coloured = self.is_redrawable and not os.environ.get("NO_COLOR")
        self.is_unicode = _is_utf8(getattr(self.stream, "encoding", None))
        self.width = max(_size(self.stream, "COLUMNS") or WIDTH_ELSEWHERE, NARROWEST)
        self.height = _size(self.stream, "LINES") or HEIGHT_ELSEWHERE

    @cached_property
    def console(self) -> Console:
        """Rich's console on this stream."""
        from rich.console import Console

        return Console(
            file=self.stream,
            width=self.width,
            color_system="standard" if self.is_coloured else None,
            force_terminal=self.is_terminal,
            force_jupyter=False,
            legacy_windows=False,
            highlight=False,
            markup=False,
            emoji=False,
        )

    def spell(self, text: str) -> str:
        """Return a text in characters that the terminal has, and that do not control it."""
        text = printable(text).replace("\N{NO-BREAK SPACE}", " ")
        return text if self.is_unicode else text.translate(_ASCII)

    def text(self, *parts: str | tuple[str, str]) -> Text:
        """Return a text for rich, spelt for this terminal.

        Args:
            *parts: each a text, or a text and its style, such as ``("differs", "bold")``.
        """
        from rich.text import Text

        whole = Text()
        for part in parts:
            content, style = (part, "") if isinstance(part, str) else part
            whole.append(self.spell(content), style)
        return whole

    def sentence(self, *parts: str | tuple[str, str], mark: str = "", indent: int = 0) -> RenderableType:
        """Return a sentence for rich, whose further lines begin below its first word.

        Where there is no terminal the sentence is one line, so that programs find it whole.

        Args:
            *parts: as :meth:`text` takes them.
            mark: what stands before the sentence, such as ``≠``; it is red if it is ``≠`` or ``!``.
            indent: the columns before it.
        """
        from rich.table import Table

        styled = (mark, "red" if mark in {"≠", "!"} else "")
        if not self.is_terminal:
            return self.text(" " * indent, styled, " " if mark else "", *parts)
        grid = Table.grid(padding=(0, 1, 0, 0))
        cells = ([self.text(" " * (indent - 1))] if indent else []) + ([self.text(styled)] if mark else [])
        for _ in cells:
            grid.add_column(no_wrap=True)
        grid.add_column(overflow="fold")
        grid.add_row(*cells, self.text(*parts))
        return grid

    def verbatim(self, *parts: str | tuple[str, str], indent: int = 0) -> Text:
        """Return a text for rich whose lines stay whole, so that they can be copied, however narrow the terminal is."""
        whole = self.text(*parts)
        whole.no_wrap = True
        if indent:
            from rich.text import Text

            whole = Text("\n", no_wrap=True).join([Text(" " * indent).append_text(line) for line in whole.split("\n")])
        return whole

    def render(self, *renderables: RenderableType) -> str:
        """Return what rich makes of some renderables, without spaces at the ends of lines."""
        from rich.text import Text

        with self.console.capture() as capture:
            for renderable in renderables:
                is_whole = isinstance(renderable, Text) and (renderable.no_wrap or not self.is_terminal)
                self.console.print(renderable, soft_wrap=bool(is_whole))
        return _TRAILING.sub(r"\1", capture.get())

    def print(self, *renderables: RenderableType) -> None:
        """Write some renderables."""
        self.stream.write(self.render(*renderables))


def printable(text: str) -> str:
    r"""Return a text whose control characters, which would control the terminal, are spelt out, such as ``\x1b``."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() or character in "\n\N{NO-BREAK SPACE}" else _spelt_out(character)
        for character in text
    )


def _spelt_out(character: str) -> str:
    return "    " if character == "\t" else character.encode("unicode_escape").decode("ascii")


def _is_utf8(encoding: str | None) -> bool:
    """Return whether an encoding is UTF-8; a stream without any, such as one in memory, takes every character."""
    try:
        return encoding is None or codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return False


def _size(stream: TextIO, variable: str) -> int:
    """Return what a variable says, or else the size of the stream, or of the terminal that it is piped from; 0 without.

    Args:
        stream: the stream.
        variable: ``COLUMNS`` or ``LINES``.
    """
    text = os.environ.get(variable, "")
    if text.isdigit() and int(text):
        return int(text)
    for terminal in (stream, sys.__stderr__, sys.__stdin__):
        try:
            size = os.get_terminal_size(terminal.fileno()) if terminal is not None else None
        except (OSError, ValueError):  # no terminal, closed, or in memory
            continue
        found = 0 if size is None else size.columns if variable == "COLUMNS" else size.lines
        if found:
            return found
    return 0
