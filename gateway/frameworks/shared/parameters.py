"""Parameters of the frameworks: what they are called as ours, and angles in the terms of a framework."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gateway.circuit.circuit import Circuit, Operation
from gateway.circuit.expressions import ARITHMETIC, Angle, Expression, is_name


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
