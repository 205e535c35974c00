"""Reads a text, and says at which characters it is wrong.

The parser stops at the first error. Where a wrong statement only applies something, such as a gate, the text is read
once more without it, and may show another one: it declares nothing, so that nothing else is wrong because of it.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import NamedTuple

from gateway.circuit import Circuit, Limits, parse
from gateway.circuit.openqasm.places import Span, faulty_statement, position_of, statement_of
from gateway.circuit.openqasm.tokens import place
from gateway.errors import CircuitInvalidError, GatewayError, LimitError
from gateway.protocol.door import Diagnostic

MOST_ERRORS = 20
_LOOKS_FOR_MORE_S = 0.5
"""So long further errors are looked for."""

_SLOW_S = 1.0
"""A text that took longer to be found wrong is not read again to see where."""

_ALONE = {"gate name", "index", "number of qubits", "number of parameters", "distinct qubits", "register"}
"""The rules that a statement breaks without making another one wrong."""

_DECLARES = re.compile(
    r"(?:OPENQASM|include|qreg|creg|qubit|bit|gate|opaque|def|const|let|input|output|int|uint|float|angle|bool|complex|"
    r"array|extern|if|else|for|while|switch|case|default|box|return|break|continue|end|cal|defcal|pragma|#)\b"
)
_DECLARING = r"\b(?:qreg|creg|qubit|bit|gate|opaque|let)\b"
_PLACE = re.compile(r"line \d+(?:, column \d+)?: ")
_QUOTED = re.compile(r"'([^']+)'|\"([^\"]+)\"")
_MISSING = re.compile(r"there is no (\w+\[\d+\])")
_NAMES = re.compile(r"[^\W\d]\w*")
_TOKEN = re.compile(r'[^\W]+|"[^"\n]*"|\S')
_NOT_ENDED = "is not ended by ';'"


class Reading(NamedTuple):
    """What a text is: a circuit, or what is wrong with it."""

    circuit: Circuit | None
    errors: tuple[Diagnostic, ...] = ()


def read(text: str, limits: Limits) -> Reading:
    """Read OpenQASM text; of several errors the first ones are found, in the order of the text."""
    began = time.monotonic()
    try:
        return Reading(parse(text, limits))
    except GatewayError as error:
        if time.monotonic() - began > _SLOW_S:
            return Reading(None, (_diagnostic(text, error, None),))
        found = sorted(_errors(text, error, limits), key=lambda each: (each.line, each.column))
        return Reading(None, tuple(found[:MOST_ERRORS]))


def _errors(text: str, error: GatewayError, limits: Limits) -> Iterator[Diagnostic]:
    """Yield what is wrong with a text, of which one error is known."""
    until = time.monotonic() + _LOOKS_FOR_MORE_S
    undeclared: set[str] = set()
    for _ in range(MOST_ERRORS):
        span = _statement(text, error, limits)
        missing = _missing_semicolons(text, span, limits, until) if span is not None else ()
        if missing:
            yield from missing
            return
        if _rule(error) == "gate name" or undeclared.isdisjoint(_names_in(error)):
            yield _diagnostic(text, error, span)
        if span is None or not _stands_alone(text, error, span) or time.monotonic() > until:
            return
        if _rule(error) == "gate name":
            undeclared |= _undeclared(text, span)
        text = text[: span.start] + re.sub(r"[^\n]", " ", text[span.start : span.end]) + text[span.end :]
        following = _error_of(text, limits)
        if following is None:
            return
        error = following


def _undeclared(text: str, span: Span) -> set[str]:
    """Return the names in an unknown statement that nothing before it declares; it may have been meant to do so."""
    before = text[: span.start]
    names = set(_NAMES.findall(text[span.start : span.end]))
    return {name for name in names if not re.search(rf"{_DECLARING}[^;{{]*\b{name}\b", before)}


def _error_of(text: str, limits: Limits) -> GatewayError | None:
    try:
        parse(text, limits)
    except GatewayError as error:
        return error
    return None


def _rule(error: GatewayError) -> str | None:
    return error.rule if isinstance(error, CircuitInvalidError) else None


def _names_in(error: GatewayError) -> set[str]:
    return {name for quoted in _QUOTED.findall(error.message) for name in _NAMES.findall("".join(quoted))}


def _stands_alone(text: str, error: GatewayError, span: Span) -> bool:
    """Return whether the rest of the text can be read without a statement as it would be with a right one."""
    statement, line = text[span.start : span.end], getattr(error, "line", None)
    return (
        _rule(error) in _ALONE
        and _DECLARES.match(statement) is None
        and not {"{", "}", ";"} & set(statement)
        and text[span.end : span.end + 1] != "{"
        and line == place(text, span.start)[0]
    )


# ---------------------------------------------------------------------------- the statement


def _statement(text: str, error: GatewayError, limits: Limits) -> Span | None:
    """Return the statement that an error is about; ``None`` if it is about none, or nobody knows which."""
    too_many = error.allowed if isinstance(error, LimitError) and error.limit == "operations" else None
    made_by = None if too_many is None else statement_of(text, too_many, limits)
    return made_by or faulty_statement(text, limits)


def _missing_semicolons(text: str, span: Span, limits: Limits, until: float) -> tuple[Diagnostic, ...]:
    """Return an error for each line of a statement that has to be ended by a semicolon; none if that is not all.

    That a semicolon is missing is certain only if everything up to the end of the statement can be read with it.
    """
    ends = [end for end in _line_ends(text, span) if text[end - 1] not in ",(+-*/={;"][:MOST_ERRORS]
    repaired, added = text, 0
    found: list[int] = []
    for end in ends:
        if time.monotonic() > until:
            return ()
        candidate = f"{repaired[: end + added]};{repaired[end + added :]}"
        fault = faulty_statement(candidate, limits)
        if fault is None or fault.start > end + added:
            repaired, added = candidate, added + 1
            found.append(end)
        if found and (fault is None or fault.start > span.end + added):
            return tuple(_not_ended(text, each) for each in found)
    return ()


def _line_ends(text: str, span: Span) -> Iterator[int]:
    """Yield where the visible part of each line of a statement ends, but for its last line."""
    start = span.start
    while (newline := text.find("\n", start, span.end)) >= 0:
        line = re.sub(r"//.*|/\*.*?\*/", lambda match: " " * len(match[0]), text[start:newline])
        if line.strip():
            yield start + len(line.rstrip())
        start = newline + 1


def _not_ended(text: str, end: int) -> Diagnostic:
    start = text.rfind("\n", 0, end) + 1
    line = text[start:end]
    last = list(_TOKEN.finditer(line))[-1]
    message = f"{line.strip()[-40:]!r} {_NOT_ENDED}"
    return _at(text, Span(start + last.start(), end), message)


# ---------------------------------------------------------------------------- the characters


def _diagnostic(text: str, error: GatewayError, statement: Span | None) -> Diagnostic:
    """Return an error with the characters that it is about."""
    message = _PLACE.sub("", error.message, count=1) if _PLACE.match(error.message) else error.message
    line, column = getattr(error, "line", None), getattr(error, "column", None)
    if statement is None and line is None:
        return Diagnostic(message=message)
    if statement is None or (line is not None and not _covers(text, statement, line)):
        statement = _visible_line(text, line or 1)
    if line is not None and column is not None:
        start = position_of(text, line, column)
        if start != statement.start:
            return _at(text, _token_at(text, start), message)
    return _at(text, _concerned(text, statement, message, line), message)


def _covers(text: str, span: Span, line: int) -> bool:
    return place(text, span.start)[0] <= line <= place(text, max(span.end - 1, span.start))[0]


def _visible_line(text: str, line: int) -> Span:
    start = position_of(text, line, 1)
    end = text.find("\n", start)
    content = text[start : end if end >= 0 else len(text)]
    visible = re.sub(r"//.*", "", content)
    visible = visible if visible.strip() else content
    first = start + len(visible) - len(visible.lstrip())
    return Span(first, first + len(visible.strip().rstrip("; {")))


def _token_at(text: str, start: int) -> Span:
    token = _TOKEN.match(text, start)
    return Span(start, start) if token is None else Span(*token.span())


def _concerned(text: str, statement: Span, message: str, line: int | None) -> Span:
    """Return the part of a statement that a message is about: what it quotes, or the gate that it begins with."""
    content = text[statement.start : statement.end]
    first = _NAMES.match(content)
    if message.endswith(_NOT_ENDED):
        last = list(_TOKEN.finditer(content))[-1:]
        return Span(statement.start + last[0].start(), statement.end) if last else statement
    words = _MISSING.findall(message) + ["".join(quoted) for quoted in _QUOTED.findall(message)]
    if first is not None and re.match(rf"{re.escape(first[0])}\b", message):
        words.append(first[0])
    begin = 0 if line is None else max(position_of(text, line, 1) - statement.start, 0)
    for word in words:
        edges = (r"(?<!\w)" if word[0].isalnum() else "", r"(?!\w)" if word[-1].isalnum() else "")
        match = re.compile(re.escape(word).join(edges)).search(content, begin)
        if match is not None:
            return Span(statement.start + match.start(), statement.start + match.end())
    return Span(statement.start + begin, statement.end) if begin < len(content) else statement


def _at(text: str, span: Span, message: str) -> Diagnostic:
    """Return an error about characters of one line: of several lines the first one, of none the last before it."""
    if not text[span.start : span.end].strip():
        end = len(text[: span.start].rstrip())
        span = Span(max(end - 1, 0), end)
    line, column = place(text, span.start)
    shown = text[span.start : span.end].partition("\n")[0].rstrip()
    return Diagnostic(message=message, line=line, column=column, end_column=column + max(len(shown), 1))
