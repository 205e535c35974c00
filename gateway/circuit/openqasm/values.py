"""The values of a program: known ones, those that depend on outcomes, and those that depend on parameters.

* A **known** value is a Python number, or a :class:`Word` of bits.
* A :class:`Measured` value is a classical expression of clbits.
* A :class:`Choice` is one known value or another, as clbits decide: what a measured value becomes where only numbers
  can be computed with, as in an angle.
* A **parameter** is an :class:`~gateway.circuit.expressions.Expression` of parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeGuard, cast

from gateway.circuit import conditions
from gateway.circuit.expressions import Expression, bits
from gateway.circuit.operations import Comparison, Condition
from gateway.errors import UnsupportedError

BITS = "bit"
REAL_TYPES = frozenset({"float", "angle"})
MOST_ALTERNATIVES = 64
"""What needs a known value is written out for so many values at most."""
DEFAULT_BITS = 32
"""An ``int`` or ``uint`` without a width has so many bits where its value depends on outcomes."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A classical type: ``int uint float angle bool bit``, with its width, if it has one."""

    name: str
    width: int | None = None

    def __str__(self) -> str:
        return self.name if self.width is None else f"{self.name}[{self.width}]"

    @property
    def is_real(self) -> bool:
        """Whether its values are real numbers, which no clbits can hold."""
        return self.name in REAL_TYPES

    @property
    def bits(self) -> int:
        """How many clbits hold a value."""
        if self.name == "bool":
            return 1
        return self.width or (1 if self.name == BITS else DEFAULT_BITS)


@dataclass(frozen=True, slots=True)
class Word:
    """Bits with known values: a bit string, or a ``bit[n]`` or ``uint[n]`` with a value."""

    value: int
    width: int


@dataclass(frozen=True, slots=True)
class Measured:
    """A value that depends on outcomes.

    Args:
        expression: the value.
        width: how many bits a ``bit[n]`` or ``uint[n]`` has; ``None`` for other integers.
        is_bool: whether it is a truth value or a single bit.
        values: all values that it could have, if they are few.
        depth: how deep the operators of the expression are nested.
    """

    expression: Expression
    width: int | None = None
    is_bool: bool = False
    values: frozenset[int] | None = None
    depth: int = 1


Known = bool | int | float | Word


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that is known once some clbits are: under each of the disjoint conditions a value."""

    alternatives: tuple[tuple[Condition, Known | Expression], ...]


Value = Known | Measured | Choice | Expression


def refusal(feature: str, why: str) -> UnsupportedError:
    """Return the error for what a circuit cannot express; whoever knows the line adds it."""
    return UnsupportedError(f"{feature}: {why}", feature=feature)


def plain(value: Known) -> int | float:
    """Return a known value as a Python number."""
    return value.value if isinstance(value, Word) else value


def is_known(value: Value | None) -> TypeGuard[Known]:
    """Return whether a value is known while the circuit is built."""
    return isinstance(value, (bool, int, float, Word))


# ---------------------------------------------------------------------------- measured values


def read_bits(clbits: Sequence[int], *, single: bool = False) -> Measured:
    """Return the value of clbits as bits."""
    values = _numbers(0, 1 << len(clbits))
    return Measured(bits(*clbits), None if single else len(clbits), is_bool=single, values=values)


def read_home(clbits: Sequence[int], kind: Kind, values: frozenset[int] | None = None) -> Measured:
    """Return the value of a variable of some type that is in clbits."""
    if kind.name == "int":
        half = 1 << (len(clbits) - 1)
        is_positive = values is not None and min(values) >= 0 and max(values) < half
        read = bits(*clbits)
        expression = read if is_positive else Expression("signed", (read, len(clbits)))
        return Measured(expression, values=values or _numbers(-half, half))
    is_bool = kind.name == "bool" or (kind.name == BITS and kind.width is None)
    return Measured(bits(*clbits), None if is_bool else kind.width, is_bool, values or _numbers(0, 1 << len(clbits)))


def _numbers(start: int, stop: int) -> frozenset[int] | None:
    return frozenset(range(start, stop)) if stop - start <= MOST_ALTERNATIVES else None


def few(values: set[int]) -> frozenset[int] | None:
    """Return a set of possible values, or ``None`` if they are many."""
    return frozenset(values) if len(values) <= MOST_ALTERNATIVES else None


def reader(value: Value) -> Expression | int:
    """Return a measured or known whole value as a classical expression."""
    if isinstance(value, Measured):
        return value.expression
    number = plain(value)  # type: ignore[arg-type]  # it is known
    return int(number)


def clbits_of_bits(expression: Expression) -> tuple[int, ...]:
    """Return the arguments of an expression ``bits``, all of which are clbits."""
    return cast("tuple[int, ...]", expression.args)


def clbits_of_word(value: Measured) -> tuple[int, ...] | None:
    """Return the distinct clbits that a value is read from, if it is nothing more than that."""
    expression = value.expression
    read = expression.args[0] if expression.op == "signed" else expression
    if not isinstance(read, Expression) or read.op != "bits":
        return None
    clbits = clbits_of_bits(read)
    return clbits if len(set(clbits)) == len(clbits) else None


# ---------------------------------------------------------------------------- choices


def choice_of(value: Value, settle: Callable[[Measured], Measured]) -> Choice:
    """Return a value as a choice.

    Args:
        value: any value.
        settle: writes a measured value to hidden clbits, and returns it as read from there.

    Raises:
        UnsupportedError: it could have too many values.
    """
    if isinstance(value, Choice):
        return value
    if not isinstance(value, Measured):
        return Choice((((), value),))
    if value.values is None:
        raise too_many()
    if clbits_of_word(value) is None:
        value = settle(value)
    clbits = clbits_of_word(value) or ()
    size = 1 << len(clbits)
    width = value.width
    return Choice(
        tuple(
            [
                ((Comparison(clbits, number % size),), number if width is None else Word(number, width))
                for number in sorted(value.values or ())
            ]
        )
    )


def combined(choices: Sequence[Choice], compute: Callable[..., Any]) -> Choice:
    """Return what a function computes of choices, as a choice."""
    rows: list[tuple[Condition, tuple[Known | Expression, ...]]] = [((), ())]
    for choice in choices:
        rows = [
            (conditions.both(before, condition), (*values, value))
            for before, values in rows
            for condition, value in choice.alternatives
            if _is_possible(conditions.both(before, condition))
        ]
        if len(rows) > MOST_ALTERNATIVES:
            raise too_many()
    return Choice(tuple([(condition, compute(*values)) for condition, values in rows]))


def _is_possible(condition: Condition) -> bool:
    """Return whether no two comparisons of a condition contradict each other about the same clbits."""
    values: dict[tuple[int, ...], int] = {}
    return all(values.setdefault(test.clbits, test.value) == test.value for test in condition if test.equal)


def too_many() -> UnsupportedError:
    """Return the error for a measured value that would have to be known."""
    why = f"its value is known only when the circuit runs, and could be one of more than {MOST_ALTERNATIVES}"
    return refusal("measured value", why)
