"""Parameters of the frameworks: their names, and their expressions in sympy, which most frameworks have.

The package of a framework that uses this module brings sympy with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from typing import Any

import sympy

from gateway.circuit.circuit import Circuit, Operation
from gateway.circuit.expressions import ARITHMETIC, Angle, Expression, is_name, parameter
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
"""Operator of an angle -> sympy's function, for :func:`translated`."""


def names_of(symbols: Iterable[str]) -> dict[str, str]:
    """Return the name of the parameter for each symbol of a framework, whatever it is called there.

    A name that a parameter can have stays as it is. In any other, runs of characters that it cannot have become
    ``_``; one that begins with a digit, or that has nothing else, gets ``p_`` before it. Where that name is taken,
    ``_2``, ``_3``, ... follows, in the order of the symbols' names.
    """
    in_order = sorted(set(symbols))
    names = {symbol: symbol for symbol in in_order if is_name(symbol)}
    taken = set(names)
    for symbol in in_order:
        if symbol in names:
            continue
        stem = re.sub(r"\W+", "_", symbol).strip("_")
        stem = stem if stem.isidentifier() else f"p_{stem}".rstrip("_")
        name, number = stem, 2
        while name in taken:
            name, number = f"{stem}_{number}", number + 1
        names[symbol] = name
        taken.add(name)
    return names


# ---------------------------------------------------------------------------- in


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


def multiplied(angle: Angle, factor: float) -> Angle:
    """Return an angle times a number; a number that the angle is multiplied with already takes it in."""
    if not isinstance(angle, Expression):
        return angle * factor
    number, rest = _split_factor(angle)
    return number * factor if rest is None else _times(number * factor, rest)


def divided(angle: Angle, divisor: float) -> Angle:
    """Return an angle divided by a number; a number that the angle is multiplied with already takes it in."""
    number, rest = _split_factor(angle)
    return number / divisor if rest is None else _times(number / divisor, rest)


def _split_factor(angle: Angle) -> tuple[float, Expression | None]:
    """Return a number and an expression whose product is the angle."""
    if not isinstance(angle, Expression):
        return angle, None
    if angle.op == "*" and isinstance(angle.args[0], int | float) and isinstance(angle.args[1], Expression):
        return angle.args[0], angle.args[1]
    return 1.0, angle


def _times(number: float, expression: Expression) -> Expression:
    return expression if number == 1 else number * expression


# ---------------------------------------------------------------------------- out


def translated(angle: Angle, symbol: Callable[[str], Any], functions: Mapping[str, Callable[..., Any]]) -> Any:  # noqa: ANN401
    """Return an angle in the terms of a framework.

    Args:
        angle: a number or an expression.
        symbol: makes the framework's own parameter of a name.
        functions: operator -> the framework's own function; the others are Python's on what ``symbol`` makes.
    """
    if not isinstance(angle, Expression):
        return angle
    if angle.op == "parameter":
        return symbol(str(angle.args[0]))
    args = [translated(arg, symbol, functions) for arg in angle.args]
    function = functions.get(angle.op) or ARITHMETIC[angle.op][1]
    return function(*args)


def with_native_angles(circuit: Circuit, native: Callable[[Expression], Any]) -> Circuit:
    """Return a circuit in which angles with parameters are expressions of a framework, for its own constructors.

    Such a circuit is only there to be built; a circuit without parameters is returned as it is.
    """
    if not circuit.parameters:
        return circuit
    return circuit.with_operations([_with_native_angles(op, native) for op in circuit.operations])


def _with_native_angles(op: Operation, native: Callable[[Expression], Any]) -> Operation:
    if op.name == "set" or Expression not in map(type, op.params):
        return op
    params = tuple([native(angle) if isinstance(angle, Expression) else angle for angle in op.params])
    return Operation(op.name, op.qubits, params, op.clbits, op.condition)
