"""Classical values as Quil's instructions: a small stack of ``INTEGER`` memory computes them.

Quil's whole numbers have 64 bits, ours any number, so what could become larger is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from pyquil.gates import ADD, AND, CONVERT, EQ, GE, GT, IOR, LE, LT, MOVE, MUL, NEG, NOT, SUB, XOR
from pyquil.quilatom import MemoryReference
from pyquil.quilbase import ClassicalArithmeticShiftRight as ASHR  # noqa: N814 - an instruction, as those above
from pyquil.quilbase import ClassicalShiftLeft as SHL  # noqa: N814 - an instruction, as those above

from gateway.circuit.expressions import Expression
from gateway.errors import UnsupportedError

VALUES_REGION = "gateway_values"
"""The region of the stack."""

_BITS = 63
_WIDTH = 64

_BINARY: Mapping[str, Callable[..., Any]] = {"+": ADD, "-": SUB, "*": MUL, "&": AND, "|": IOR, "^": XOR}
_COMPARING: Mapping[str, Callable[..., Any]] = {"==": EQ, "!=": EQ, "<": LT, "<=": LE, ">": GT, ">=": GE}
_TRUTHS = frozenset({*_COMPARING, "not", "and", "or"})
_SHIFTS: Mapping[str, Callable[..., Any]] = {"<<": SHL, ">>": ASHR}


class Values:
    """Makes instructions that write classical values to bits.

    Args:
        bit: clbit -> its memory.
        test: a bit that instructions may use in between.
    """

    def __init__(self, bit: Callable[[int], MemoryReference], test: MemoryReference) -> None:
        self._bit = bit
        self._test = test
        self.size = 0
        self.uses_test = False

    def written(self, clbits: Sequence[MemoryReference], value: int | Expression) -> Iterator[Any]:
        """Yield the instructions that write a value to bits, the least significant first.

        Raises:
            UnsupportedError: Quil has no such operator, or the value may need more than 64 bits.
        """
        sources = [self._bit(clbit) for clbit in _clbits(value)]
        if not isinstance(value, Expression):
            yield from [MOVE(clbit, int(value) >> place & 1) for place, clbit in enumerate(clbits)]
            return
        if value.op == "bits" and not any(source in clbits for source in sources):
            yield from [MOVE(clbit, sources[k] if k < len(sources) else 0) for k, clbit in enumerate(clbits)]
            return
        if _size(value) >= 1 << _BITS:
            msg = f"the value {value} may need more than the 64 bits that Quil's numbers have"
            raise UnsupportedError(msg, feature="large number")
        yield from self._pushed(value, 0)
        if value.op in _TRUTHS and len(clbits) == 1:
            yield CONVERT(clbits[0], self._slot(0))
            return
        for place, clbit in enumerate(clbits):
            yield MOVE(self._slot(1), self._slot(0))
            yield ASHR(self._slot(1), min(place, _BITS))  # what comes after all bits is the sign
            yield AND(self._slot(1), 1)
            yield CONVERT(clbit, self._slot(1))

    def tested(self, value: int | Expression) -> list[Any]:
        """Return the instructions that write a decision to the test bit."""
        self.uses_test = True
        return list(self.written([self._test], value))

    def _slot(self, place: int) -> MemoryReference:
        self.size = max(self.size, place + 1)
        return MemoryReference(VALUES_REGION, place)

    def _pushed(self, value: float | str | Expression, place: int) -> Iterator[Any]:
        """Yield the instructions that put a value at a place of the stack; they may change the places after it."""
        here, after = self._slot(place), self._slot(place + 1)
        if not isinstance(value, Expression):
            yield MOVE(here, int(value))
            return
        args = value.args
        if value.op in {"bits", "popcount"}:
            yield from self._bits(value, place)
        elif value.op in _BINARY and len(args) == 2:  # noqa: PLR2004 - not the sign
            yield from self._pushed(args[0], place)
            yield from self._pushed(args[1], place + 1)
            yield _BINARY[value.op](here, after)
        elif value.op in _COMPARING:
            yield from self._pushed(args[0], place)
            yield from self._pushed(args[1], place + 1)
            yield from self._tested(value.op, place, after)
        elif value.op == "not":
            yield from self._pushed(args[0], place)
            yield from self._tested("==", place, 0)
        elif value.op in {"-", "~"}:
            yield from self._pushed(args[0], place)
            yield NEG(here) if value.op == "-" else NOT(here)
        elif value.op in {"and", "or"}:
            yield from self._pushed(_truth(args[0]), place)
            yield from self._pushed(_truth(args[1]), place + 1)
            yield (AND if value.op == "and" else IOR)(here, after)
        elif value.op == "if":
            yield from self._chosen(value, place)
        else:
            yield from self._shifted(value, place)

    def _bits(self, value: Expression, place: int) -> Iterator[Any]:
        """Yield the instructions for the number that clbits are, or for how many of them are 1."""
        here, after = self._slot(place), self._slot(place + 1)
        is_count = value.op == "popcount"
        inner = value.args[0] if is_count else value
        if not isinstance(inner, Expression) or inner.op != "bits":
            raise _refused(value)
        yield MOVE(here, 0)
        for clbit in reversed(_clbits(inner)):
            if not is_count:
                yield SHL(here, 1)
            yield CONVERT(after, self._bit(clbit))
            yield ADD(here, after)

    def _tested(self, op: str, place: int, other: MemoryReference | int) -> Iterator[Any]:
        """Yield the instructions that replace the value at a place by a comparison of it."""
        self.uses_test = True
        yield _COMPARING[op](self._test, self._slot(place), other)
        if op == "!=":
            yield NOT(self._test)
        yield CONVERT(self._slot(place), self._test)

    def _chosen(self, value: Expression, place: int) -> Iterator[Any]:
        """Yield the instructions of a choice, as a sum of which one part is 0."""
        condition, first, second = value.args
        here, one, other = (self._slot(place + k) for k in range(3))
        yield from self._pushed(_truth(condition), place)
        yield from self._pushed(first, place + 1)
        yield MUL(one, here)
        yield XOR(here, 1)
        yield from self._pushed(second, place + 2)
        yield MUL(here, other)
        yield ADD(here, one)

    def _shifted(self, value: Expression, place: int) -> Iterator[Any]:
        """Yield the instructions of a shift by a number, or of what keeps so many of the last bits."""
        here, number = self._slot(place), value.args[-1]
        if value.op not in {*_SHIFTS, "signed", "wrap"} or not isinstance(number, int):
            raise _refused(value)
        yield from self._pushed(value.args[0], place)
        if value.op in _SHIFTS:
            yield _SHIFTS[value.op](here, min(number, _BITS))
        elif value.op == "wrap":
            if number < _BITS:
                yield AND(here, (1 << number) - 1)
        elif number < _WIDTH:
            yield SHL(here, _WIDTH - number)
            yield ASHR(here, _WIDTH - number)


def _truth(value: float | str | Expression) -> Expression:
    """Return a value as 0 or 1."""
    is_truth = isinstance(value, Expression) and value.op in _TRUTHS
    return cast("Expression", value) if is_truth else Expression("!=", (value, 0))


def _clbits(value: float | str | Expression) -> tuple[int, ...]:
    return cast("tuple[int, ...]", value.args) if isinstance(value, Expression) and value.op == "bits" else ()


def _refused(value: Expression) -> UnsupportedError:
    return UnsupportedError(f"Quil has no instruction for {value}", feature=f"operator {value.op}")


def _size(value: float | str | Expression) -> int:
    """Return a number that the absolute value of a value, and of all in between, does not exceed."""
    if not isinstance(value, Expression):
        return abs(int(value))
    if value.op == "bits":
        return (1 << len(value.args)) - 1
    sizes = [_size(arg) for arg in value.args]
    return max(_size_of_operator(value, sizes), *sizes)


def _size_of_operator(value: Expression, sizes: Sequence[int]) -> int:
    op, first, last = value.op, sizes[0], sizes[-1]
    if op in {"+", "-"}:
        return sum(sizes)
    if op == "*":
        return first * last
    if op == "<<":
        return first << min(last, _WIDTH)
    if op in {"&", "|", "^", "~"}:
        return 1 << max(first, last).bit_length()
    return 1 << min(last, _WIDTH) if op == "wrap" else 1
