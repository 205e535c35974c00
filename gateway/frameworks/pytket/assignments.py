"""Turns assignments of the shared circuit into pytket's classical operations.

A constant becomes ``SetBits``, a copy ``CopyBits``, and what pytket has operators for a ``ClExpr`` whose bit operators
have bits, and whose register operators have registers. Anything else becomes a table, if it reads few bits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, cast

from pytket.circuit import ClBitVar, ClExpr, ClOp, ClRegVar, WiredClExpr

from gateway.circuit import Operation
from gateway.circuit.conditions import assignments, assignments_of_table
from gateway.circuit.emitter import decided
from gateway.circuit.expressions import Expression, bits, clbits_read, value_of_clbits
from gateway.errors import UnsupportedError
from gateway.frameworks.shared.refusals import Unreadable

MAX_TABLE_BITS = 8
"""A table has at most so many bits."""

Value = int | Expression

_TRUTHS: Mapping[str, Any] = {
    "==": ClOp.RegEq, "!=": ClOp.RegNeq, "<": ClOp.RegLt, "<=": ClOp.RegLeq, ">": ClOp.RegGt, ">=": ClOp.RegGeq,
}  # fmt: skip
_LOGIC: Mapping[str, Any] = {
    "and": ClOp.BitAnd, "or": ClOp.BitOr, "&": ClOp.BitAnd, "|": ClOp.BitOr, "^": ClOp.BitXor,
}  # fmt: skip
_ARITHMETIC: Mapping[str, Any] = {
    "+": ClOp.RegAdd, "*": ClOp.RegMul, "&": ClOp.RegAnd, "|": ClOp.RegOr, "^": ClOp.RegXor,
}  # fmt: skip
_MODULAR: Mapping[str, Any] = {"-": ClOp.RegSub, "~": ClOp.RegNot}
"""Operators that may give a negative number, of which only the last bits are known."""


def append_assignment(target: Any, op: Operation, units: Sequence[Any], index: int) -> None:  # noqa: ANN401
    """Append a ``set`` to a circuit of pytket.

    Args:
        target: pytket's circuit.
        op: the assignment.
        units: pytket's bit for each clbit.
        index: the index of the operation, for the error.

    Raises:
        UnsupportedError: pytket has no operation that writes this value.
    """
    value, outputs, alternatives = op.params[0], op.clbits, assignments(op.condition)
    if len(alternatives) > 1 and not set(outputs).isdisjoint(clbits_read(value)):  # it may happen only once
        value, alternatives = Expression("if", (decided([op.condition]), value, bits(*outputs))), [{}]
    try:
        add = _maker(target, value, outputs, units)
    except Unreadable as exc:
        msg = f"operation {index} ({op}): {exc}"
        raise UnsupportedError(msg, feature="assignment", operation=index) from exc
    for tested in alternatives:
        number = sum(bit << place for place, bit in enumerate(tested.values()))
        add(**({"condition_bits": [units[clbit] for clbit in tested], "condition_value": number} if tested else {}))


def _maker(target: Any, value: Value, outputs: Sequence[int], units: Sequence[Any]) -> Any:  # noqa: ANN401
    """Return the function that appends an assignment; it takes a condition."""
    written = [units[clbit] for clbit in outputs]
    read = list(dict.fromkeys(clbits_read(value)))
    if not read:
        number = value_of_clbits(value, lambda _: 0)
        return partial(target.add_c_setbits, [bool(number >> place & 1) for place in range(len(outputs))], written)
    value = cast("Expression", value)
    is_copy = value.op == "bits" and len(value.args) == len(outputs) and set(read).isdisjoint(outputs)
    if is_copy:
        return partial(target.add_c_copybits, [units[clbit] for clbit in read], written)
    try:
        wired, clbits = _Wiring().wired(value, outputs)
    except Unreadable:
        return _table_maker(target, value, read, outputs, units)
    return partial(target.add_clexpr, wired, [units[clbit] for clbit in clbits])


def _table_maker(
    target: Any,  # noqa: ANN401 - a pytket Circuit
    value: Value,
    read: Sequence[int],
    outputs: Sequence[int],
    units: Sequence[Any],
) -> Any:  # noqa: ANN401
    clbits = list(dict.fromkeys([*read, *outputs]))
    if len(clbits) > MAX_TABLE_BITS:
        raise Unreadable(f"pytket has no such expression, and a table of {len(clbits)} bits would be too large")
    places = {clbit: place for place, clbit in enumerate(clbits)}
    table = []
    for now in assignments_of_table(clbits):
        number = value_of_clbits(value, now.__getitem__)
        after = now | {clbit: number >> place & 1 for place, clbit in enumerate(outputs)}
        table.append(sum(bit << places[clbit] for clbit, bit in after.items()))
    if len(outputs) == 1 and outputs[0] not in read:
        half = [bool(entry >> len(read) & 1) for entry in table[: 1 << len(read)]]
        return partial(target.add_c_predicate, half, [units[clbit] for clbit in read], units[outputs[0]])
    return partial(target.add_c_transform, table, [units[clbit] for clbit in clbits])


class _Wiring:
    """Makes an expression, and notes which variable is which bits."""

    def __init__(self) -> None:
        self._singles: dict[int, Any] = {}
        self._registers: dict[tuple[int, ...], Any] = {}

    def wired(self, value: Value, outputs: Sequence[int]) -> tuple[Any, list[int]]:
        """Return an expression with its wires, and the clbits that these are.

        Raises:
            Unreadable: pytket has no such operators.
        """
        expression = self._bit(value) if len(outputs) == 1 and _is_bit(value) else self._number(value, modular=True)
        if not isinstance(expression, ClExpr):
            expression = ClExpr(ClOp.RegOr, [expression, 0])
        read = [*self._singles, *[clbit for register in self._registers for clbit in register]]
        clbits = list(dict.fromkeys([*read, *outputs]))
        places = {clbit: place for place, clbit in enumerate(clbits)}
        singles = {var.index: places[clbit] for clbit, var in self._singles.items()}
        registers = {var.index: [places[clbit] for clbit in register] for register, var in self._registers.items()}
        try:
            return WiredClExpr(expression, singles, registers, [places[clbit] for clbit in outputs]), clbits
        except RuntimeError as exc:  # what is written overlaps with what is read, and is not the same register
            raise Unreadable(str(exc)) from exc

    def _bit(self, value: Value) -> Any:  # noqa: ANN401 - an argument of a ClExpr
        """Return a value that is 0 or 1 as a bit."""
        if not isinstance(value, Expression):
            return value
        op, args = value.op, cast("tuple[Value, ...]", value.args)
        if op == "bits":
            return self._singles.setdefault(cast("int", args[0]), ClBitVar(len(self._singles)))
        if op == "wrap":
            return self._bit(args[0])
        if op == "not":
            return self._not(args[0])
        if op in _LOGIC:
            return ClExpr(_LOGIC[op], list(map(self._truth, args)))
        first, second = args
        if second in {0, 1} and _is_bit(first) and op in {"==", "!="}:
            return self._bit(first) if (second == 1) == (op == "==") else self._not(first)
        return ClExpr(_TRUTHS[op], [self._number(first), self._number(second)])

    def _not(self, value: Value) -> Any:  # noqa: ANN401 - an argument of a ClExpr
        if _is_bit(value):
            return ClExpr(ClOp.BitNot, [self._bit(value)])
        return ClExpr(ClOp.RegEq, [self._number(value), 0])

    def _truth(self, value: Value) -> Any:  # noqa: ANN401 - an argument of a ClExpr
        return self._bit(value) if _is_bit(value) else ClExpr(ClOp.RegNeq, [self._number(value), 0])

    def _number(self, value: Value, *, modular: bool = False) -> Any:  # noqa: ANN401 - an argument of a ClExpr
        """Return a value as a register; ``modular`` if only its last bits count, so that it may be negative."""
        if not isinstance(value, Expression):
            if value < 0:
                raise Unreadable("a negative number has no certain width")
            return value
        op, args = value.op, cast("tuple[Value, ...]", value.args)
        if op == "bits":
            register = cast("tuple[int, ...]", args)
            return self._registers.setdefault(register, ClRegVar(len(self._registers)))
        if op == "wrap":
            mask = (1 << cast("int", args[1])) - 1
            return ClExpr(ClOp.RegAnd, [self._number(args[0], modular=True), mask])
        if op in _ARITHMETIC:
            return ClExpr(_ARITHMETIC[op], [self._number(arg, modular=modular) for arg in args])
        if op in _MODULAR and modular:
            kind = ClOp.RegNeg if op == "-" and len(args) == 1 else _MODULAR[op]
            return ClExpr(kind, [self._number(arg, modular=True) for arg in args])
        if op in {"<<", ">>"}:
            kind = ClOp.RegLsh if op == "<<" else ClOp.RegRsh
            return ClExpr(kind, [self._number(args[0], modular=modular and op == "<<"), self._number(args[1])])
        raise Unreadable(f"pytket has no operator {op} on registers")


def _is_bit(value: Value) -> bool:
    """Return whether a value is 0 or 1 and :meth:`_Wiring._bit` takes it."""
    if not isinstance(value, Expression):
        return value in {0, 1}
    args = cast("tuple[Value, ...]", value.args)
    if value.op == "bits":
        return len(args) == 1
    if value.op in {"&", "|", "^"}:
        return all(map(_is_bit, args))
    if value.op == "wrap":
        return _is_bit(args[0])
    return value.op in _TRUTHS or value.op in {"not", "and", "or"}
