"""Keeps track of pytket's bits: the clbits, and the scratch bits that are computed from them.

pytket adds a scratch bit for each condition that is more than values of bits. One that is read before the bits change
that it was computed from is no clbit: whatever reads it reads what it was computed from. Any other is a hidden clbit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, cast

from pytket.circuit import Circuit as TketCircuit
from pytket.circuit import ClBitVar, ClExpr, ClOp, ClRegVar, OpType

from gateway.circuit.conditions import MAX_TABLE_BITS, assignments_of_table, compare, from_table
from gateway.circuit.emitter import Decision, Emitter
from gateway.circuit.expressions import Expression, bits, clbits_read, nodes, value_of_clbits
from gateway.errors import CircuitInvalidError
from gateway.frameworks.shared.chains import ASSOCIATIVE, joined, links
from gateway.frameworks.shared.refusals import Unreadable

SCRATCH = "tk_SCRATCH_BIT"
"""The register of the bits that pytket adds for conditions."""

CLASSICAL = frozenset({
    OpType.SetBits, OpType.CopyBits, OpType.RangePredicate, OpType.ExplicitPredicate, OpType.ExplicitModifier,
    OpType.MultiBit, OpType.ClassicalTransform, OpType.ClExpr,
})  # fmt: skip
"""The types of operations that write bits and act on no qubit."""

MOST_CONDITIONS = 16
"""A condition that would need more conditions than this stays an expression."""

MOST_NODES = 100
"""What a scratch bit is computed from is at most so large; beyond that the scratch bit is a clbit."""

Value = int | Expression


class Assignment(NamedTuple):
    """Bits, the least significant first, and the value that they get."""

    bits: Sequence[Any]
    value: Value


class Bits:
    """The meaning of each bit of a circuit.

    Args:
        bits: the bits of the circuit, in order.
        out: where the clbits are, and the assignments go.
    """

    def __init__(self, bits: Iterable[Any], out: Emitter) -> None:
        named = [bit for bit in bits if bit.reg_name != SCRATCH]
        self._out = out
        self._clbits: dict[Any, int] = dict(zip(named, out.new_clbits(len(named)), strict=True))
        self._computed: dict[Any, Value] = {}
        """Scratch bit -> what it was computed from, as long as that has not changed."""
        self._forgotten: set[Any] = set()
        """Scratch bits that were computed and are not read any more."""

    def clbit(self, bit: Any) -> int:  # noqa: ANN401 - a Bit
        """Return the clbit that holds a bit; a scratch bit gets one, with the value that it has."""
        if bit in self._forgotten:
            raise Unreadable(f"{bit} was computed from bits that have changed since")
        if bit not in self._clbits:
            (clbit,) = self._out.new_hidden_clbits(1)
            if bit in self._computed:
                self._out.assign((clbit,), self._computed.pop(bit))
            self._clbits[bit] = clbit
        return self._clbits[bit]

    def will_change(self, bits: Iterable[Any], *, is_needed: Callable[[Any], bool]) -> None:
        """Give scratch bits that were computed from bits a clbit before these change, if they are needed later."""
        clbits = {self._clbits[bit] for bit in bits if bit in self._clbits}
        for bit, value in list(self._computed.items()):
            if not clbits.isdisjoint(clbits_read(value)):
                if is_needed(bit):
                    self.clbit(bit)
                else:
                    self._forgotten.add(bit)
                    del self._computed[bit]

    def carry_out(self, assignment: Assignment) -> None:
        """Write a value to bits, or note what a scratch bit is computed from."""
        bit = assignment.bits[0]
        if len(assignment.bits) == 1 and bit.reg_name == SCRATCH and bit not in self._clbits:
            self._computed[bit] = _last_bit(assignment.value)
            self._forgotten.discard(bit)
            if sum(1 for _ in nodes(self._computed[bit])) > MOST_NODES:
                self.clbit(bit)
            return
        self._out.assign([self.clbit(bit) for bit in assignment.bits], assignment.value)

    def value(self, read: Sequence[Any]) -> Value:
        """Return bits, the first one least significant, as a number."""
        if not read:
            return 0
        if not any(bit in self._computed for bit in read):
            return bits(*[self.clbit(bit) for bit in read])
        parts: list[Value] = []
        for place, bit in enumerate(read):
            one = self._computed[bit] if bit in self._computed else bits(self.clbit(bit))
            parts.append(Expression("<<", (one, place)) if place else one)
        return joined("|", parts)

    def decide(self, read: Sequence[Any], value: int) -> Decision:
        """Return when bits, the first one least significant, have a value."""
        if not any(bit in self._computed for bit in read):
            return compare([self.clbit(bit) for bit in read], value)
        when = Expression("==", (self.value(read), value))
        clbits = list(dict.fromkeys(clbits_read(when)))
        if len(clbits) > MAX_TABLE_BITS:
            return when
        try:
            table = [bool(value_of_clbits(when, now.__getitem__)) for now in assignments_of_table(clbits)]
        except CircuitInvalidError:  # a division by zero, which may never come about
            return when
        conditions = from_table(clbits, table)
        return conditions if len(conditions) <= MOST_CONDITIONS else when

    # ------------------------------------------------------------------ pytket's operations

    def assignments(self, op: Any, args: Sequence[Any]) -> list[Assignment]:  # noqa: ANN401 - a ClassicalOp
        """Return what a classical operation writes, in order.

        Raises:
            Unreadable: the value of an expression depends on how wide pytket's registers are in between.
        """
        kind = op.type
        if kind == OpType.SetBits:
            return [Assignment(args, sum(value << place for place, value in enumerate(op.values)))]
        if kind == OpType.CopyBits:
            half = len(args) // 2
            return [Assignment(args[half:], self.value(args[:half]))]
        if kind == OpType.RangePredicate:
            return [Assignment(args[-1:], _in_range(self.value(args[:-1]), op.lower, op.upper, len(args) - 1))]
        if kind == OpType.MultiBit:
            return self._several(op, args)
        if kind == OpType.ClExpr:
            return [self._expression(op.expr, args)]
        table = _table_of(op, len(args))
        inputs = args[:-1] if kind == OpType.ExplicitPredicate else args
        outputs = args if kind == OpType.ClassicalTransform else args[-1:]
        return [Assignment(outputs, _looked_up(self.value(inputs), table, len(inputs), len(outputs)))]

    def _several(self, op: Any, args: Sequence[Any]) -> list[Assignment]:  # noqa: ANN401 - a MultiBitOp
        size = len(args) // op.multiplier
        groups = [args[begin : begin + size] for begin in range(0, len(args), size)]
        return [assignment for group in groups for assignment in self.assignments(op.basic_op, group)]

    def _expression(self, wired: Any, args: Sequence[Any]) -> Assignment:  # noqa: ANN401 - a WiredClExpr
        singles = {var: self.value([args[place]]) for var, place in wired.bit_posn.items()}
        registers = {var: self.value([args[place] for place in places]) for var, places in wired.reg_posn.items()}
        outputs = [args[place] for place in wired.output_posn]
        return Assignment(outputs, _value(wired.expr, singles, registers))


def written_by(op: Any, args: Sequence[Any]) -> list[Any]:  # noqa: ANN401 - an Op
    """Return the bits that an operation may write to."""
    kind = op.type
    if kind == OpType.Conditional:
        return written_by(op.op, args[op.width :])
    if kind == OpType.Measure:
        return list(args[1:])
    if kind in {OpType.RangePredicate, OpType.ExplicitPredicate, OpType.ExplicitModifier}:
        return list(args[-1:])
    if kind == OpType.CopyBits:
        return list(args[len(args) // 2 :])
    if kind == OpType.ClExpr:
        return [args[place] for place in op.expr.output_posn]
    return [] if kind == OpType.Barrier else [arg for arg in args if arg.type.name == "bit"]


# ---------------------------------------------------------------------------- values


def _last_bit(value: Value) -> Value:
    if not isinstance(value, Expression):
        return value & 1
    return value if value.op in _TRUTHS else Expression("wrap", (value, 1))


_TRUTHS = frozenset({"==", "!=", "<", "<=", ">", ">=", "not", "and", "or"})
"""The operators whose value is 0 or 1."""


def _in_range(value: Value, lower: int, upper: int, width: int) -> Value:
    """Return whether a value lies in a range, with only those comparisons that are not always true."""
    if lower == upper:
        return Expression("==", (value, lower))
    tests: list[Value] = [Expression(">=", (value, lower))] if lower > 0 else []
    tests += [Expression("<=", (value, upper))] if upper < (1 << width) - 1 else []
    return joined("and", tests) if tests else 1


def _table_of(op: Any, size: int) -> list[int]:  # noqa: ANN401 - an Op
    """Return the table of an operation that has one; pytket gives it only in its JSON form."""
    (command,) = TketCircuit(0, size).add_gate(op, list(range(size))).to_dict()["commands"]
    return list(map(int, command["op"]["classical"]["values"]))


_TWO_INPUTS: Mapping[tuple[int, ...], str] = {(0, 0, 0, 1): "&", (0, 1, 1, 1): "|", (0, 1, 1, 0): "^"}


def _looked_up(index: Value, table: Sequence[int], num_inputs: int, num_outputs: int) -> Value:
    """Return the entry of a table, of which an index has so many bits."""
    if num_outputs == 1:
        return _bit_looked_up(index, table, num_inputs)
    columns = [[entry >> place & 1 for entry in table] for place in range(num_outputs)]
    ones = [_bit_looked_up(index, column, num_inputs) for column in columns]
    return joined("|", [Expression("<<", (one, place)) if place else one for place, one in enumerate(ones)])


_CONSTANT_BITS = 5
"""A table of so many inputs fits into a whole number of an expression."""


def _bit_looked_up(index: Value, table: Sequence[int], num_inputs: int) -> Value:
    if tuple(table) == (1, 0):
        return Expression("not", (index,))
    if tuple(table) == (0, 1):
        return index
    op = _TWO_INPUTS.get(tuple(table))
    if op is not None and isinstance(index, Expression) and index.op == "bits":
        first, second = cast("tuple[int, int]", index.args)
        return Expression(op, (bits(first), bits(second)))
    if not any(table) or all(table):
        return table[0]
    if num_inputs <= _CONSTANT_BITS:
        number = sum(entry << place for place, entry in enumerate(table))
        return Expression("&", (Expression(">>", (number, index)), 1))
    half = len(table) // 2
    rest = Expression("wrap", (index, num_inputs - 1))
    low, high = (_bit_looked_up(rest, part, num_inputs - 1) for part in (table[:half], table[half:]))
    return Expression("if", (Expression(">>", (index, num_inputs - 1)), high, low))


_OPERATORS: Mapping[Any, str] = {
    ClOp.BitAnd: "&", ClOp.BitOr: "|", ClOp.BitXor: "^", ClOp.BitEq: "==", ClOp.BitNeq: "!=", ClOp.BitNot: "not",
    ClOp.RegAnd: "&", ClOp.RegOr: "|", ClOp.RegXor: "^", ClOp.RegNot: "~", ClOp.RegEq: "==", ClOp.RegNeq: "!=",
    ClOp.RegLt: "<", ClOp.RegGt: ">", ClOp.RegLeq: "<=", ClOp.RegGeq: ">=", ClOp.RegAdd: "+", ClOp.RegSub: "-",
    ClOp.RegMul: "*", ClOp.RegDiv: "/", ClOp.RegLsh: "<<", ClOp.RegRsh: ">>", ClOp.RegNeg: "-",
}  # fmt: skip
"""pytket's operator -> operator of a classical expression."""

