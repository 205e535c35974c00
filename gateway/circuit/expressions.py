"""Expressions: angles that depend on parameters, and classical values that depend on clbits.

Both are the same small tree, ``["+", [["parameter", ["theta"]], 1.5]]`` on the wire. What may stand in it depends on
where it stands:

* An **angle** of a gate is a number, or an expression of numbers and named parameters, which :meth:`Circuit.bind`
  gives values: :data:`ARITHMETIC` has its operators.
* What a ``set`` writes is a whole number, or an expression of whole numbers and clbits: :data:`CLASSICAL` has its
  operators. ``["bits", [4, 2]]`` reads clbits 4 and 2 as an unsigned number, the first one listed the least
  significant bit. Intermediate values are whole numbers of any size; a ``set`` to n clbits writes them modulo ``2**n``,
  which is two's complement for negative ones. True is 1 and false 0.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

import msgspec

from gateway.errors import CircuitInvalidError

MAX_NODES = 2_000
"""An expression has at most so many operators."""

MAX_DEPTH = 64
"""Operators of an expression are nested at most so deep."""

MAX_SHIFT = 4096
MAX_INTEGER = 2**63
"""A whole number in an expression is smaller, in absolute value; a shift or product makes larger ones."""


class Expression(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """An operator and what it is applied to; on the wire the array ``[op, args]``.

    In Python, ``+ - * / **`` of numbers and expressions give expressions.

    Args:
        op: a row of :data:`ARITHMETIC` or :data:`CLASSICAL`, or ``parameter`` or ``bits``.
        args: numbers and expressions; of a ``parameter`` its name, of ``bits`` the clbits.
    """

    op: str
    args: tuple[int | float | str | Expression, ...] = ()

    def __add__(self, other: float | Expression) -> Expression:
        return Expression("+", (self, other))

    def __radd__(self, other: float) -> Expression:
        return Expression("+", (other, self))

    def __sub__(self, other: float | Expression) -> Expression:
        return Expression("-", (self, other))

    def __rsub__(self, other: float) -> Expression:
        return Expression("-", (other, self))

    def __mul__(self, other: float | Expression) -> Expression:
        return Expression("*", (self, other))

    def __rmul__(self, other: float) -> Expression:
        return Expression("*", (other, self))

    def __truediv__(self, other: float | Expression) -> Expression:
        return Expression("/", (self, other))

    def __rtruediv__(self, other: float) -> Expression:
        return Expression("/", (other, self))

    def __pow__(self, other: float | Expression) -> Expression:
        return Expression("**", (self, other))

    def __rpow__(self, other: float) -> Expression:
        return Expression("**", (other, self))

    def __neg__(self) -> Expression:
        return Expression("-", (self,))

    def __pos__(self) -> Expression:
        return self

    def __str__(self) -> str:
        if self.op == "parameter":
            return str(self.args[0])
        if self.op == "bits":
            return f"c[{','.join(map(str, self.args))}]"
        texts = [_text(arg) for arg in self.args]
        if len(texts) == 2 and not self.op.isalpha():  # noqa: PLR2004 - operators with two sides stand between them
            return f"({texts[0]} {self.op} {texts[1]})"
        return f"{self.op}({', '.join(texts)})" if self.op.isalpha() else f"{self.op}{texts[0]}"


if TYPE_CHECKING:
    Angle = Any
else:
    Angle = float | Expression
"""What stands where a gate takes an angle.

