"""Cuts a text into statements: blanks its comments, splits it, and finds the line of a statement for errors."""

from __future__ import annotations

import re

from gateway.errors import CircuitSyntaxError

BLOCK_BEGIN, BLOCK_END = "{", "}"
INCLUDES = frozenset({"qelib1.inc", "hqslib1.inc", "stdgates.inc"})

_STRING_OR_COMMENT = re.compile(r'"[^"\n]*"|//[^\n]*|/\*(?:.*?\*/|.*)', re.DOTALL)
_VISIBLE = re.compile(r"[^\n]")
_CALL = re.compile(r"\s*+([^\W\d]\w*+)\s*+(?:\((.*)\))?\s*+([^()]*+)\Z", re.DOTALL)


def blank_comments(text: str) -> str:
    """Replace comments by blanks, so that lines and columns stay the same; strings stay as they are.

    Raises:
        CircuitSyntaxError: a block comment is not closed.
    """
    if "//" not in text and "/*" not in text:
        return text

    def blank(match: re.Match[str]) -> str:
        part = match.group()
        if part[0] == '"':
            return part
        if part[1] == "/":
            return " "
        if len(part) < len("/**/") or not part.endswith("*/"):
            line = text.count("\n", 0, match.start()) + 1
            column = match.start() - text.rfind("\n", 0, match.start())
            raise CircuitSyntaxError("a comment is not closed", line=line, column=column)
        return _VISIBLE.sub(" ", part)

    return _STRING_OR_COMMENT.sub(blank, text)


def split_statements(text: str) -> list[str]:
    """Cut text without comments at its semicolons and braces.

    A statement that opens a block ends with ``{``; the end of a block is a piece of its own, ``}``.
    White space stays, so that :func:`line_of` can count the lines if an error needs them.
    """
    if "{" in text or "}" in text:
        text = text.replace("{", "{;").replace("}", ";};")
    return text.split(";")


def place_of(pieces: list[str], index: int) -> tuple[int, int]:
    """Return the line and the column, counted from 1, of the piece's first visible character."""
    index = min(index, len(pieces) - 1)
    piece = pieces[index]
    leading = piece[: len(piece) - len(piece.lstrip())]
    before = ";".join([*pieces[:index], leading]).replace(";};", "}").replace("{;", "{")
    return before.count("\n") + 1, len(before) - before.rfind("\n")


def line_of(pieces: list[str], index: int) -> int:
    """Return the line of the piece's first visible character."""
    return place_of(pieces, index)[0]


def syntax_error(pieces: list[str], index: int, message: str) -> CircuitSyntaxError:
    """Return an error that names the place of a piece."""
    line, column = place_of(pieces, index)
    return CircuitSyntaxError(message, line=line, column=column)


def split_call(statement: str) -> tuple[str, str | None, str]:
    """Split a gate call into its name, its arguments (``None`` without parentheses) and its operands.

    Raises:
        CircuitSyntaxError: the statement does not look like a gate call.
    """
    match = _CALL.match(statement)
    if match is None:
        excerpt = " ".join(statement.split())[:40]
        msg = f"{excerpt!r} is not an OpenQASM statement"
        raise CircuitSyntaxError(msg)
    name, arguments, operands = match.groups()
    return name, arguments, operands
