"""The operators, functions and conversions of OpenQASM 3, for values that are known while unrolling.

Integers are exact and bounded in size, so no expression takes long. A function that fails raises ValueError,
TypeError, ZeroDivisionError or OverflowError; its caller knows the line and reports it.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable

from gateway.circuit.openqasm.values import Kind, Known, Word, plain

MAX_INTEGER_BITS = 1024
_DEFAULT_BITS = 64

CONSTANTS = {"pi": math.pi, "tau": math.tau, "euler": math.e, "π": math.pi, "τ": math.tau, "ℇ": math.e}


def whole(value: Known) -> int:
    """Return a value that has to be an integer as an int."""
    number = plain(value)
    if isinstance(number, float):
        if not number.is_integer():
            msg = f"{number:g} is not a whole number"
            raise ValueError(msg)
        return int(number)
    return int(number)


def real(value: Known) -> float:
    """Return a value as a float."""
    return float(plain(value))


# ---------------------------------------------------------------------------- operators


def _check_size(value: int) -> int:
    if value.bit_length() > MAX_INTEGER_BITS:
        msg = f"an integer has more than {MAX_INTEGER_BITS} bits"
        raise OverflowError(msg)
    return value


def _power(base: float, exponent: float) -> int | float:
    if isinstance(base, int) and isinstance(exponent, int) and exponent >= 0:
        if abs(base) > 1 and base.bit_length() * exponent > 2 * MAX_INTEGER_BITS:
            msg = f"an integer has more than {MAX_INTEGER_BITS} bits"
            raise OverflowError(msg)
        return _check_size(base**exponent)
    return math.pow(base, exponent)


def _remainder(left: float, right: float) -> int | float:
    """Return what a division leaves; that of integers truncates towards zero."""
    if isinstance(left, int) and isinstance(right, int):
        return left - right * integer_quotient(left, right)
    return left % right


def _shift_left(value: int, places: int) -> int:
    if places > MAX_INTEGER_BITS:
        msg = f"a shift by {places} places"
        raise OverflowError(msg)
    return _check_size(value << places)


def _shift_right(value: int, places: int) -> int:
    return value >> min(places, MAX_INTEGER_BITS)


_ARITHMETIC: dict[str, Callable[..., int | float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": _remainder,
    "**": _power,
}
_COMPARISONS: dict[str, Callable[..., bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_BITWISE: dict[str, Callable[[int, int], int]] = {
    "&": operator.and_,
    "|": operator.or_,
    "^": operator.xor,
    "<<": _shift_left,
    ">>": _shift_right,
}


def binary(symbol: str, left: Known, right: Known) -> Known:
    """Return the value of a binary operation other than ``&&``, ``||`` and a division of integers."""
    if symbol in _COMPARISONS:
        return _COMPARISONS[symbol](plain(left), plain(right))
    if symbol in _BITWISE:
        return _bitwise(symbol, left, right)
    a, b = plain(left), plain(right)
    result = _ARITHMETIC[symbol](a + 0, b + 0)
    if isinstance(result, int):
        _check_size(result)
        if isinstance(left, Word) and isinstance(right, Word):
            width = max(left.width, right.width)
            return Word(result % (1 << width), width)
    return result


def _bitwise(symbol: str, left: Known, right: Known) -> Known:
    a, b = plain(left), plain(right)
    if isinstance(a, float) or isinstance(b, float):
        msg = f"{symbol} is not defined for floating-point numbers"
        raise TypeError(msg)
    shift = symbol in {"<<", ">>"}
    if shift and b < 0:
        msg = f"a shift by {b} places"
        raise ValueError(msg)
    words = [operand for operand in ((left,) if shift else (left, right)) if isinstance(operand, Word)]
    if not words:
        result = _BITWISE[symbol](a, b)
        return result if shift or not (isinstance(a, bool) and isinstance(b, bool)) else bool(result)
    width = max(word.width for word in words)
    if symbol == "<<":
        b = min(b, width)
    return Word(_BITWISE[symbol](int(a), int(b)) % (1 << width), width)


def integer_quotient(left: int, right: int) -> int:
    """Divide integers towards zero."""
    quotient = abs(left) // abs(right)
    return quotient if (left < 0) == (right < 0) else -quotient


def unary(symbol: str, value: Known) -> Known:
    """Return the value of ``-x``, ``!x`` or ``~x``."""
    if symbol == "!":
        return not plain(value)
    if symbol == "-":
        return -plain(value)
    if isinstance(value, Word):
        return Word(~value.value % (1 << value.width), value.width)
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        msg = "~ is not defined for floating-point numbers"
        raise TypeError(msg)
    return ~value


# ---------------------------------------------------------------------------- functions


def _rotate(value: Known, places: int) -> Known:
    if not isinstance(value, Word):
        msg = "a rotation needs bits or an unsigned integer of known width"
        raise TypeError(msg)
    places %= value.width
    rotation = value.value << places | value.value >> (value.width - places)
    return Word(rotation % (1 << value.width), value.width)


def _popcount(value: Known) -> Known:
    number = whole(value)
    if number < 0:
        msg = "popcount of a negative number"
        raise ValueError(msg)
    return number.bit_count()


def _of_reals(function: Callable[..., float]) -> Callable[..., Known]:
    return lambda *values: function(*map(real, values))


FUNCTIONS: dict[str, tuple[Callable[..., Known], int]] = {
    "sin": (_of_reals(math.sin), 1), "cos": (_of_reals(math.cos), 1), "tan": (_of_reals(math.tan), 1),
    "asin": (_of_reals(math.asin), 1), "acos": (_of_reals(math.acos), 1), "atan": (_of_reals(math.atan), 1),
    "arcsin": (_of_reals(math.asin), 1), "arccos": (_of_reals(math.acos), 1), "arctan": (_of_reals(math.atan), 1),
    "exp": (_of_reals(math.exp), 1), "log": (_of_reals(math.log), 1), "ln": (_of_reals(math.log), 1),
    "sqrt": (_of_reals(math.sqrt), 1), "floor": (_of_reals(math.floor), 1), "ceiling": (_of_reals(math.ceil), 1),
    "mod": (lambda a, b: binary("%", a, b), 2), "pow": (lambda a, b: binary("**", a, b), 2),
    "popcount": (_popcount, 1), "rotl": (lambda value, n: _rotate(value, whole(n)), 2),
    "rotr": (lambda value, n: _rotate(value, -whole(n)), 2),
}  # fmt: skip
"""Name -> function and number of arguments."""


# ---------------------------------------------------------------------------- conversions


def convert(value: Known, kind: Kind) -> Known:
    """Convert a value to a type: cut, wrap or round it to the width of the type."""
    return _CONVERSIONS[kind.name](value, kind.width)


def _to_int(value: Known, width: int | None) -> Known:
    number = math.trunc(plain(value))
    if width is None:
        if not -(1 << _DEFAULT_BITS - 1) <= number < 1 << _DEFAULT_BITS:
            msg = f"{number} does not fit an int of {_DEFAULT_BITS} bits"
            raise OverflowError(msg)
        return number
    half = 1 << (width - 1)
    return (number + half) % (1 << width) - half


def _to_uint(value: Known, width: int | None) -> Known:
    number = math.trunc(plain(value))
    if width is not None:
        return Word(number % (1 << width), width)
    if not 0 <= number < 1 << _DEFAULT_BITS:
        msg = f"{number} does not fit a uint of {_DEFAULT_BITS} bits"
        raise OverflowError(msg)
    return number


def _to_float(value: Known, _: int | None) -> Known:
    return real(value)


def _to_angle(value: Known, width: int | None) -> Known:
    if isinstance(value, Word):
        radians = value.value / (1 << value.width) * math.tau
    else:
        radians = math.fmod(real(value), math.tau)
        radians = radians if radians >= 0 else radians + math.tau
    if width is None:
        return radians
    return round(radians / math.tau * (1 << width)) % (1 << width) / (1 << width) * math.tau


def _to_bool(value: Known, _: int | None) -> Known:
    return plain(value) != 0


def _to_bits(value: Known, width: int | None) -> Known:
    number = plain(value)
    wide = 1 if width is None else width
    if isinstance(number, int) and number < 0 and width is not None and (~number).bit_length() < width:
        number += 1 << width  # two's complement, as that of an int that depends on measurements
    if isinstance(number, float) or number < 0:
        msg = f"{number} is not a value of bits"
        raise TypeError(msg)
    if isinstance(value, Word) and value.width != wide:
        msg = f"{value.width} bits do not fit a bit[{wide}]"
        raise ValueError(msg)
    if number.bit_length() > wide:
        msg = f"{number} does not fit {wide} bit{'' if wide == 1 else 's'}"
        raise ValueError(msg)
    return bool(number) if width is None else Word(int(number), wide)


_CONVERSIONS: dict[str, Callable[[Known, int | None], Known]] = {
    "int": _to_int,
    "uint": _to_uint,
    "float": _to_float,
    "angle": _to_angle,
    "bool": _to_bool,
    "bit": _to_bits,
}
