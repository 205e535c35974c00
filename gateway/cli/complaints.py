"""How the command says what went wrong: one sentence, and for a circuit the lines of text that it is about."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from gateway.errors import GatewayError
from gateway.look.terminal import Terminal, printable

_BESIDE = 1
"""So many lines are shown before the line with the error, and after it."""

_WIDEST = 160
"""Of a longer line a part is shown, around the error."""

_TOKEN = re.compile(r"\w+|\W")
_QUOTED = re.compile(r"'(\w+)'")


class CircuitFileError(GatewayError, ValueError):
    """A circuit was refused; the message names the file, and ``excerpt`` is the text around the error."""

    fields = ("excerpt",)
    excerpt: str


@contextmanager
def about_circuit(where: str, text: str) -> Iterator[None]:
    """Name the file and show the text of a circuit in errors that have a line of it.

    Args:
        where: the name of the file.
        text: the text of the circuit.

    Raises:
        CircuitFileError: an error has a line.
    """
    try:
        yield
    except GatewayError as exc:
        line, column = getattr(exc, "line", None), getattr(exc, "column", None)
        if not isinstance(line, int):
            raise
        raise CircuitFileError(f"{where}, {exc.message}", excerpt=excerpt(text, line, column, exc.message)) from exc


def excerpt(text: str, line: int, column: int | None, message: str) -> str:
    """Return the lines around an error, with carets under what it is about.

    Args:
        text: the text of the circuit.
        line: the line, from 1.
        column: the column, from 1; if ``None``, the carets are under the word that the message quotes, if it is there.
        message: what is wrong.
    """
    lines = text.split("\n")  # as the parsers count
    if not 0 < line <= len(lines):
        return ""
    start, length = _place(lines[line - 1], column, message)
    left = max(start - _WIDEST // 2, 0) if len(lines[line - 1]) > _WIDEST else 0
    shown = []
    for number in range(max(line - _BESIDE, 1), min(line + _BESIDE, len(lines)) + 1):
        part = printable(lines[number - 1][left : left + _WIDEST].rstrip())
        shown.append(f"{number:>5}  {part}".rstrip())
        if number == line and length:
            before = printable(lines[number - 1][left:start])
            shown.append(" " * (len("12345  ") + len(before)) + "^" * length)
    return "\n".join(shown)


def _place(line: str, column: int | None, message: str) -> tuple[int, int]:
    """Return where in a line the carets begin, and how many there are; 0 where nobody knows."""
    if column is not None:
        token = _TOKEN.match(line, column - 1)
        return column - 1, len(token[0]) if token else 1
    quoted = _QUOTED.search(message)
    words = list(re.finditer(rf"\b{quoted[1]}\b", line)) if quoted else []
    return (words[0].start(), len(words[0][0])) if len(words) == 1 else (0, 0)


def complain(sentence: str, text: str = "", program: str = "gateway") -> None:
    """Write what went wrong on standard error: in a terminal with a mark, elsewhere with the program's name.

    Args:
        sentence: what went wrong; what stands before the first ``: `` says what it is about.
        text: lines that show it.
        program: the command that it went wrong in, such as ``gateway serve``.
    """
    if not sys.stderr.isatty() or not _has_rich():
        lines = [f"{program}: {sentence}", *([text] if text else [])]
        print(printable("\n".join(lines)), file=sys.stderr, flush=True)
        return
    terminal = Terminal(sys.stderr)
    about, separator, rest = sentence.partition(": ")
    parts = [(about + separator.rstrip(), "bold"), separator[1:] + rest] if separator else [sentence]
    shown = [terminal.sentence(*parts, mark="!")]
    if text:
        shown += ["", *(terminal.verbatim(*_styled(line)) for line in text.split("\n"))]
    terminal.print(*shown)
    terminal.stream.flush()


def _has_rich() -> bool:
    """Return whether rich is installed; the image, which only serves, has none."""
    from importlib.util import find_spec

    return find_spec("rich") is not None


def remark(sentence: str) -> None:
    """Write on standard error what somebody should know, without having asked."""
    if not sys.stderr.isatty():
        print(printable(f"gateway: {sentence}"), file=sys.stderr, flush=True)
        return
    terminal = Terminal(sys.stderr)
    terminal.print(terminal.sentence((sentence, "dim"), indent=2))
    terminal.stream.flush()


def _styled(line: str) -> list[tuple[str, str]]:
    """Return a line of an excerpt: its number is dim, and carets are red."""
    if not line.strip(" ^"):
        return [(line, "red")]
    return [(line[: len("12345  ")], "dim"), (line[len("12345  ") :], "")]
