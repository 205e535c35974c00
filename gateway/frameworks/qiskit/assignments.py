"""Turns assignments of the shared circuit into Qiskit's stores, in terms that Aer understands where possible.

Aer knows bits, comparisons and logic, no arithmetic; it carries out a store that stands alone in an ``if`` whatever
the condition. So each clbit gets a truth value of its own, which has the condition in it. Only arithmetic on more than
``MAX_TABLE_BITS`` clbits becomes arithmetic of Qiskit's, which Aer refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from typing import Any, cast

from qiskit.circuit import Clbit
from qiskit.circuit.classical import expr, types

from gateway.circuit import Comparison, Condition, Operation
from gateway.circuit.conditions import assignments_of_table, bits_of, from_table
from gateway.circuit.emitter import decided
from gateway.circuit.expressions import Expression, clbits_read, value_of_clbits
from gateway.errors import UnsupportedError

MAX_TABLE_BITS = 8
"""Arithmetic on so many clbits at most becomes a truth table."""

Value = int | Expression
Store = tuple[Any, Any]
"""A Clbit, and the truth value that it gets."""

_TRUTHS = frozenset({"==", "!=", "<", "<=", ">", ">=", "not", "and", "or"})
"""The operators whose value is 0 or 1."""

_ARITHMETIC: Mapping[str, Callable[[Any, Any], Any]] = {"+": expr.add, "-": expr.sub, "*": expr.mul}
_ORDERS: Mapping[str, Callable[[Any, Any], Any]] = {
    "==": expr.equal, "!=": expr.not_equal, "<": expr.less, "<=": expr.less_equal, ">": expr.greater,
    ">=": expr.greater_equal,
}  # fmt: skip


class Assignments:
    """Writes assignments as stores.

    Args:
        clbits: Qiskit's bit of each clbit, hidden ones included.

    Attributes:
        auxiliary: further bits that the stores write; they belong into the circuit too.
    """

    def __init__(self, clbits: Sequence[Any]) -> None:
        self._clbits = clbits
        self.auxiliary: list[Any] = []

    def stores(self, op: Operation) -> list[Store]:
        """Return a ``set`` as stores to make one after the other; its condition is in the values.

        Raises:
            UnsupportedError: Qiskit has no expression for the value.
        """
        values = {self._clbits[clbit]: self._written(op, place) for place, clbit in enumerate(op.clbits)}
        reads = {bit: {var.var for var in expr.iter_vars(value)} for bit, value in values.items()}
        order: list[Any] = []
        waiting = list(values)
        while waiting:
            free = [bit for bit in waiting if not any(bit in reads[other] for other in waiting if other is not bit)]
            if not free:
                return self._all_at_once(values)
            order += free
            waiting = [bit for bit in waiting if bit not in free]
        return [(bit, values[bit]) for bit in order]

    def _all_at_once(self, values: Mapping[Any, Any]) -> list[Store]:
        """Return stores that compute all values before any is written."""
        while len(self.auxiliary) < len(values):
            self.auxiliary.append(Clbit())
        first = list(zip(self.auxiliary, values.values(), strict=False))
        return [*first, *((bit, expr.lift(copy)) for bit, copy in zip(values, self.auxiliary, strict=False))]

    def _written(self, op: Operation, place: int) -> Any:  # noqa: ANN401 - an Expr
        value = self._bit(op.params[0], place)
        if not op.condition:
            return value
        return self._choice(self.truth_of(op.condition), value, expr.lift(self._clbits[op.clbits[place]]))

    def truth_of(self, condition: Condition) -> Any:  # noqa: ANN401 - an Expr
        """Return a condition as an expression."""
        return reduce(expr.logic_and, [self.comparison(comparison) for comparison in condition])

    def comparison(self, comparison: Comparison) -> Any:  # noqa: ANN401 - an Expr
        """Return a comparison of clbits as an expression."""
        bits = [(self._clbits[clbit], bit) for clbit, bit in bits_of(comparison)]
        equal = reduce(expr.logic_and, [expr.lift(clbit) if bit else expr.logic_not(clbit) for clbit, bit in bits])
        return equal if comparison.equal else expr.logic_not(equal)

    # ------------------------------------------------------------------ bits of values

    def _bit(self, value: Value, place: int) -> Any:  # noqa: ANN401 - an Expr
        """Return one bit of a value in two's complement as a truth value."""
        if not isinstance(value, Expression):
            return expr.lift(bool(value >> place & 1))
        op, args = value.op, cast("tuple[Value, ...]", value.args)
        if op == "bits":
            return expr.lift(self._clbits[cast("int", args[place])] if place < len(args) else False)
        if op in _TRUTHS:
            return self._truth(value) if place == 0 else expr.lift(False)
        if op in {"&", "|", "^", "~"}:
            return _BITWISE[op](*[self._bit(arg, place) for arg in args])
        if op == "if":
            return self._choice(self._truth(args[0]), self._bit(args[1], place), self._bit(args[2], place))
        if op in {"wrap", "signed"}:
            width = cast("int", args[1])
            if op == "wrap" and place >= width:
                return expr.lift(False)
            return self._bit(args[0], min(place, width - 1))
        if op in {"<<", ">>"} and isinstance(args[1], int):
            shifted = place - args[1] if op == "<<" else place + args[1]
            return self._bit(args[0], shifted) if shifted >= 0 else expr.lift(False)
        table = self._by_table(value, lambda number: bool(number >> place & 1))
        return expr.index(self._number(value, place + 1), place) if table is None else table

    def _truth(self, value: Value) -> Any:  # noqa: ANN401 - an Expr
        """Return whether a value is not 0."""
        if not isinstance(value, Expression):
            return expr.lift(value != 0)
        op, args = value.op, cast("tuple[Value, ...]", value.args)
        if op == "bits":
            return reduce(expr.logic_or, [expr.lift(self._clbits[cast("int", clbit)]) for clbit in args])
        if op == "not":
            return expr.logic_not(self._truth(args[0]))
        if op in {"and", "or"}:
            return (expr.logic_and if op == "and" else expr.logic_or)(*map(self._truth, args))
        if op in {"&", "|", "^"} and all(map(_is_truth, args)):
            return _BITWISE[op](*map(self._truth, args))
        if op in {"==", "!="} and isinstance(args[1], int) and _is_bits(args[0]):
            return self._equality(cast("Expression", args[0]), args[1], equal=op == "==")
        table = self._by_table(value, bool)
        if table is not None:
            return table
        if op in _ORDERS:
            width = max(_width(args[0]), _width(args[1]))
            return _ORDERS[op](self._number(args[0], width), self._number(args[1], width))
        return expr.not_equal(self._number(value, _width(value)), 0)

    def _equality(self, bits: Expression, number: int, *, equal: bool) -> Any:  # noqa: ANN401 - an Expr
        clbits = cast("tuple[int, ...]", bits.args)
        if not 0 <= number < 1 << len(clbits):
            return expr.lift(not equal)
        return self.comparison(Comparison(clbits, number, equal))

    def _choice(self, when: Any, then: Any, otherwise: Any) -> Any:  # noqa: ANN401 - Exprs
        return expr.logic_or(expr.logic_and(when, then), expr.logic_and(expr.logic_not(when), otherwise))

    def _by_table(self, value: Value, holds: Callable[[int], bool]) -> Any:  # noqa: ANN401 - an Expr or None
        """Return whether something holds of a value, by its truth table; ``None`` if that is too large."""
        clbits = list(dict.fromkeys(clbits_read(value)))
        if len(clbits) > MAX_TABLE_BITS:
            return None
        table = [holds(value_of_clbits(value, now.__getitem__)) for now in assignments_of_table(clbits)]
        return self._truth(decided(from_table(clbits, table)))

    # ------------------------------------------------------------------ arithmetic

    def _number(self, value: Value, width: int) -> Any:  # noqa: ANN401 - an Expr
        """Return a value modulo ``2**width`` as an unsigned number of Qiskit's."""
        if not isinstance(value, Expression):
            return expr.lift(value % (1 << width), types.Uint(width))
        if value.op in _ARITHMETIC:
            args = [self._number(arg, width) for arg in cast("tuple[Value, ...]", value.args)]
            return _ARITHMETIC[value.op](*([expr.lift(0, types.Uint(width)), *args] if len(args) == 1 else args))
        if value.op not in _BY_BIT or (value.op in {"<<", ">>"} and not isinstance(value.args[1], int)):
            msg = f"{value}: Qiskit has no such operator, and a truth table of its clbits would be too large"
            raise UnsupportedError(msg, feature=f"classical operator {value.op}")
        places = [expr.cast(self._bit(value, place), types.Uint(width)) for place in range(width)]
        return reduce(expr.bit_or, [expr.shift_left(bit, place) if place else bit for place, bit in enumerate(places)])


