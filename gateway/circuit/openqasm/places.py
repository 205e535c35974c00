"""Where in a text something is: the statement at which reading fails, and the one that makes an operation."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple, SupportsIndex

from gateway.circuit.openqasm.classical_statements import Becomes
from gateway.circuit.openqasm.reader import Reader
from gateway.circuit.openqasm.statements import blank_comments
from gateway.circuit.openqasm.tokens import place
from gateway.circuit.operations import DEFAULT_LIMITS, Limits, Operation
from gateway.errors import CircuitSyntaxError, GatewayError

_MOST_ATTEMPTS = 10


class Span(NamedTuple):
    """A part of a text, from its first character to the one after its last."""

    start: int
    end: int


def faulty_statement(text: str, limits: Limits = DEFAULT_LIMITS) -> Span | None:
    """Return the statement at which :func:`gateway.circuit.openqasm.read` fails.

    A statement ends before its semicolon, and with the brace of the block that it opens. Where the text ends in the
    middle of something, it is the statement that was begun last.

    Returns:
        ``None`` if the text can be read, or if the error is about no statement.
    """
    return _stop(text, limits)


def statement_of(text: str, operation: int, limits: Limits = DEFAULT_LIMITS) -> Span | None:
    """Return the statement that makes an operation of the circuit; the whole loop or call if the statement is in one.

    Args:
        text: a text that can be read, at least up to there.
        operation: the index of the operation.
        limits: those with which the text is read.

    Returns:
        ``None`` if there is no such operation.
    """
    return _stop(text, limits, operation)


def _stop(text: str, limits: Limits, operation: int | None = None) -> Span | None:
    """Read until the text is at fault, or has made an operation, and return the statement that was read last."""
    outcomes: frozenset[str] = frozenset()
    for _ in range(_MOST_ATTEMPTS):
        try:
            blanked = blank_comments(text)
        except CircuitSyntaxError:
            return None
        reader = Reader(blanked, limits, outcomes=outcomes, plain=text.isascii(), is_fast=True)
        if operation is not None:
            reader.operations = reader.all_operations = _Watched(operation)
        try:
            reader.read()
        except Becomes as signal:
            outcomes |= {signal.name}
        except _Reached:
            return _last_of(reader, text)
        except (GatewayError, RecursionError):
            return None if operation is not None else _last_of(reader, text)
        else:
            return None
    return None


def _last_of(reader: Reader, text: str) -> Span:
    """Return the statement that was read last, in the text with its comments."""
    index = max(reader.position() - 1, 0)
    piece = reader.pieces[index]
    start = reader.beginning_of(index) + len(piece) - len(piece.lstrip())
    ends = (start, start + len(piece.strip()))
    return Span(*(position_of(text, *place(reader.text, end)) for end in ends))


def position_of(text: str, line: int, column: int) -> int:
    """Return the position of a line and a column, both counted from 1."""
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start + column - 1


class _Reached(Exception):  # noqa: N818 - a signal, not a mistake; it never reaches a user
    """The operation that is looked for has been made."""


class _Watched(list[Operation]):
    """A list of operations that says when it has the one that is looked for."""

    def __init__(self, operation: int) -> None:
        super().__init__()
        self._operation = operation

    def append(self, operation: Operation, /) -> None:
        super().append(operation)
        self._look()

    def extend(self, operations: Iterable[Operation], /) -> None:
        super().extend(operations)
        self._look()

    def insert(self, place: SupportsIndex, operation: Operation, /) -> None:
        super().insert(place, operation)
        self._look()

    def _look(self) -> None:
        if len(self) > self._operation:
            raise _Reached
