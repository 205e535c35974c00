"""Rewrites a text as people spell it into the spelling of the reference grammar of OpenQASM 3.

The fast parser accepts a few spellings that the grammar does not have. A program that needs the full parser for another
reason must not be refused because of them. Every character keeps its place, so errors name the right line and column.
"""

from __future__ import annotations

import re

from gateway.circuit.openqasm.statements import blank_comments

POWER = "\u1d56\u1d52\u02b7"
"""The spelling of the function ``pow`` for the grammar, in which ``pow`` is only a modifier of gates."""

_TOKEN = re.compile(r"\"[^\"\n]*+\"|\w++|\*\*|\+\+|[^\s\w]")
_MODIFIER = re.compile(r"\s*+@")
_BEFORE_SET = frozenset({"=", "in", ",", "[", "("})
_BEFORE_SIGN = frozenset({"(", "[", ",", "=", "+", "-", "*", "/", "%", "^", "**"})
_STATEMENT, _VALUE = ";", "0"  # the tokens that a closed brace counts as


def respell(text: str) -> str:
    """Blank empty statements and ``+`` signs, and rename the function ``pow``, which is a keyword.

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
    calls: list[int | None] = []  # for each open parenthesis: where the ``pow`` in front of it begins
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
            power_start = calls.pop()
            if power_start is not None and not _MODIFIER.match(text, token.end()):
                changes.append((power_start, POWER))
        power = start if word == "pow" else None
        before = _meaning(word, sets)
    return changes


def _meaning(word: str, sets: list[bool]) -> str:
    """Return the token that counts for the next one: a brace begins or ends a statement, or belongs to a set."""
    if word == "{":
        return "," if sets[-1] else _STATEMENT
    if word == "}" and sets:
        return _VALUE if sets.pop() else _STATEMENT
    return word
