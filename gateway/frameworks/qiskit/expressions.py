"""Turns Qiskit's classical expressions into conditions and classical values of the shared circuit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from gateway.circuit.conditions import (
    ALWAYS,
    MAX_TABLE_BITS,
    assignments_of_table,
    both,
    compare,
    decision_of_table,
    from_table,
    merge,
    opposite,
)
from gateway.circuit.emitter import Decision
from gateway.circuit.expressions import MAX_SHIFT, Expression, bits, value_of_clbits
from gateway.circuit.operations import Condition
from gateway.errors import CircuitInvalidError
from gateway.frameworks.shared.chains import ASSOCIATIVE, joined, links
from gateway.frameworks.shared.refusals import Unreadable

MOST_CONDITIONS = 16
"""A decision that would need more conditions than this stays an expression."""

Value = int | Expression
"""A classical value: a number, or an expression of clbits."""


class Branches(NamedTuple):
    """When a condition holds, and when it does not."""

    then: Decision
    otherwise: Decision


class ClbitFinder:
    """Finds the clbits that an expression names.

    Args:
        clbits: bit of Qiskit's circuit -> clbit of the shared circuit.
        variables: classical variable -> the hidden clbits that hold it, the least significant first.
    """

    def __init__(self, clbits: Mapping[Any, int], variables: Mapping[Any, Sequence[int]]) -> None:
        self._clbits = clbits
        self._variables = variables

    def find(self, target: Any) -> Sequence[int]:  # noqa: ANN401 - a Clbit, a ClassicalRegister or a Var
        """Return the clbits, least significant first, of a bit, a register or a variable.

        Raises:
            Unreadable: the target is an input of the circuit, or a variable that is neither a number nor a truth value.
        """
        if isinstance(target, Clbit):
            return [self._clbits[target]]
        if isinstance(target, ClassicalRegister):
            return [self._clbits[bit] for bit in target]
        if not target.standalone:
            return self.find(target.var)
        if target not in self._variables:
            raise Unreadable(f"nothing gives the variable {target.name!r} of the type {target.type!r} a value")
        return self._variables[target]

    def clbits_in(self, node: Any) -> list[int]:  # noqa: ANN401 - an Expr
        """Return all clbits that an expression reads, each once."""
        return list(dict.fromkeys(clbit for var in expr.iter_vars(node) for clbit in self.find(var)))


# ---------------------------------------------------------------------------- decisions


def decide(condition: Any, finder: ClbitFinder) -> Branches:  # noqa: ANN401 - a pair or an Expr
    """Return when the condition of an ``if_test`` or ``while_loop`` holds.

    Raises:
        Unreadable: the condition depends on more than clbits.
    """
    if not isinstance(condition, expr.Expr):
        target, number = condition
        clbits = finder.find(target)
        return Branches(compare(clbits, int(number)), compare(clbits, int(number), equal=False))
    then = _conjunction(condition, finder)
    otherwise = None if then is None else opposite(then)
    if then is not None and otherwise is not None:
        return Branches(then, otherwise)
    value = value_of(condition, finder)
    clbits = finder.clbits_in(condition)
    table = _table(value, clbits)
    if table is None:
        return Branches(_as_decision(value) if then is None else then, Expression("not", (value,)))
    decision = decision_of_table(clbits, list(map(bool, table)))
    then = decision.then if then is None else then
    otherwise = decision.otherwise or []
    return Branches(
        then if len(then) <= MOST_CONDITIONS else _as_decision(value),
        otherwise if len(otherwise) <= MOST_CONDITIONS else Expression("not", (value,)),
    )


def decide_cases(target: Any, labels: Sequence[list[int] | None], finder: ClbitFinder) -> list[Decision]:  # noqa: ANN401
    """Return the disjoint decisions for the cases of a ``switch``; ``None`` labels the default.

    Raises:
        Unreadable: the target depends on more than clbits.
    """
    all_labels = [label for values in labels for label in values or ()]
    if not isinstance(target, expr.Expr) or isinstance(target, expr.Var):
        clbits = finder.find(target)
        rest: list[Condition] = [()]
        for label in all_labels:
            rest = [both(a, b) for a in rest for b in compare(clbits, int(label), equal=False)]
        return [
            rest if values is None else [when for value in values for when in compare(clbits, int(value))]
            for values in labels
        ]
    value, clbits = value_of(target, finder), finder.clbits_in(target)
    table = _table(value, clbits)
    decisions: list[Decision] = []
    for values in labels:
        is_default, named = values is None, all_labels if values is None else values
        tests = [Expression("==", (value, int(label))) for label in named]
        any_of: Value = joined("or", tests) if tests else 0
        when: Decision = Expression("not", (any_of,)) if is_default else _as_decision(any_of)
        if table is not None:
            conditions = from_table(clbits, [(entry in named) is not is_default for entry in table])
            when = conditions if len(conditions) <= MOST_CONDITIONS else when
        decisions.append(when)
    return decisions


def _as_decision(value: Value) -> Decision:
    return value if isinstance(value, Expression) else ALWAYS if value else []


def _table(value: Value, clbits: Sequence[int]) -> list[int] | None:
    """Return the value for every value of the clbits; ``None`` for too many, or where there is not always a value.

    Bit ``k`` of an index is that of ``clbits[k]``.
    """
    if len(clbits) > MAX_TABLE_BITS:
        return None
    try:
        return [value_of_clbits(value, assignment.__getitem__) for assignment in assignments_of_table(clbits)]
    except CircuitInvalidError:  # a division by zero, say, which may never come about
        return None


def _is(node: Any, op: Any) -> bool:  # noqa: ANN401
    return bool(getattr(node, "op", None) == op)


def _conjunction(node: Any, finder: ClbitFinder) -> list[Condition] | None:  # noqa: ANN401 - an Expr
    """Return when an expression holds that has only bits, comparisons with constants, ``not`` and ``and``.

    The list has at most one condition, so that a body is not written twice. ``None`` stands for any other
    expression.
    """
    if isinstance(node, expr.Var):
        return compare(finder.find(node), 0, equal=False)
    if isinstance(node, expr.Cast) and isinstance(node.type, types.Bool):
        return _conjunction(node.operand, finder)
    if _is(node, expr.Unary.Op.LOGIC_NOT):
        inner = _conjunction(node.operand, finder)
        return None if inner is None else opposite(inner)
    if _is(node, expr.Binary.Op.LOGIC_AND):
        left, right = _conjunction(node.left, finder), _conjunction(node.right, finder)
        return None if left is None or right is None else [merge(both(a, b)) for a in left for b in right]
    if _is(node, expr.Binary.Op.EQUAL) or _is(node, expr.Binary.Op.NOT_EQUAL):
        return _comparison(node, finder)
    return None


def _comparison(node: Any, finder: ClbitFinder) -> list[Condition] | None:  # noqa: ANN401 - an Expr
    """Return when a bit or register equals a constant or differs from it; ``None`` for any other comparison."""
    sides = [_without_cast(node.left), _without_cast(node.right)]
    for side, other in (sides, sides[::-1]):
        if isinstance(side, expr.Var) and isinstance(other, expr.Value):
            equal = _is(node, expr.Binary.Op.EQUAL)
            return compare(finder.find(side), int(other.value), equal=equal)
    return None


def _without_cast(node: Any) -> Any:  # noqa: ANN401 - an Expr
    """Return the operand of implicit casts to wider numbers, which keep the value."""
    while isinstance(node, expr.Cast) and isinstance(node.type, types.Uint) and _width(node.operand) <= node.type.width:
        node = node.operand
    return node


def _width(node: Any) -> int:  # noqa: ANN401 - an Expr
    return int(node.type.width) if isinstance(node.type, types.Uint) else 1


# ---------------------------------------------------------------------------- values

_BINARY: Mapping[Any, str] = {
    expr.Binary.Op.BIT_AND: "&", expr.Binary.Op.BIT_OR: "|", expr.Binary.Op.BIT_XOR: "^",
    expr.Binary.Op.LOGIC_AND: "and", expr.Binary.Op.LOGIC_OR: "or", expr.Binary.Op.EQUAL: "==",
    expr.Binary.Op.NOT_EQUAL: "!=", expr.Binary.Op.LESS: "<", expr.Binary.Op.LESS_EQUAL: "<=",
    expr.Binary.Op.GREATER: ">", expr.Binary.Op.GREATER_EQUAL: ">=", expr.Binary.Op.SHIFT_LEFT: "<<",
    expr.Binary.Op.SHIFT_RIGHT: ">>", expr.Binary.Op.ADD: "+", expr.Binary.Op.SUB: "-", expr.Binary.Op.MUL: "*",
    expr.Binary.Op.DIV: "/",
}  # fmt: skip
"""Operator of Qiskit's -> operator of a classical expression, both on unsigned numbers."""