Whatever runs a circuit meets numbers only, since a parameter without a value is refused before anything is built. So
a type checker lets an angle be used as a number.
"""


def parameter(name: str) -> Any:  # noqa: ANN401 - see Angle
    """Return a free parameter of a circuit, an :class:`Expression` that stands where an angle stands.

    Args:
        name: a name that OpenQASM and Python could spell, such as ``theta``, or that of an element of an array of
            them, such as ``theta[3]``.

    Raises:
        CircuitInvalidError: the name is none of these.
    """
    if not is_name(name):
        msg = f"a parameter has a name of letters, digits and underscores, perhaps with an index, not {name!r}"
        raise CircuitInvalidError(msg, rule="parameter")
    return Expression("parameter", (name,))


def is_name(name: object) -> bool:
    """Return whether a parameter may have this name."""
    if not isinstance(name, str):
        return False
    if name.isidentifier():
        return True
    array, _, index = name.removesuffix("]").partition("[")
    return name.endswith("]") and array.isidentifier() and index.isascii() and index.isdecimal()


def bits(*clbits: int) -> Expression:
    """Return the expression that reads clbits as an unsigned number, the first one listed least significant."""
    return Expression("bits", clbits)


# ---------------------------------------------------------------------------- operators


def _difference(first: Any, second: Any = None) -> Any:  # noqa: ANN401 - the whole numbers as well as the others
    return -first if second is None else first - second


def _power(base: Any, exponent: Any) -> Any:  # noqa: ANN401 - symbols of a framework as well as numbers
    """Return a power; one of whole numbers is a float, since its digits could fill the memory."""
    return float(base) ** exponent if type(base) is int and type(exponent) is int else base**exponent


def _quotient(dividend: int, divisor: int) -> int:
    """Return the whole quotient, truncated towards 0 as OpenQASM and C have it."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def _remainder(dividend: int, divisor: int) -> int:
    return dividend - divisor * _quotient(dividend, divisor)


def _shifted(value: int, places: int) -> int:
    if not -MAX_SHIFT <= places <= MAX_SHIFT:
        msg = f"a value is shifted by {places} places; at most {MAX_SHIFT} are accepted"
        raise CircuitInvalidError(msg, rule="shift")
    return value << places if places >= 0 else value >> -places


def _signed(value: int, width: int) -> int:
    """Return the last ``width`` bits of a value as a number in two's complement."""
    rest = value & (1 << width) - 1
    return rest - (1 << width) if rest >> (width - 1) else rest


ARITHMETIC: Mapping[str, tuple[tuple[int, ...], Callable[..., float]]] = {
    "+": ((2,), operator.add),
    "-": ((1, 2), _difference),
    "*": ((2,), operator.mul),
    "/": ((2,), operator.truediv),
    "**": ((2,), _power),
    "abs": ((1,), abs),
    "sqrt": ((1,), math.sqrt),
    "exp": ((1,), math.exp),
    "log": ((1,), math.log),
    "sin": ((1,), math.sin),
    "cos": ((1,), math.cos),
    "tan": ((1,), math.tan),
    "asin": ((1,), math.asin),
    "acos": ((1,), math.acos),
    "atan": ((1,), math.atan),
}
"""The operators of angles: name -> how many arguments they take, and what they do."""

CLASSICAL: Mapping[str, tuple[tuple[int, ...], Callable[..., int]]] = {
    "+": ((2,), operator.add),
    "-": ((1, 2), _difference),
    "*": ((2,), operator.mul),
    "/": ((2,), _quotient),
    "%": ((2,), _remainder),
    "&": ((2,), operator.and_),
    "|": ((2,), operator.or_),
    "^": ((2,), operator.xor),
    "~": ((1,), operator.invert),
    "<<": ((2,), _shifted),
    ">>": ((2,), lambda value, places: _shifted(value, -places)),
    "==": ((2,), operator.eq),
    "!=": ((2,), operator.ne),
    "<": ((2,), operator.lt),
    "<=": ((2,), operator.le),
    ">": ((2,), operator.gt),
    ">=": ((2,), operator.ge),
    "not": ((1,), operator.not_),
    "and": ((2,), lambda first, second: first != 0 and second != 0),
    "or": ((2,), lambda first, second: first != 0 or second != 0),
    "if": ((3,), lambda condition, first, second: first if condition else second),
    "signed": ((2,), _signed),
    "wrap": ((2,), lambda value, width: value & (1 << width) - 1),
    "popcount": ((1,), lambda value: value.bit_count()),
}
"""The operators of classical values: name -> how many arguments they take, and what they do.

``/`` and ``%`` truncate towards 0. ``signed`` and ``wrap`` keep so many of the last bits, as a number with and without
a sign. All arguments are evaluated, so ``if`` protects from no division by zero.
"""


# ---------------------------------------------------------------------------- evaluating


