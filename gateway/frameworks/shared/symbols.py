"""Expressions of sympy, in which most frameworks have their parameters, as angles, and the functions for the way back.

The package of a framework that uses this module brings sympy with it; :mod:`gateway.frameworks.shared.parameters` has
what needs no sympy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import sympy

from gateway.circuit.expressions import Angle, Expression, parameter
from gateway.frameworks.shared.chains import joined

Refuse = Callable[[str, str], Exception]
"""A function that makes the error for something by its name and the reason."""

_ONE_ARGUMENT: Mapping[str, str] = {
    "sin": "sin", "cos": "cos", "tan": "tan", "asin": "asin", "acos": "acos", "atan": "atan", "exp": "exp",
    "log": "log", "Abs": "abs",
}  # fmt: skip
"""Name of sympy's function -> operator of an angle."""

SYMPY: Mapping[str, Callable[..., Any]] = {
    "abs": sympy.Abs, "sqrt": sympy.sqrt, "exp": sympy.exp, "log": sympy.log, "sin": sympy.sin, "cos": sympy.cos,
    "tan": sympy.tan, "asin": sympy.asin, "acos": sympy.acos, "atan": sympy.atan,
}  # fmt: skip
"""Operator of an angle -> sympy's function, for :func:`gateway.frameworks.shared.parameters.translated`."""


def angle_of(expression: object, refuse: Refuse) -> Angle:
    """Return a number or an expression of sympy as an angle; its symbols have names that parameters can have.

    Args:
        expression: anything that sympy takes for an expression.
        refuse: makes the error for a function that angles do not have.
    """
    return _angle(sympy.sympify(expression), refuse)


def _angle(node: Any, refuse: Refuse) -> Angle:  # noqa: ANN401 - a sympy expression
    if node.is_Symbol:
        return parameter(node.name)
    if node.is_number:
        if node.is_real is False:
            raise refuse("complex number", f"{node} is no angle")
        return float(node)
    name, args = type(node).__name__, node.args
    if node.is_Add:
        return joined("+", [_angle(arg, refuse) for arg in args])
    if node.is_Mul:
        return _product(node, refuse)
    if node.is_Pow:
        return _power(node, refuse)
    if name == "conjugate":  # parameters are real
        return _angle(args[0], refuse)
    if name in _ONE_ARGUMENT and len(args) == 1:
        return Expression(_ONE_ARGUMENT[name], (_angle(args[0], refuse),))
    raise refuse(name, f"an angle has no such function, and {node} has")


def _is_inverse(node: Any) -> bool:  # noqa: ANN401 - a sympy expression
    return bool(node.is_Pow and node.exp == -1)


def _product(node: Any, refuse: Refuse) -> Angle:  # noqa: ANN401 - a sympy product
    """Return a product: a number times the factors that have symbols, over the divisors that have."""
    number, rest = node.as_independent(*node.free_symbols, as_Add=False)
    factors = rest.args if rest.is_Mul else (rest,)
    above = [_angle(factor, refuse) for factor in factors if not _is_inverse(factor)]
    below = [_angle(1 / factor, refuse) for factor in factors if _is_inverse(factor)]
    if number != 1 or not above:
        above.insert(0, _angle(number, refuse))
    above = [above[0], joined("*", above[1:])] if len(above) > 1 else above  # a number stays where it is seen
    return reduce(lambda first, second: first / second, below, joined("*", above))


def _power(node: Any, refuse: Refuse) -> Angle:  # noqa: ANN401 - a sympy expression
    base = _angle(node.base, refuse)
    if node.exp == -1:
        return 1.0 / base
    if node.exp == sympy.Rational(1, 2):
        return Expression("sqrt", (base,))
    return base ** _angle(node.exp, refuse)