_WRAPPED = frozenset({"<<", "+", "-", "*"})
"""The operators whose result may not fit the width of its type, at which Qiskit's wraps."""

_SHIFTS = frozenset({"<<", ">>"})


def value_of(node: Any, finder: ClbitFinder) -> Value:  # noqa: ANN401 - an Expr
    """Return an expression of the types ``Bool`` and ``Uint`` as a classical value.

    Raises:
        Unreadable: it computes with values of another type, or with something that has no value.
    """
    if not isinstance(node.type, types.Uint | types.Bool):
        raise Unreadable(f"it computes with values of the type {node.type!r}")
    if isinstance(node, expr.Var):
        clbits = finder.find(node)
        return bits(*clbits) if clbits else 0
    if isinstance(node, expr.Value):
        return int(node.value)
    if isinstance(node, expr.Cast):
        return _cast(node, finder)
    if isinstance(node, expr.Index):
        return Expression("&", (Expression(">>", (value_of(node.target, finder), _places(node.index, finder))), 1))
    if isinstance(node, expr.Unary):
        return _unary(node, finder)
    if isinstance(node, expr.Binary) and node.op in _BINARY:
        op = _BINARY[node.op]
        if op in ASSOCIATIVE:
            chain = links(node, lambda inner: [inner.left, inner.right] if _is(inner, node.op) else None)
            return joined(op, [value_of(link, finder) for link in chain])
        right = _places(node.right, finder) if op in _SHIFTS else value_of(node.right, finder)
        result = Expression(op, (value_of(node.left, finder), right))
        return Expression("wrap", (result, node.type.width)) if op in _WRAPPED else result
    raise Unreadable(f"the expression {type(node).__name__} is not known")


