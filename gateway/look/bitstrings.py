"""Bitstrings as people can read them: in fours, long runs by their length, differences marked.

clbit 0 is the rightmost bit, so the fours are counted from the right. Three rules say what is written:

* from 5 bits on, bits stand in fours;
* from 21 bits on, a run of nine and more equal bits is written as the bit times its number, and the bits unlike those
  of the first outcome are marked;
* what is longer than 64 characters after that keeps 24 at each end; between them stand the number of bits that are left
  out, and the clbits among these that are unlike those of the first outcome, if they are few.

:func:`pieces` applies them. The medium decides what a gap is: padding in HTML, so that a copy has no space in it, and
nothing in a terminal. Two outcomes that are shown together never look alike: :func:`readable` writes an outcome whole
if its shortened form is that of another one, too.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from typing import NamedTuple

from gateway.look.numbers import listing

GROUP = 4
LONG = 21
"""The width from which on runs are written by their length and differences are marked."""
SHORTEST_RUN = 9
MOST_CHARACTERS = 64
CHARACTERS_AT_AN_END = 24
MOST_CLBITS_IN_GAP = 3

TIMES = "\N{MULTIPLICATION SIGN}"
NO_CLBITS = "no clbits"
"""What stands for the only outcome of a circuit without clbits, whose bitstring is empty."""

_RUN = re.compile(f"0{{{SHORTEST_RUN},}}|1{{{SHORTEST_RUN},}}")
_BITS, _NUMBER, _GAP = "bits", "number", "gap"
_Span = tuple[int, int, str]
"""Where a piece begins and ends in the bitstring, and its form."""


class Piece(NamedTuple):
    """Some neighbouring bits, which are written together.

    Args:
        bits: the bits that the piece stands for.
        unlike: for each of them, whether it is unlike that of the first outcome.
        form: ``bits`` if they are written as they are, ``number`` if they are equal and written by their number,
            ``gap`` if they are left out.
        lowest_clbit: the clbit of the rightmost of the bits.
    """

    bits: str
    unlike: tuple[bool, ...]
    form: str
    lowest_clbit: int

    @property
    def text(self) -> str:
        """The piece as it is written."""
        return "".join(text for text, _ in self.fragments)

    @property
    def fragments(self) -> list[tuple[str, bool]]:
        """The piece as it is written, in parts, each with whether it is marked as unlike the first outcome.

        A run is marked if all its bits are unlike; a gap names the clbits that are.
        """
        number = len(self.bits)
        if self.form == _NUMBER:
            return [(self.bits[0], all(self.unlike)), (f"{TIMES}{number}", False)]
        if self.form == _GAP:
            return [(f"… {number:,} bits", False), *self._clbits_in_gap(), (" …", False)]
        marked = groupby(zip(self.bits, self.unlike, strict=True), key=lambda bit: bit[1])
        return [("".join([bit for bit, _ in bits]), is_unlike) for is_unlike, bits in marked]

    def _clbits_in_gap(self) -> list[tuple[str, bool]]:
        number = sum(self.unlike)
        if not number:
            return []
        places = enumerate(reversed(self.unlike), self.lowest_clbit)
        clbits = [str(clbit) for clbit, is_unlike in places if is_unlike] if number <= MOST_CLBITS_IN_GAP else []
        who = f"clbit{'s' if number > 1 else ''} {listing(clbits)}" if clbits else f"{number:,}"
        return [(", ", False), (f"{who} unlike", True)]


def pieces(bitstring: str, first: str | None = None, *, whole: bool = False) -> list[Piece]:
    """Return the pieces of a bitstring from left to right; an empty one has none.

    Args:
        bitstring: one character per clbit, clbit 0 rightmost.
        first: the outcome that is shown first, of the same width; bits unlike its own are marked.
        whole: whether everything is written, however long it is.
    """
    compared = bitstring if first is None or len(bitstring) < LONG else first
    unlike = tuple([bit != other for bit, other in zip(bitstring, compared, strict=True)])
    spans = _spans(bitstring)
    if not whole and sum(map(_characters, spans)) > MOST_CHARACTERS:
        spans = _ends(spans)
    width = len(bitstring)
    return [Piece(bitstring[begin:end], unlike[begin:end], form, width - end) for begin, end, form in spans]


def readable(bitstrings: Sequence[str]) -> list[list[Piece]]:
    """Return the pieces of outcomes that are shown together, of which no two look alike.

    Args:
        bitstrings: different outcomes of one width, in the order in which they are shown.
    """
    shortened = [pieces(bitstring, bitstrings[0]) for bitstring in bitstrings]
    forms = Counter(map(plain_text, shortened))
    return [
        parts if forms[plain_text(parts)] == 1 else pieces(bitstring, bitstrings[0], whole=True)
        for bitstring, parts in zip(bitstrings, shortened, strict=True)
    ]


def plain(bitstring: str, *, whole: bool = False) -> str:
    """Return a bitstring for a terminal: no gaps but a space on both sides of what is not written bit by bit."""
    return plain_text(pieces(bitstring, whole=whole))


def plain_text(parts: Sequence[Piece]) -> str:
    """Return pieces as the text for a terminal, as :func:`plain` does."""
    runs = groupby(parts, key=lambda piece: piece.form == _BITS or piece)
    return " ".join("".join([piece.text for piece in run]) for _, run in runs) or NO_CLBITS


def explanations(outcomes: Iterable[Sequence[Piece]]) -> list[str]:
    """Return what a note has to say about outcomes so that their pieces are understood, as clauses."""
    parts = [piece for outcome in outcomes for piece in outcome]
    number = next((piece for piece in parts if piece.form == _NUMBER), None)
    clauses = []
    if number is not None:
        digits = "zeros" if number.bits[0] == "0" else "ones"
        clauses.append(f"{number.text} stands for {len(number.bits)} {digits}")
    if any(is_unlike for piece in parts for _, is_unlike in piece.fragments):
        clauses.append("bits unlike those of the first outcome are underlined")
    return clauses


def _spans(bitstring: str) -> list[_Span]:
    """Return where the pieces of a bitstring are when nothing is left out."""
    width, end = len(bitstring), 0
    spans: list[_Span] = []
    for run in _RUN.finditer(bitstring) if width >= LONG else ():
        spans += [*_fours(end, run.start(), width), (*run.span(), _NUMBER)]
        end = run.end()
    return spans + _fours(end, width, width)


def _fours(begin: int, end: int, width: int) -> list[_Span]:
    """Return the spans of some bits in fours, which are counted from the right end of the whole bitstring."""
    first = begin + ((width - begin) % GROUP or GROUP)
    bounds = [begin, *range(first, end, GROUP), end] if width > GROUP else [begin, end]
    return [(left, right, _BITS) for left, right in pairwise(bounds) if left < right]


def _ends(spans: list[_Span]) -> list[_Span]:
    """Return the spans of both ends, and between them that of what is left out."""
    width = spans[-1][1]
    left = _first(spans)
    right = _mirrored(_first(_mirrored(spans, width)), width)
    return [*left, (left[-1][1], right[0][0], _GAP), *right]


def _first(spans: list[_Span]) -> list[_Span]:
    """Return the spans of the first characters; bits that do not fit are cut off."""
    left = CHARACTERS_AT_AN_END
    kept: list[_Span] = []
    for begin, end, form in spans:
        if _characters((begin, end, form)) > left:
            return [*kept, (begin, begin + left, form)] if left and form == _BITS else kept
        kept.append((begin, end, form))
        left -= _characters(kept[-1])
    return kept


def _mirrored(spans: list[_Span], width: int) -> list[_Span]:
    return [(width - end, width - begin, form) for begin, end, form in reversed(spans)]


def _characters(span: _Span) -> int:
    begin, end, form = span
    return end - begin if form == _BITS else len(f"0{TIMES}{end - begin}")
