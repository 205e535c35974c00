"""Unrolls a program: has its state, and carries out its statements one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, ClassVar

from gateway.circuit.emitter import Emitter
from gateway.circuit.gates import Step
from gateway.circuit.openqasm.full.clbit_conditions import Decider
from gateway.circuit.openqasm.full.scopes import GateDefinition, Scope, Value, invalid, line_of, refuse
from gateway.circuit.operations import Limits
from gateway.errors import CircuitInvalidError, UnsupportedError

if TYPE_CHECKING:
    from openqasm3 import ast


class Unroller:
    """Carries out statements one after the other; subclasses know the statements.

    Args:
        limits: how large the circuit may become.
        version_2: whether the header of the text says OpenQASM 2.
    """

    handlers: ClassVar[dict[str, Callable[..., None]]] = {}

    def __init__(self, limits: Limits, *, version_2: bool = False) -> None:
        self.out = Emitter(limits)
        self.values = Decider(
            self.call_for_value,
            self.physical_qubit,
            self.out.clbits_without_value.__contains__,
            self.out.spend,
            real_division=version_2,
        )
        self.globals = self.values.scope
        self.gates: dict[str, GateDefinition] = {}
        self.subroutines: dict[str, ast.SubroutineDefinition] = {}
        self.collecting: list[Step] | None = None
        self.physical = False

    def call_for_value(self, node: ast.FunctionCall) -> Value:
        """Inline a subroutine inside an expression and return its value; subclasses implement this."""
        raise NotImplementedError

    def execute(self, statements: Iterable[ast.Statement]) -> None:
        """Carry out statements in the current scope.

        Raises:
            UnsupportedError: a statement cannot be flattened; the message names its line.
            CircuitInvalidError: a statement breaks a rule; ``line`` is its line.
            LimitError: the circuit would become too large.
        """
        for statement in statements:
            self.out.spend(1)
            name = type(statement).__name__
            handler = self.handlers.get(name)
            if handler is None:
                raise refuse(statement, _SPELLING.get(name, name), "a flat circuit cannot express it")
            try:
                handler(self, statement)
            except CircuitInvalidError as exc:
                if exc.line is not None:
                    raise
                raise invalid(statement, exc.rule or "statement", exc.message) from exc
            except UnsupportedError as exc:
                if exc.line is not None:
                    raise
                line = line_of(statement)
                raise UnsupportedError(f"line {line}: {exc.message}", feature=exc.feature, line=line) from exc

    def block(self, statements: Iterable[ast.Statement], scope: Scope | None = None) -> None:
        """Carry out statements in a scope of their own."""
        with self.values.inside(Scope(self.values.scope) if scope is None else scope):
            self.execute(statements)

    def physical_qubit(self, node: ast.Identifier) -> int:
        """Return the index of a physical qubit, adding qubits to the circuit if it has too few."""
        if self.out.num_qubits and not self.physical:
            raise refuse(node, "physical qubit", "a program names either physical or declared qubits")
        self.physical = True
        index = self.out.limits.qubits
        with suppress(ValueError):  # more digits than int() takes
            index = int(node.name[1:])
        if index >= self.out.num_qubits:
            self.out.new_qubits(index + 1 - self.out.num_qubits)
        return index


_SPELLING = {
    "CalibrationDefinition": "defcal",
    "CalibrationGrammarDeclaration": "defcalgrammar",
    "CalibrationStatement": "cal",
    "DelayInstruction": "delay",
    "ExternDeclaration": "extern",
    "Pragma": "pragma",
}