def _cast(node: Any, finder: ClbitFinder) -> Value:  # noqa: ANN401 - a Cast
    operand = value_of(node.operand, finder)
    if isinstance(node.type, types.Bool):
        return operand if isinstance(node.operand.type, types.Bool) else Expression("!=", (operand, 0))
    return operand if _width(node.operand) <= node.type.width else Expression("wrap", (operand, node.type.width))


def _unary(node: Any, finder: ClbitFinder) -> Value:  # noqa: ANN401 - a Unary
    operand = value_of(node.operand, finder)
    if node.op == expr.Unary.Op.LOGIC_NOT or isinstance(node.type, types.Bool):
        return Expression("not", (operand,))
    if node.op != expr.Unary.Op.BIT_NOT:
        raise Unreadable(f"it computes with {node.op}")
    return Expression("wrap", (Expression("~", (operand,)), node.type.width))


def _places(node: Any, finder: ClbitFinder) -> Value:  # noqa: ANN401 - an Expr
    """Return by how many places something is shifted, at most as many as can be said: no number is that wide."""
    places = value_of(node, finder)
    if not isinstance(places, Expression):
        return min(places, MAX_SHIFT)
    if 1 << _width(node) <= MAX_SHIFT:
        return places
    return Expression("if", (Expression(">", (places, MAX_SHIFT)), MAX_SHIFT, places))


def declared_width(variable: Any) -> int | None:  # noqa: ANN401 - a Var
    """Return how many clbits hold a variable; ``None`` for one that is neither a number nor a truth value."""
    return _width(variable) if isinstance(variable.type, types.Uint | types.Bool) else None


def is_about_time(node: Any) -> bool:  # noqa: ANN401 - an Expr
    """Return whether an expression is a duration."""
    return isinstance(node.type, types.Duration)