def _exclusive(first: Any, second: Any) -> Any:  # noqa: ANN401 - Exprs
    return expr.bit_xor(first, second)


_BITWISE: Mapping[str, Callable[..., Any]] = {
    "&": expr.logic_and,
    "|": expr.logic_or,
    "^": _exclusive,
    "~": expr.logic_not,
}
"""Operator on whole numbers -> the same on one bit, as truth values."""

_BY_BIT = _TRUTHS | frozenset(_BITWISE) | {"bits", "if", "wrap", "signed", "<<", ">>"}
"""The operators of which each bit can be said alone."""


def _is_bits(value: Value) -> bool:
    return isinstance(value, Expression) and value.op == "bits"


def _is_truth(value: Value) -> bool:
    """Return whether a value is 0 or 1, whatever the clbits are."""
    if not isinstance(value, Expression):
        return value in {0, 1}
    if value.op in {"&", "|", "^"}:
        return all(map(_is_truth, cast("Iterable[Value]", value.args)))
    return value.op in _TRUTHS or (value.op == "bits" and len(value.args) == 1)


def _width(value: Value) -> int:
    """Return how many bits hold a value that is not negative.

    Raises:
        UnsupportedError: the value may be negative, or its size is not known.
    """
    if not isinstance(value, Expression):
        if value >= 0:
            return max(value.bit_length(), 1)
    elif _is_truth(value):
        return 1
    elif value.op in _WIDTHS:
        return _WIDTHS[value.op](*cast("tuple[Value, ...]", value.args))
    msg = f"{value}: it is not known how many bits of Qiskit's hold it"
    raise UnsupportedError(msg, feature="classical arithmetic")


def _wider(first: Value, second: Value) -> int:
    return max(_width(first), _width(second))


_WIDTHS: Mapping[str, Callable[..., int]] = {
    "bits": lambda *clbits: len(clbits),
    "wrap": lambda _, width: int(width),
    "&": _wider,
    "|": _wider,
    "^": _wider,
    "+": lambda first, second: _wider(first, second) + 1,
    "*": lambda first, second: _width(first) + _width(second),
    "if": lambda _, first, second: _wider(first, second),
    ">>": lambda value, _: _width(value),
}
"""Operator -> how many bits hold its value, of its arguments."""
