"""Keeps track of pytket's bits: the clbits, and the scratch bits that are computed from them."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from pytket.circuit import ClExpr, ClOp, ClRegVar, OpType

from gateway.circuit import Condition
from gateway.circuit.conditions import MAX_TABLE_BITS, assignments_of_table, compare, from_table
from gateway.frameworks.shared.refusals import Unreadable

SCRATCH = "tk_SCRATCH_BIT"
"""The register of the bits that pytket adds for conditions."""


class _ScratchBit(NamedTuple):
    """A scratch bit: the clbits that it was computed from, and its value for each value of these."""

    clbits: list[int]
    table: list[int]


class Bits:
    """The meaning of each bit of a circuit.

    Args:
        bits: the bits of the circuit, in order.
    """

    def __init__(self, bits: Iterable[Any]) -> None:
        named = [bit for bit in bits if bit.reg_name != SCRATCH]
        self.num_clbits = len(named)
        self._clbits = {bit: clbit for clbit, bit in enumerate(named)}
        self._scratch_bits: dict[Any, _ScratchBit | None] = {}

    def measured(self, bit: Any) -> int:  # noqa: ANN401 - a Bit
        """Return the clbit that a measurement writes to, and forget scratch bits computed from its old value."""
        clbit = self._clbits[bit]
        for name, scratch in self._scratch_bits.items():
            if scratch is not None and clbit in scratch.clbits:
                self._scratch_bits[name] = None
        return clbit

    def computed(self, op: Any, args: Sequence[Any]) -> None:  # noqa: ANN401 - a ClExprOp or RangePredicateOp
        """Note how a scratch bit is computed.

        Raises:
            Unreadable: the operation writes another bit, or has more than comparisons and logic.
        """
        predicate = op.type == OpType.RangePredicate
        outputs = args[-1:] if predicate else [args[place] for place in op.expr.output_posn]
        if len(outputs) != 1 or outputs[0] in self._clbits:
            raise Unreadable("bits that hold outcomes change only when measured into")
        inputs = list(args[:-1]) if predicate else [arg for arg in args if arg != outputs[0]]
        read = _in_range(op, inputs) if predicate else _expression(op.expr, args)
        self._scratch_bits[outputs[0]] = self._table(inputs, read)

    def conditions(self, bits: Sequence[Any], value: int) -> list[Condition]:
        """Return the disjoint conditions under which bits, the first one least significant, have a value."""
        if all(bit in self._clbits for bit in bits):
            return compare([self._clbits[bit] for bit in bits], value)
        computed = self._table(list(bits), lambda now: sum(now[bit] << k for k, bit in enumerate(bits)) == value)
        return from_table(computed.clbits, [bool(entry) for entry in computed.table])

    def _table(self, bits: Sequence[Any], read: Callable[[dict[Any, int]], int]) -> _ScratchBit:
        """Evaluate something for every value of the clbits that bits come from."""
        clbits = list(dict.fromkeys(clbit for bit in bits for clbit in self._sources(bit)))
        if len(clbits) > MAX_TABLE_BITS:
            raise Unreadable(f"it depends on {len(clbits)} clbits; at most {MAX_TABLE_BITS}")
        table = [int(read({bit: self._value(bit, now) for bit in bits})) for now in assignments_of_table(clbits)]
        return _ScratchBit(clbits, table)

    def _sources(self, bit: Any) -> list[int]:  # noqa: ANN401 - a Bit
        if bit in self._clbits:
            return [self._clbits[bit]]
        scratch = self._scratch_bits.get(bit)
        if scratch is None:
            raise Unreadable(f"{bit} was computed from bits that have changed since, or not at all")
        return scratch.clbits

    def _value(self, bit: Any, now: dict[int, int]) -> int:  # noqa: ANN401 - a Bit
        if bit in self._clbits:
            return now[self._clbits[bit]]
        scratch = self._scratch_bits[bit]
        assert scratch is not None  # noqa: S101 - _sources was called before
        return scratch.table[sum(now[clbit] << place for place, clbit in enumerate(scratch.clbits))]


def _in_range(op: Any, inputs: Sequence[Any]) -> Callable[[dict[Any, int]], int]:  # noqa: ANN401
    return lambda now: op.lower <= sum(now[bit] << place for place, bit in enumerate(inputs)) <= op.upper


_OPERATORS: dict[Any, Callable[..., int]] = {
    ClOp.BitAnd: operator.and_,
    ClOp.BitOr: operator.or_,
    ClOp.BitXor: operator.xor,
    ClOp.BitEq: operator.eq,
    ClOp.BitNeq: operator.ne,
    ClOp.BitNot: lambda bit: 1 - bit,
    ClOp.BitZero: lambda: 0,
    ClOp.BitOne: lambda: 1,
    ClOp.RegAnd: operator.and_,
    ClOp.RegOr: operator.or_,
    ClOp.RegXor: operator.xor,
    ClOp.RegEq: operator.eq,
    ClOp.RegNeq: operator.ne,
    ClOp.RegLt: operator.lt,
    ClOp.RegGt: operator.gt,
    ClOp.RegLeq: operator.le,
    ClOp.RegGeq: operator.ge,
}
"""The operators whose result does not depend on the width of a register."""


def _expression(wired: Any, args: Sequence[Any]) -> Callable[[dict[Any, int]], int]:  # noqa: ANN401 - WiredClExpr
    def read(now: dict[Any, int]) -> int:
        bits = {var: now[args[place]] for var, place in wired.bit_posn.items()}
        registers = {
            var: sum(now[args[place]] << k for k, place in enumerate(places)) for var, places in wired.reg_posn.items()
        }
        return _evaluate(wired.expr, bits, registers)

    return read


def _evaluate(node: Any, bits: dict[int, int], registers: dict[int, int]) -> int:  # noqa: ANN401 - a ClExpr
    if isinstance(node, int):
        return node
    if not isinstance(node, ClExpr):
        return (registers if isinstance(node, ClRegVar) else bits)[node.index]
    if node.op not in _OPERATORS:
        raise Unreadable(f"it computes with {node.op.name}")
    return int(_OPERATORS[node.op](*[_evaluate(arg, bits, registers) for arg in node.args]))
