"""Texts as people write them -> texts as the reference grammar of OpenQASM 3 has them.

The fast path takes a few things that the grammar does not know. A program that needs the full parser for another
reason shall not be refused for them. Every character keeps its place, so that errors name the right line and column.
"""

from __future__ import annotations

import re

from gateway.circuit.openqasm.statements import blank_comments

POWER = "\u1d56\u1d52\u02b7"
"""How the function ``pow`` is spelt for the grammar, to which ``pow`` is only a modifier of gates."""

_TOKEN = re.compile(r"\"[^\"\n]*+\"|\w++|\*\*|\+\+|[^\s\w]")
_MODIFIER = re.compile(r"\s*+@")
_BEFORE_SET = frozenset({"=", "in", ",", "[", "("})
_BEFORE_SIGN = frozenset({"(", "[", ",", "=", "+", "-", "*", "/", "%", "^", "**"})
_STATEMENT, _VALUE = ";", "0"  # what a brace counts for in what follows it


def respell(text: str) -> str:
    """Blank empty statements and signs ``+``, and give the function ``pow`` a name that is no keyword.

    Raises:
        CircuitSyntaxError: a comment is not closed.
    """
    text = blank_comments(text)
    letters = list(text)
    for start, spelling in _changes(text):
        letters[start : start + len(spelling)] = spelling
    return "".join(letters)


def _changes(text: str) -> list[tuple[int, str]]:
    changes: list[tuple[int, str]] = []
    before = _STATEMENT
    sets: list[bool] = []
    calls: list[int | None] = []  # of each open parenthesis: where the ``pow`` in front of it begins
    power: int | None = None
    for token in _TOKEN.finditer(text):
        word, start = token.group(), token.start()
        if (word == ";" and before == _STATEMENT) or (word == "+" and before in _BEFORE_SIGN):
            changes.append((start, " "))
            continue
        if word == "{":
            sets.append(before in _BEFORE_SET)
        elif word == "(":
            calls.append(power)
        elif word == ")" and calls:
            called = calls.pop()
            if called is not None and not _MODIFIER.match(text, token.end()):
                changes.append((called, POWER))
        power = start if word == "pow" else None
        before = _meaning(word, sets)
    return changes


def _meaning(word: str, sets: list[bool]) -> str:
    """Return what a token is for the one after it: a brace ends or begins a statement, or belongs to a set."""
    if word == "{":
        return "," if sets[-1] else _STATEMENT
    if word == "}" and sets:
        return _VALUE if sets.pop() else _STATEMENT
    return word