def value_of_angle(angle: Angle, values: Mapping[str, float]) -> float:
    """Return the value of an angle.

    Args:
        angle: a number or an expression.
        values: parameter -> value; all parameters of the angle have one.

    Raises:
        CircuitInvalidError: the value is not a finite number, as that of ``1 / 0``.
    """
    try:
        value = _value_of_angle(angle, values)
        is_finite = not isinstance(value, complex) and math.isfinite(value)
    except (ZeroDivisionError, ValueError, OverflowError, TypeError) as exc:  # functions of a complex number: TypeError
        msg = f"the angle {angle} has no value: {exc}"
        raise CircuitInvalidError(msg, rule="finite angle") from exc
    if not is_finite:
        msg = f"the angle {angle} is not a finite number: {value}"
        raise CircuitInvalidError(msg, rule="finite angle")
    return value


def value_of_clbits(expression: float | Expression, read: Callable[[int], int]) -> int:
    """Return the value of a classical expression.

    Args:
        expression: a whole number, or an expression of clbits.
        read: returns the value of a clbit.

    Raises:
        CircuitInvalidError: a division by zero, or a shift by too many places.
    """
    try:
        return _value_of_clbits(expression, read)
    except ZeroDivisionError as exc:
        msg = f"the value {expression} divides by zero"
        raise CircuitInvalidError(msg, rule="division by zero") from exc


def substituted(angle: Angle, values: Mapping[str, float]) -> Angle:
    """Return an angle in which some parameters have values; one without parameters becomes a number."""
    names = set(parameters_of(angle))
    if names <= values.keys():
        return value_of_angle(angle, values)
    return _substituted(angle, values) if names & values.keys() else angle


def parameters_of(angle: Angle) -> Iterator[str]:
    """Yield the names of the parameters of an angle, in the order in which they occur, as often as they do."""
    for node in nodes(angle):
        if node.op == "parameter":
            yield str(node.args[0])


def clbits_read(expression: float | Expression) -> Iterator[int]:
    """Yield the clbits that a classical expression reads, as often as it does."""
    for node in nodes(expression):
        if node.op == "bits":
            yield from cast("tuple[int, ...]", node.args)


def renumbered(expression: float | Expression, number: Callable[[int], int]) -> float | Expression:
    """Return a classical expression in which every clbit has another number."""
    if not isinstance(expression, Expression):
        return expression
    if expression.op == "bits":
        return Expression("bits", tuple([number(clbit) for clbit in cast("tuple[int, ...]", expression.args)]))
    args = cast("tuple[float | Expression, ...]", expression.args)
    return Expression(expression.op, tuple([renumbered(arg, number) for arg in args]))


def with_small_numbers(expression: float | Expression) -> float | Expression:
    """Return a classical expression in which numbers from :data:`MAX_INTEGER` on are computed from smaller ones."""
    if not any(type(arg) is int and abs(arg) >= MAX_INTEGER for node in nodes(expression) for arg in node.args):
        return expression
    return _with_small_numbers(expression)


def nodes(expression: float | str | Expression) -> Iterator[Expression]:
    """Yield every node of an expression, the first ones of the text first."""
    stack = [expression]
    while stack:
        node = stack.pop()
        if isinstance(node, Expression):
            yield node
            stack += reversed(node.args)


# ---------------------------------------------------------------------------- checking


def check_angle(angle: Expression) -> None:
    """Check an angle that is no number.

    Raises:
        CircuitInvalidError: an unknown operator, a wrong number of arguments, or too many of them.
    """
    _check(angle, ARITHMETIC, "parameter", _check_parameter, (int, float))


def check_classical(expression: float | Expression) -> None:
    """Check what a ``set`` writes, apart from whether its clbits are there.

    Raises:
        CircuitInvalidError: an unknown operator, a wrong number of arguments, a number that is not whole, ...
    """
    if not isinstance(expression, Expression):
        if expression != expression // 1 or abs(expression) >= MAX_INTEGER:
            msg = f"a set writes a whole number, not {expression!r}"
            raise CircuitInvalidError(msg, rule="classical value")
        if float(expression) != expression:
            msg = f"a set writes a number that a float holds, not {expression}: write it in parts of fewer clbits"
            raise CircuitInvalidError(msg, rule="classical value")
        return
    _check(expression, CLASSICAL, "bits", _check_bits, (int,))
    for node in nodes(expression):
        if node.op in {"signed", "wrap"} and not (type(node.args[1]) is int and 1 <= node.args[1] <= MAX_SHIFT):
            msg = f"{node.op} takes a width between 1 and {MAX_SHIFT}, not {node.args[1]}"
            raise CircuitInvalidError(msg, rule="classical value")


