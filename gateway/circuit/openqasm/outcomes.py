"""The operators, functions and conversions of OpenQASM 3, for values that depend on outcomes.

They follow those of :mod:`gateway.circuit.openqasm.arithmetic`: a ``bit[n]`` or ``uint[n]`` stays within its width
where both sides have one, all other integers do not.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from gateway.circuit.expressions import CLASSICAL, Expression
from gateway.circuit.openqasm.values import (
    BITS,
    MOST_ALTERNATIVES,
    Kind,
    Known,
    Measured,
    Word,
    few,
    plain,
    reader,
    refusal,
)

_COMPARISONS = frozenset({"==", "!=", "<", "<=", ">", ">="})
_BITWISE = frozenset({"&", "|", "^"})
_MOST_COMBINATIONS = 1_024
_MOST_FACTORS = 8

Whole = Known | Measured


def binary(symbol: str, left: Whole, right: Whole) -> Measured:
    """Return the value of a binary operation, at least one side of which depends on outcomes.

    Raises:
        UnsupportedError: the operation is none that clbits can be computed with.
    """
    if symbol in _COMPARISONS:
        return _apply(symbol, left, right, is_bool=True)
    if symbol in {"&&", "||"}:
        return _apply("and" if symbol == "&&" else "or", left, right, is_bool=True)
    if symbol in _BITWISE:
        return _bitwise(symbol, left, right)
    if symbol == "<<":
        return _within(_apply(symbol, left, right), _width(left))
    if symbol == ">>":
        result = _apply(symbol, left, right)
        return Measured(result.expression, _width(left), False, result.values, result.depth)
    if symbol == "**":
        return _power(left, right)
    result = _apply(symbol, left, right)
    widths = _width(left), _width(right)
    return result if None in widths else _within(result, max(width or 0 for width in widths))


def unary(symbol: str, value: Measured) -> Measured:
    """Return the value of ``-x``, ``!x`` or ``~x``."""
    if symbol == "!" or (symbol == "~" and value.is_bool):
        return _apply("not", value, is_bool=True)
    return _within(_apply(symbol, value), value.width if symbol == "~" else None)


def rotated(value: Measured, places: int) -> Measured:
    """Return the bits of a word, rotated to the left."""
    width = value.width
    if width is None:
        msg = "a rotation needs bits or an unsigned integer of known width"
        raise TypeError(msg)
    places %= width
    return binary("|", binary("<<", value, places), binary(">>", value, width - places)) if places else value


def popcount(value: Measured) -> Measured:
    """Return how many bits of a value are 1."""
    if value.width is None and not value.is_bool and not (value.values and min(value.values) >= 0):
        raise refusal("popcount", "the number could be negative; make it a uint of known width first")
    return _apply("popcount", value)


def part(value: Measured, places: list[int], *, single: bool) -> Measured:
    """Return some bits of a value."""
    expression = value.expression
    if expression.op == "bits":
        read = Expression("bits", tuple([expression.args[place] for place in places]))
        values = few(set(range(1 << len(places)))) if 1 << len(places) <= MOST_ALTERNATIVES else None
        return Measured(read, None if single else len(places), single, values)
    result: Whole = 0
    for rank, place in enumerate(places):
        bit = _apply("&", _apply(">>", value, place), 1)
        result = bit if not rank else _apply("|", result, _apply("<<", bit, rank))
    found = result if isinstance(result, Measured) else value
    return Measured(found.expression, None if single else len(places), single, found.values, found.depth)


def convert(value: Measured, kind: Kind) -> Measured:
    """Convert a value to a type that clbits can hold."""
    width = kind.width
    if kind.name == "bool" or (kind.name == BITS and width is None):
        if value.is_bool or (kind.name == BITS and _fits(value, 0, 2)):
            return Measured(value.expression, None, True, value.values, value.depth)
        if kind.name == BITS and value.width != 1:
            raise refusal("assignment of bits", "the value may not fit one bit")
        return _apply("!=", value, 0, is_bool=True) if kind.name == "bool" else _within(value, 1)
    if kind.name == BITS:
        if value.width is not None and value.width != width:
            msg = f"{value.width} bits do not fit a bit[{width}]"
            raise ValueError(msg)
        return _within(value, width)
    if kind.name == "uint" and width is not None:
        return _within(value, width)
    if kind.name == "int" and width is not None and not _fits(value, -(1 << (width - 1)), 1 << (width - 1)):
        return _apply("signed", Measured(value.expression, None, False, None, value.depth), width)
    return Measured(value.expression, None, False, value.values, value.depth)


# ---------------------------------------------------------------------------- inner workings


def _width(value: Whole) -> int | None:
    return value.width if isinstance(value, (Word, Measured)) else None


def _is_bool(value: Whole) -> bool:
    return value.is_bool if isinstance(value, Measured) else isinstance(value, bool)


def _values(value: Whole) -> frozenset[int] | None:
    return value.values if isinstance(value, Measured) else frozenset({int(plain(value))})


def _fits(value: Measured, start: int, stop: int) -> bool:
    if value.values is not None:
        return all(start <= number < stop for number in value.values)
    return value.width is not None and start <= 0 and 1 << value.width <= stop


def _apply(operator: str, *args: Whole, is_bool: bool = False) -> Measured:
    """Return the expression of an operator, with all values that it could have."""
    for arg in args:
        if isinstance(arg, float):
            msg = f"{operator} of a measured value and a real number"
            raise TypeError(msg)
    expression = Expression(operator, tuple([reader(arg) for arg in args]))
    depth = 1 + max(arg.depth for arg in args if isinstance(arg, Measured))
    values = frozenset({0, 1}) if is_bool else _all_values(CLASSICAL[operator][1], args)
    return Measured(expression, None, is_bool, values, depth)


def _all_values(compute: Callable[..., int], args: tuple[Whole, ...]) -> frozenset[int] | None:
    sets = [_values(arg) for arg in args]
    combinations = 1
    for each in sets:
        combinations *= _MOST_COMBINATIONS + 1 if each is None else len(each)
    if combinations > _MOST_COMBINATIONS:
        return None
    found = set()
    for row in product(*[each or () for each in sets]):
        try:
            found.add(int(compute(*row)))
        except (ZeroDivisionError, OverflowError, ValueError):
            return None
    return few(found)


def _within(value: Measured, width: int | None) -> Measured:
    """Return a value modulo ``2**width``."""
    if width is None:
        return value
    if _fits(value, 0, 1 << width):
        return Measured(value.expression, width, False, value.values, value.depth)
    values = None if value.values is None else frozenset([number % (1 << width) for number in value.values])
    return Measured(Expression("wrap", (value.expression, width)), width, False, values, value.depth + 1)


def _bitwise(symbol: str, left: Whole, right: Whole) -> Measured:
    if _is_bool(left) and _is_bool(right):
        return _apply(symbol, left, right, is_bool=True)
    result = _apply(symbol, left, right)
    if symbol == "&" and result.values is None:
        masks = [int(plain(side)) for side in (left, right) if not isinstance(side, Measured)]
        if masks and 0 <= masks[0] < MOST_ALTERNATIVES:
            result = Measured(result.expression, None, False, frozenset(range(masks[0] + 1)), result.depth)
    widths = [width for width in (_width(left), _width(right)) if width is not None]
    if not widths:
        return result
    if all(_is_within(side, max(widths)) for side in (left, right)):
        return Measured(result.expression, max(widths), False, result.values, result.depth)
    return _within(result, max(widths))


def _is_within(value: Whole, width: int) -> bool:
    return _fits(value, 0, 1 << width) if isinstance(value, Measured) else 0 <= plain(value) < 1 << width


def _power(base: Whole, exponent: Whole) -> Measured:
    if isinstance(exponent, Measured) or not isinstance(base, Measured):
        if isinstance(base, (int, Word)) and plain(base) == 2:  # noqa: PLR2004 - a power of two is a shift
            return _apply("<<", 1, exponent)
        raise refusal("**", "a power of which the exponent is measured, other than one of 2")
    count = plain(exponent)
    if not isinstance(count, int) or not 1 <= count <= _MOST_FACTORS:
        raise refusal("**", f"a measured value to the power of {count}; 1 to {_MOST_FACTORS} are accepted")
    result = base
    for _ in range(count - 1):
        result = binary("*", result, base)
    return result
