"""Turns conditions of OpenQASM 3 that depend on clbits into conditions of the circuit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TypeVar

from gateway.circuit import conditions
from gateway.circuit.conditions import Decision
from gateway.circuit.openqasm.full.arithmetic import plain
from gateway.circuit.openqasm.full.evaluator import Evaluator
from gateway.circuit.openqasm.full.scopes import Clbits, invalid, refuse

if TYPE_CHECKING:
    from openqasm3 import ast

_T = TypeVar("_T")


class Decider(Evaluator):
    """An evaluator that also finds out when a condition on clbits holds, by trying all their values."""

    def clbits_in(self, node: ast.QASMNode) -> list[int]:
        """Return the clbits that an expression reads, in the order in which they occur."""
        clbits: dict[int, None] = {}
        self._collect(node, clbits)
        return list(clbits)

    def _collect(self, node: ast.QASMNode, clbits: dict[int, None]) -> None:
        name = type(node).__name__
        if name in {"Identifier", "IndexExpression"}:
            symbol = self.reference(node)
            if isinstance(symbol, Clbits):
                clbits.update(dict.fromkeys(symbol.indices))
                return
        self._spend(1)
        children = [node.arguments] if name == "FunctionCall" else list(vars(node).values())
        for child in children:
            for part in child if isinstance(child, list) else [child]:
                if hasattr(part, "span"):
                    self._collect(part, clbits)

    def decide(self, node: ast.Expression) -> bool | Decision:
        """Return the value of a condition; if it depends on clbits, return when it holds.

        Raises:
            UnsupportedError: the condition depends on too many clbits to write it as comparisons.
        """
        clbits = self.clbits_in(node)
        if not clbits:
            return self.truth(node)
        direct = self._direct(node)
        if direct is not None:
            return direct
        if len(clbits) <= conditions.MAX_TABLE_BITS:
            table = self.table(clbits, lambda: self.truth(node))
            return conditions.decision_of_table(clbits, table)
        if type(node).__name__ == "BinaryExpression" and node.op.name == "&&":
            return self._both(node)
        why = f"it depends on {len(clbits)} clbits; at most {conditions.MAX_TABLE_BITS} unless registers are compared"
        raise refuse(node, "condition", why)

    def table(self, clbits: Sequence[int], read: Callable[[], _T]) -> list[_T]:
        """Evaluate something for every value of some clbits; bit ``k`` of an index is the value of ``clbits[k]``."""
        entries: list[_T] = []
        try:
            for assignment in conditions.assignments_of_table(clbits):
                self._spend(1)
                self._bits = assignment
                entries.append(read())
        finally:
            self._bits = None
        return entries

    def _direct(self, node: ast.Expression) -> Decision | None:
        """Return the decision of a register, or of its comparison with a constant."""
        symbol = self.reference(node)
        if isinstance(symbol, Clbits):
            return self._compare_register(node, symbol, 0, "!=")
        name = type(node).__name__
        if name == "UnaryExpression" and node.op.name == "!":
            inner = self._direct(node.expression)
            return inner if inner is None or inner.otherwise is None else Decision(inner.otherwise, inner.then)
        if name != "BinaryExpression" or node.op.name not in {"==", "!="}:
            return None
        for side, other in ((node.lhs, node.rhs), (node.rhs, node.lhs)):
            symbol = self.reference(side)
            if isinstance(symbol, Clbits) and not self.clbits_in(other):
                return self._compare_register(node, symbol, plain(self.evaluate(other)), node.op.name)
        return None

    def _compare_register(self, node: ast.Expression, clbits: Clbits, value: float, symbol: str) -> Decision:
        if len(set(clbits.indices)) < len(clbits.indices):
            raise refuse(node, "condition", "it compares a clbit with itself")
        if any(map(self._has_no_value, clbits.indices)):
            raise invalid(node, "unassigned variable", "a bit is tested before anything is assigned to it")
        number = int(value) if isinstance(value, int) or value.is_integer() else -1
        equal = conditions.compare(clbits.indices, number)
        different = conditions.compare(clbits.indices, number, equal=False)
        return Decision(equal, different) if symbol == "==" else Decision(different, equal)

    def _both(self, node: ast.BinaryExpression) -> bool | Decision:
        left, right = self.decide(node.lhs), self.decide(node.rhs)
        if left is False or right is False:
            return False
        if isinstance(left, bool) or isinstance(right, bool):
            return right if isinstance(left, bool) else left
        return Decision([conditions.both(a, b) for a in left.then for b in right.then], None)
