"""Carries out control flow, and has the table of all statements."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from gateway.circuit import conditions
from gateway.circuit.conditions import Decision
from gateway.circuit.openqasm.full.arithmetic import convert, plain
from gateway.circuit.openqasm.full.classical_statements import ClassicalStatements
from gateway.circuit.openqasm.full.scopes import Kind, Scope, Value, Variable, Word, invalid, refuse
from gateway.circuit.operations import Condition

if TYPE_CHECKING:
    from openqasm3 import ast

_Branch = tuple[Sequence[Condition], Sequence["ast.Statement"]]


class _Break(Exception):  # noqa: N818 - the way out of a loop, not a mistake
    """A ``break``."""


class _Continue(Exception):  # noqa: N818
    """A ``continue``."""


class _End(Exception):  # noqa: N818
    """An ``end``."""


class Program(ClassicalStatements):
    """Unrolls a whole program."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)
        self._loops: list[int] = []

    def run(self, statements: Iterable[ast.Statement]) -> None:
        """Carry out all statements, up to an ``end``."""
        with suppress(_End):
            self.execute(statements)

    # ------------------------------------------------------------------ branches

    def branch(self, node: ast.BranchingStatement) -> None:
        """Carry out one of two blocks, or both of them under opposite conditions."""
        decision = self.values.decide(node.condition)
        if isinstance(decision, Decision) and decision.then in (conditions.ALWAYS, conditions.NEVER):
            decision = decision.then == conditions.ALWAYS
        if isinstance(decision, bool):
            self.block(node.if_block if decision else node.else_block)
            return
        branches: list[_Branch] = [(decision.then, node.if_block)]
        if node.else_block:
            if decision.otherwise is None:
                raise refuse(node, "else", "the condition depends on too many clbits to say its opposite")
            branches.append((decision.otherwise, node.else_block))
        self._choose(branches)

    def _choose(self, branches: Sequence[_Branch]) -> None:
        """Carry out each block under its conditions, all of which are disjoint."""
        self.out.choose([(condition, partial(self.block, statements)) for condition, statements in branches])

    def switch(self, node: ast.SwitchStatement) -> None:
        """Carry out the case that a known value selects, or every case under its conditions."""
        labels = [[self.values.integer(label) for label in values] for values, _ in node.cases]
        flat = [label for values in labels for label in values]
        if len(set(flat)) < len(flat):
            raise invalid(node, "duplicate case", "switch has two cases for the same value")
        clbits = self.values.clbits_in(node.target)
        default = [] if node.default is None else node.default.statements
        if not clbits:
            value = self.values.integer(node.target)
            matches = [body.statements for values, (_, body) in zip(labels, node.cases, strict=True) if value in values]
            self.block(matches[0] if matches else default)
            return
        if len(clbits) > conditions.MAX_TABLE_BITS:
            raise refuse(node, "switch", f"at most {conditions.MAX_TABLE_BITS} clbits can be tested")
        table = self.values.table(clbits, lambda: self.values.integer(node.target))
        branches: list[_Branch] = [
            (conditions.from_table(clbits, [entry in values for entry in table]), body.statements)
            for values, (_, body) in zip(labels, node.cases, strict=True)
        ]
        branches.append((conditions.from_table(clbits, [entry not in flat for entry in table]), default))
        self._choose(branches)

    # ------------------------------------------------------------------ loops

    def loop(self, node: ast.ForInLoop) -> None:
        """Carry out a block for each value of the loop variable."""
        kind = self.values.kind(node.type)
        for value in self._loop_values(node):
            scope = Scope(self.values.scope)
            loop_value = self._convert_loop_value(node, value, kind)
            scope.declare(node.identifier.name, Variable(kind, loop_value, depth=self.out.depth))
            if not self._repeat(node.block, scope):
                break

    def _convert_loop_value(self, node: ast.ForInLoop, value: Value, kind: Kind) -> Value:
        try:
            loop_value = convert(value, kind)
        except (TypeError, ValueError, OverflowError) as exc:
            raise invalid(node, "type", f"the loop variable cannot hold a value: {exc}") from exc
        if kind.name in {"int", "uint"} and plain(loop_value) != plain(value):
            raise invalid(node, "type", f"the loop variable of type {kind} cannot hold {plain(value)}")
        return loop_value

    def _loop_values(self, node: ast.ForInLoop) -> Iterable[Value]:
        values, name = node.set_declaration, type(node.set_declaration).__name__
        if name == "RangeDefinition":
            if values.start is None or values.end is None:
                raise invalid(values, "range", "the range of a loop needs its two ends")
            start, end, step = (
                self.values.integer(values.start),
                self.values.integer(values.end),
                self.values.step(values),
            )
            return range(start, end + (1 if step > 0 else -1), step)
        if name == "DiscreteSet":
            return [self.values.evaluate(value) for value in values.values]
        if self.values.clbits_in(values):
            raise refuse(node, "for", "a loop over measured bits")
        word = self.values.evaluate(values)
        if not isinstance(word, Word):
            raise invalid(node, "type", "a loop goes over a range, a set or bits")
        return [word.value >> place & 1 for place in range(word.width)]

    def repeat_while(self, node: ast.WhileLoop) -> None:
        """Carry out a block as long as a condition with a known value holds."""
        while True:
            decision = self.values.decide(node.while_condition)
            if isinstance(decision, Decision):
                raise refuse(node, "while", "it repeats depending on a measurement")
            if not decision or not self._repeat(node.block, Scope(self.values.scope)):
                return

    def _repeat(self, statements: Sequence[ast.Statement], scope: Scope) -> bool:
        """Carry out the body of a loop once, and return whether the loop goes on."""
        self.out.spend(1)
        self._loops.append(self.out.depth)
        try:
            self.block(statements, scope)
        except _Continue:
            return True
        except _Break:
            return False
        finally:
            self._loops.pop()
        return True

    def leave_loop(self, node: ast.BreakStatement | ast.ContinueStatement) -> None:
        """Leave a loop, or continue with its next turn."""
        word = "break" if type(node).__name__ == "BreakStatement" else "continue"
        if self.out.depth > self._loops[-1]:
            raise refuse(node, word, "it would depend on a measurement")
        raise _Break if word == "break" else _Continue

    def end(self, node: ast.EndStatement) -> None:
        """End the program."""
        if self.out.depth:
            raise refuse(node, "end", "it would depend on a measurement")
        raise _End

    # ------------------------------------------------------------------ blocks

    def compound(self, node: ast.CompoundStatement) -> None:
        """Carry out a block in a scope of its own."""
        self.block(node.statements)

    def box(self, node: ast.Box) -> None:
        """Carry out a box without a duration as a block."""
        if node.duration is not None:
            raise refuse(node, "box duration", "a flat circuit has no time")
        self.block(node.body)

    handlers: ClassVar[dict[str, Callable[..., None]]] = {
        "AliasStatement": ClassicalStatements.alias,
        "Box": box,
        "BranchingStatement": branch,
        "BreakStatement": leave_loop,
        "ClassicalAssignment": ClassicalStatements.assign,
        "ClassicalDeclaration": ClassicalStatements.declare_classical,
        "CompoundStatement": compound,
        "ConstantDeclaration": ClassicalStatements.declare_constant,
        "ContinueStatement": leave_loop,
        "EndStatement": end,
        "ExpressionStatement": ClassicalStatements.expression,
        "ForInLoop": loop,
        "IODeclaration": ClassicalStatements.declare_io,
        "Include": ClassicalStatements.include,
        "QuantumBarrier": ClassicalStatements.barrier,
        "QuantumGate": ClassicalStatements.call_gate,
        "QuantumGateDefinition": ClassicalStatements.define_gate,
        "QuantumMeasurementStatement": ClassicalStatements.measure,
        "QuantumPhase": ClassicalStatements.call_phase,
        "QuantumReset": ClassicalStatements.reset,
        "QubitDeclaration": ClassicalStatements.declare_qubits,
        "ReturnStatement": ClassicalStatements.leave_subroutine,
        "SubroutineDefinition": ClassicalStatements.define_subroutine,
        "SwitchStatement": switch,
        "WhileLoop": repeat_while,
    }