_CONSTANTS: Mapping[Any, int] = {ClOp.BitZero: 0, ClOp.BitOne: 1, ClOp.RegZero: 0, ClOp.RegOne: -1}

_MODULAR = frozenset({"&", "|", "^", "~", "+", "-", "*"})
"""Operators the last bits of whose result depend on the last bits of their arguments only."""

_MAY_BE_NEGATIVE = frozenset({ClOp.RegNot, ClOp.RegSub, ClOp.RegNeg, ClOp.RegOne})

_MOST_FACTORS = 16


def _value(node: Any, singles: Mapping[int, Value], registers: Mapping[int, Value], *, modular: bool = True) -> Value:  # noqa: ANN401 - a ClExpr
    """Return the value of an expression.

    Args:
        node: the expression, a variable or a number.
        singles: index of a variable for a bit -> its value.
        registers: index of a variable for a register -> its value.
        modular: whether only the last bits of the value count, as many as are written. Elsewhere a negative number
            would be one whose size depends on the width of pytket's registers, of which pytket says nothing.
    """
    if isinstance(node, int):
        return node
    if not isinstance(node, ClExpr):
        return (registers if isinstance(node, ClRegVar) else singles)[node.index]
    if not modular and node.op in _MAY_BE_NEGATIVE:
        raise Unreadable(f"what {node.op.name} gives inside of it depends on the width of a register")
    if node.op in _CONSTANTS:
        return _CONSTANTS[node.op]
    if node.op == ClOp.RegPow:
        base, exponent = node.args
        if not isinstance(exponent, int) or not 1 <= exponent <= _MOST_FACTORS:
            raise Unreadable(
                f"it computes with {node.op.name} of an exponent that is not between 1 and {_MOST_FACTORS}"
            )
        return joined("*", [_value(base, singles, registers, modular=modular)] * exponent)
    if node.op not in _OPERATORS:
        raise Unreadable(f"it computes with {node.op.name}")
    op = _OPERATORS[node.op]
    if op in ASSOCIATIVE and all(isinstance(arg, ClExpr | ClRegVar | ClBitVar) for arg in node.args):
        chain = links(node, lambda inner: inner.args if isinstance(inner, ClExpr) and inner.op == node.op else None)
        return joined(op, [_value(link, singles, registers, modular=modular) for link in chain])
    first, *others = node.args
    if op == "&" and any(isinstance(arg, int) and arg >= 0 for arg in node.args):
        modular = True  # which takes the last bits
    shifts_up = op == "<<"
    args = [_value(first, singles, registers, modular=modular and (op in _MODULAR or shifts_up))]
    args += [_value(arg, singles, registers, modular=modular and op in _MODULAR) for arg in others]
    return Expression(op, tuple(args))
