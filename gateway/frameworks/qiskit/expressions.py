"""Turns Qiskit's classical expressions into conditions of the shared circuit."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from gateway.circuit import Condition
from gateway.circuit.conditions import (
    MAX_TABLE_BITS,
    Decision,
    assignments_of_table,
    both,
    compare,
    decision_of_table,
    from_table,
    merge,
    opposite,
)
from gateway.frameworks.shared.refusals import Unreadable


class ClbitFinder:
    """Finds the clbits that an expression names.

    Args:
        circuit: Qiskit's circuit with the expression.
        clbits: bit of that circuit -> clbit of the shared circuit.
    """

    def __init__(self, circuit: Any, clbits: Mapping[Any, int]) -> None:  # noqa: ANN401 - a QuantumCircuit
        self._circuit = circuit
        self._clbits = clbits

    def find(self, target: Any) -> list[int]:  # noqa: ANN401 - a Clbit or ClassicalRegister
        """Return the clbits, least significant first, of a bit or register.

        Raises:
            Unreadable: the target is a classical variable.
        """
        if isinstance(target, Clbit):
            return [self._clbits[target]]
        if isinstance(target, ClassicalRegister):
            return [self._clbits[bit] for bit in target]
        raise Unreadable("it reads a classical variable, and a flat circuit has none")

    def clbits_in(self, node: Any) -> list[int]:  # noqa: ANN401 - an Expr
        """Return all clbits that an expression reads, each once."""
        return list(dict.fromkeys(clbit for var in expr.iter_vars(node) for clbit in self.find(var.var)))


def decide(condition: Any, finder: ClbitFinder) -> Decision:  # noqa: ANN401 - a pair or an Expr
    """Return when the condition of an ``if_test`` holds.

    Raises:
        Unreadable: the condition depends on too many clbits, or on more than clbits.
    """
    if not isinstance(condition, expr.Expr):
        target, value = condition
        clbits = finder.find(target)
        return Decision(compare(clbits, int(value)), compare(clbits, int(value), equal=False))
    then = _conjunction(condition, finder)
    otherwise = None if then is None else opposite(then)
    if then is None or otherwise is None:
        clbits = finder.clbits_in(condition)
        if len(clbits) <= MAX_TABLE_BITS:
            by_table = decision_of_table(clbits, list(map(bool, _table(condition, clbits, finder))))
            then, otherwise = by_table.then if then is None else then, by_table.otherwise
        elif then is None:
            raise Unreadable(_too_many(clbits))
    return Decision(then, otherwise)


def decide_cases(target: Any, labels: Sequence[list[int] | None], finder: ClbitFinder) -> list[list[Condition]]:  # noqa: ANN401
    """Return the disjoint conditions of each case of a ``switch``; ``None`` labels the default.

    Raises:
        Unreadable: the target depends on too many clbits, or on more than clbits.
    """
    all_labels = [label for values in labels for label in values or ()]
    if isinstance(target, expr.Var):
        target = target.var
    if isinstance(target, expr.Expr):
        clbits = finder.clbits_in(target)
        if len(clbits) > MAX_TABLE_BITS:
            raise Unreadable(_too_many(clbits))
        table = _table(target, clbits, finder)
        return [
            from_table(clbits, [(entry not in all_labels) if values is None else (entry in values) for entry in table])
            for values in labels
        ]
    clbits = finder.find(target)
    rest: list[Condition] = [()]
    for label in all_labels:
        rest = [both(a, b) for a in rest for b in compare(clbits, int(label), equal=False)]
    return [
        rest if values is None else [when for value in values for when in compare(clbits, int(value))]
        for values in labels
    ]


def _too_many(clbits: Sequence[int]) -> str:
    return f"it depends on {len(clbits)} clbits; at most {MAX_TABLE_BITS} unless registers are compared with constants"


def _is(node: Any, op: Any) -> bool:  # noqa: ANN401
    return bool(getattr(node, "op", None) == op)


def _conjunction(node: Any, finder: ClbitFinder) -> list[Condition] | None:  # noqa: ANN401 - an Expr
    """Return when an expression holds that has only bits, comparisons with constants, ``not`` and ``and``.

    The list has at most one condition, so that a body is not written twice. ``None`` stands for any other
    expression.
    """
    if isinstance(node, expr.Var):
        return compare(finder.find(node.var), 0, equal=False)
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
            return compare(finder.find(side.var), int(other.value), equal=equal)
    return None


def _without_cast(node: Any) -> Any:  # noqa: ANN401 - an Expr
    """Return the operand of implicit casts to wider numbers, which keep the value."""
    while isinstance(node, expr.Cast) and isinstance(node.type, types.Uint) and _width(node.operand) <= node.type.width:
        node = node.operand
    return node


def _width(node: Any) -> int:  # noqa: ANN401 - an Expr
    return int(node.type.width) if isinstance(node.type, types.Uint) else 1


# ---------------------------------------------------------------------------- values

_BINARY: dict[Any, Callable[[int, int], int]] = {
    expr.Binary.Op.BIT_AND: operator.and_,
    expr.Binary.Op.BIT_OR: operator.or_,
    expr.Binary.Op.BIT_XOR: operator.xor,
    expr.Binary.Op.LOGIC_AND: lambda a, b: bool(a) and bool(b),
    expr.Binary.Op.LOGIC_OR: lambda a, b: bool(a) or bool(b),
    expr.Binary.Op.EQUAL: operator.eq,
    expr.Binary.Op.NOT_EQUAL: operator.ne,
    expr.Binary.Op.LESS: operator.lt,
    expr.Binary.Op.LESS_EQUAL: operator.le,
    expr.Binary.Op.GREATER: operator.gt,
    expr.Binary.Op.GREATER_EQUAL: operator.ge,
    expr.Binary.Op.SHIFT_LEFT: lambda a, b: a << min(b, 4096),
    expr.Binary.Op.SHIFT_RIGHT: operator.rshift,
    expr.Binary.Op.ADD: operator.add,
    expr.Binary.Op.SUB: operator.sub,
    expr.Binary.Op.MUL: operator.mul,
}
"""The operators on unsigned numbers; the result wraps at the width of its type."""


def _table(node: Any, clbits: Sequence[int], finder: ClbitFinder) -> list[int]:  # noqa: ANN401 - an Expr
    """Return the value for every value of the clbits; bit ``k`` of an index is that of ``clbits[k]``."""
    return [_value(node, assignment, finder) for assignment in assignments_of_table(clbits)]


def _value(node: Any, bits: Mapping[int, int], finder: ClbitFinder) -> int:  # noqa: ANN401 - an Expr
    """Return the value of an expression when the clbits have these values."""
    if not isinstance(node.type, types.Uint | types.Bool):
        raise Unreadable(f"it computes with values of the type {node.type!r}")
    number = _unlimited_value(node, bits, finder)
    return int(bool(number)) if isinstance(node.type, types.Bool) else number % (1 << node.type.width)


def _unlimited_value(node: Any, bits: Mapping[int, int], finder: ClbitFinder) -> int:  # noqa: ANN401 - an Expr
    if isinstance(node, expr.Var):
        return sum(bits[clbit] << place for place, clbit in enumerate(finder.find(node.var)))
    if isinstance(node, expr.Value):
        return int(node.value)
    if isinstance(node, expr.Cast):
        return _value(node.operand, bits, finder)
    if isinstance(node, expr.Index):
        place = _value(node.index, bits, finder)
        return _value(node.target, bits, finder) >> place & 1
    if isinstance(node, expr.Unary):
        operand = _value(node.operand, bits, finder)
        if node.op == expr.Unary.Op.LOGIC_NOT:
            return not operand
        return ~operand if node.op == expr.Unary.Op.BIT_NOT else -operand
    if isinstance(node, expr.Binary) and node.op in _BINARY:
        return _BINARY[node.op](_value(node.left, bits, finder), _value(node.right, bits, finder))
    raise Unreadable(f"the expression {type(node).__name__} is not known")
