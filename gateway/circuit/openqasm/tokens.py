"""Cuts a text into tokens, one after the other, so that a parser can begin and stop anywhere in it."""

from __future__ import annotations

import re
from enum import IntEnum

from gateway.errors import CircuitSyntaxError


class Kind(IntEnum):
    """The kinds of tokens."""

    END = 0
    NUMBER = 1
    NAME = 2
    TEXT = 3
    MARK = 4
    OTHER = 5


_TOKEN = re.compile(
    r"""\s*+(?:
    ((?:0[xX][0-9a-fA-F]++(?:_[0-9a-fA-F]++)*+|0[bB][01]++(?:_[01]++)*+|0[oO][0-7]++(?:_[0-7]++)*+
       |(?:[0-9]++(?:_[0-9]++)*+(?:\.(?:[0-9]++(?:_[0-9]++)*+)?+)?+|\.[0-9]++(?:_[0-9]++)*+)(?:[eE][+-]?+[0-9]++)?+)
      (?:\s*+(?:dt|ns|us|µs|μs|ms|s|im|j)(?!\w))?+)(?![\w])
    |([^\W\d]\w*+|\$[0-9]++|ℇ)
    |("[^"\n]*+"|'[^'\n]*+')
    |(\*\*=|<<=|>>=|\*\*|\+\+|->|==|!=|<=|>=|<<|>>|&&|\|\||[-+*/%&|^~]=|[-+*/%&|^~!<>=@;:,.()\[\]{}\#])
    )""",
    re.VERBOSE,
)
_LAST_WORDS = 40


class Tokens:
    """The tokens of a text from a place on.

    Args:
        text: the whole text, its comments blanked.
        position: where to begin.
    """

    __slots__ = ("behind", "end", "kind", "start", "text", "word")

    def __init__(self, text: str, position: int = 0) -> None:
        self.text = text
        self.kind = Kind.END
        self.word = ""
        self.start = position
        self.end = position
        self.behind = position
        self.next()

    def next(self) -> None:
        """Go on to the next token: ``kind``, ``word``, ``start`` and ``end``; ``behind`` is the end of the last one."""
        self.behind = self.end
        match = _TOKEN.match(self.text, self.end)
        if match is not None and match.lastindex is not None:
            self.kind = _KINDS[match.lastindex]
            self.word = match.group(match.lastindex)
            self.start, self.end = match.span(match.lastindex)
            return
        self.start = _first_visible(self.text, self.end)
        if self.start < len(self.text):
            self.kind, self.word, self.end = Kind.OTHER, self.text[self.start], self.start + 1
        else:
            self.kind, self.word, self.end = Kind.END, "", len(self.text)

    def ahead(self) -> str:
        """Return the word of the token after this one."""
        before = self.kind, self.word, self.start, self.end, self.behind
        self.next()
        word = self.word
        self.kind, self.word, self.start, self.end, self.behind = before
        return word

    def rest_of_line(self) -> str:
        """Return the text from this token to the end of its line, and go on behind it."""
        end = self.text.find("\n", self.start)
        end = len(self.text) if end < 0 else end
        line = self.text[self.start : end]
        self.end = end
        self.next()
        return line

    def unexpected(self) -> CircuitSyntaxError:
        """Return the error that this token cannot stand here."""
        if self.kind == Kind.END:
            return self.error("the program ends too early")
        return self.error(f"{self.word[:_LAST_WORDS]!r} is not expected here")

    def error(self, message: str, start: int | None = None) -> CircuitSyntaxError:
        """Return an error at a place of the text, or at this token."""
        line, column = place(self.text, self.start if start is None else start)
        return CircuitSyntaxError(message, line=line, column=column)


_KINDS = (Kind.END, Kind.NUMBER, Kind.NAME, Kind.TEXT, Kind.MARK)


def place(text: str, position: int) -> tuple[int, int]:
    """Return line and column of a position, both counted from 1."""
    return text.count("\n", 0, position) + 1, position - text.rfind("\n", 0, position)


_BLANK = re.compile(r"\s*+")


def _first_visible(text: str, position: int) -> int:
    rest = _BLANK.match(text, position)
    return rest.end() if rest is not None else position