def _check(
    expression: Expression,
    operators: Mapping[str, tuple[tuple[int, ...], object]],
    name_of_leaf: str,
    check_leaf: Callable[[Expression], None],
    numbers: tuple[type, ...],
) -> None:
    count = 0
    stack = [(expression, 1)]
    while stack:
        node, depth = stack.pop()
        count += 1
        if depth > MAX_DEPTH or count > MAX_NODES:
            msg = f"an expression has at most {MAX_NODES:,} operators, nested at most {MAX_DEPTH} deep"
            raise CircuitInvalidError(msg, rule="size of an expression")
        if node.op == name_of_leaf:
            check_leaf(node)
            continue
        row = operators.get(node.op)
        if row is None:
            msg = f"there is no operator {node.op[:40]!r} in such an expression"
            raise CircuitInvalidError(msg, rule="operator")
        if len(node.args) not in row[0]:
            msg = f"the operator {node.op!r} takes {' or '.join(map(str, row[0]))} arguments, not {len(node.args)}"
            raise CircuitInvalidError(msg, rule="operator")
        for arg in node.args:
            if isinstance(arg, Expression):
                stack.append((arg, depth + 1))
            elif type(arg) not in numbers or not math.isfinite(arg) or abs(arg) >= MAX_INTEGER:  # type: ignore[arg-type]  # a number
                msg = f"{str(arg)[:40]!r} is no number that an expression can have here"
                raise CircuitInvalidError(msg, rule="number")


def _check_parameter(node: Expression) -> None:
    if len(node.args) != 1:
        msg = "a parameter has one name"
        raise CircuitInvalidError(msg, rule="parameter")
    parameter(cast("str", node.args[0]))


def _check_bits(node: Expression) -> None:
    if not node.args or any(type(clbit) is not int for clbit in node.args):
        msg = "bits are read by their numbers"
        raise CircuitInvalidError(msg, rule="clbit index")


# ---------------------------------------------------------------------------- inner workings


def _text(arg: float | str | Expression) -> str:
    return f"{arg:g}" if isinstance(arg, float) else str(arg)


def _value_of_angle(angle: float | str | Expression, values: Mapping[str, float]) -> float:
    if not isinstance(angle, Expression):
        return angle  # type: ignore[return-value]  # text stands in parameters only
    if angle.op == "parameter":
        return values[str(angle.args[0])]
    return ARITHMETIC[angle.op][1](*[_value_of_angle(arg, values) for arg in angle.args])


def _value_of_clbits(expression: float | str | Expression, read: Callable[[int], int]) -> int:
    if not isinstance(expression, Expression):
        return int(expression)
    if expression.op == "bits":
        return sum([read(clbit) << place for place, clbit in enumerate(cast("tuple[int, ...]", expression.args))])
    return int(CLASSICAL[expression.op][1](*[_value_of_clbits(arg, read) for arg in expression.args]))


def _with_small_numbers(expression: float | Expression) -> float | Expression:
    if isinstance(expression, Expression):
        args = cast("tuple[float | Expression, ...]", expression.args)
        return Expression(expression.op, tuple([_with_small_numbers(arg) for arg in args]))
    if abs(expression) < MAX_INTEGER:
        return expression
    number = int(expression)
    half = number.bit_length() // 2
    upper, lower = _with_small_numbers(number >> half), _with_small_numbers(number & (1 << half) - 1)
    return Expression("+", (Expression("<<", (upper, half)), lower))


def _substituted(arg: float | str | Expression, values: Mapping[str, float]) -> float | str | Expression:
    if not isinstance(arg, Expression):
        return arg
    if arg.op == "parameter":
        return values.get(str(arg.args[0]), arg)
    return Expression(arg.op, tuple([_substituted(inner, values) for inner in arg.args]))
