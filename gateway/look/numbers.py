"""Numbers as text, written the same way everywhere: on pages, in reports, in terminals and in plots."""

from __future__ import annotations

import math

SMALLEST_P = 1e-12
"""A p-value below this is written as ``< 1e-12``: nobody needs to know more, and the tail is not known better."""

NO_BREAK = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


def integer(value: int) -> str:
    """Return a whole number with commas, such as ``10,000``."""
    return f"{value:,}".replace("-", MINUS)


def distance(value: float) -> str:
    """Return a total variation distance with four decimals."""
    return f"{value:.4f}"


def short_distance(value: float) -> str:
    """Return a total variation distance with two significant digits, such as ``0.044``, for use in sentences."""
    if value <= 0:
        return "0"
    return f"{value:.{max(1 - math.floor(math.log10(value)), 0)}f}" if value >= 1e-4 else scientific(value)


def p_value(value: float) -> str:
    """Return a p-value: two decimals, below 0.01 as ``3e-9``, below 1e-12 as ``< 1e-12``."""
    if value < SMALLEST_P:
        return "< 1e-12"
    return f"{value:.2f}" if value >= 0.01 else scientific(value)


def p_is(value: float) -> str:
    """Return a p-value as a relation for use in sentences: ``p = 3e-9`` or ``p < 1e-12``."""
    text = p_value(value)
    return f"p {text}" if text.startswith("<") else f"p = {text}"


def scientific(value: float) -> str:
    """Return a number with one significant digit, such as ``4e-16``; zero is ``0``."""
    if not value:
        return "0"
    mantissa, _, exponent = f"{value:.0e}".partition("e")
    return f"{mantissa}e{int(exponent)}"


def exact_difference(value: float) -> str:
    """Return the difference of exact probabilities: one digit below 0.01, two decimals above."""
    return f"{value:.2f}" if value >= 0.01 else scientific(value)


def per_cent(share: float, scale: float = 1.0) -> str:
    """Return a share of 1 in per cent, without the sign; the decimals follow from where the scale ends.

    Args:
        share: from 0 to 1.
        scale: where the scale of bars ends, from 0 to 1.
    """
    decimals = 1 if scale > 0.1 else 2 if scale > 0.01 else 3
    return f"{100 * share:.{decimals}f}"


def seconds(value: float, space: str = " ") -> str:
    """Return a duration with at most three digits, in ms below a second, such as ``4.6 ms``, ``310 ms``, ``3.1 s``."""
    if value >= 1:
        return f"{value:.1f}{space}s" if value < 100 else f"{value:,.0f}{space}s"
    milliseconds = 1e3 * value
    decimals = 0 if milliseconds >= 100 else 1 if milliseconds >= 1 else 2
    return f"{milliseconds:.{decimals}f}{space}ms"


def mebibytes(value: int, space: str = " ") -> str:
    """Return a size in MiB, such as ``52 MiB``."""
    return f"{value / 2**20:,.0f}{space}MiB"


def size(value: int, space: str = " ") -> str:
    """Return a size in the largest unit of at least one, such as ``512 MiB``, ``1.5 GiB`` or ``16 EiB``.

    Beyond a thousand EiB it is a power of two, such as ``2^4102 bytes``.
    """
    unit = min(max(value.bit_length() - 1, 0) // 10, len(_UNITS))
    if unit == len(_UNITS):
        return f"2^{(value * 724 // 512).bit_length() - 1}{space}bytes"
    amount = value / 2 ** (10 * unit)
    return f"{amount:.3g}{space}{_UNITS[unit]}" if amount < 1000 else f"{amount:,.0f}{space}{_UNITS[unit]}"


_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")


def several(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as ``1 shot`` or ``10,000 shots``."""
    return f"{integer(number)} {noun if number == 1 else plural or noun + 's'}"


def listing(words: list[str]) -> str:
    """Return words as an enumeration, such as ``cirq, mqt and qulacs``."""
    return " and ".join([part for part in (", ".join(words[:-1]), *words[-1:]) if part])


def probability(value: float, decimals: int = 6) -> str:
    """Return a probability with some decimals; a smaller one as ``3e-9``, and 0 as ``never``."""
    if not value:
        return "never"
    return f"{value:.{decimals}f}" if value >= 10**-decimals else scientific(value)


def scale(end: float) -> str:
    """Return what the bars of a column stand for, such as ``0 to 60 %``, for a scale that ends at a share of 1."""
    return f"0 to {100 * end:.4g}{NO_BREAK}%"


def angle(radians: float) -> str:
    """Return an angle as a simple multiple of pi, such as ``π/2`` or ``-0.6π``, or with four digits in radians."""
    for denominator in _DENOMINATORS if radians and abs(radians) < _MOST_RADIANS else ():
        numerator = radians * denominator / math.pi
        if abs(numerator - round(numerator)) < _ROUNDING:
            return _fraction(round(numerator), denominator)
    return f"{radians:.4g}"


_DENOMINATORS = (1, 2, 3, 4, 6, 8, 10, 16, 32, 64, 100)
_MOST_RADIANS = 100.0
_ROUNDING = 1e-9


def _fraction(numerator: int, denominator: int) -> str:
    if denominator in {10, 100}:
        return f"{numerator / denominator:g}π"
    head = {1: "π", -1: "-π"}.get(numerator, f"{numerator}π")
    return head if denominator == 1 else f"{head}/{denominator}"
