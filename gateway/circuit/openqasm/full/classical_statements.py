"""Carries out declarations, assignments, aliases and subroutines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.circuit.openqasm.full.gate_statements import GateStatements
from gateway.circuit.openqasm.full.scopes import (
    Clbits,
    Kind,
    Qubits,
    Scope,
    Symbol,
    Value,
    Variable,
    Word,
    invalid,
    refuse,
)

if TYPE_CHECKING:
    from openqasm3 import ast

MAX_CALL_DEPTH = 30
INCLUDES = frozenset({"stdgates.inc", "qelib1.inc"})


class Return(Exception):  # noqa: N818 - the way out of a subroutine, not a mistake
    """A ``return``; ``value`` is ``None`` for nothing, and for bits that are already in their target."""

    def __init__(self, value: Value | None) -> None:
        super().__init__()
        self.value = value


@dataclass(slots=True)
class _Call:
    """A subroutine being inlined.

    Args:
        node: the definition of the subroutine.
        target: the clbits that its result is assigned to.
        result: the name of the local bit that it returns, which then is the target itself.
        scope: the scope of its body.
        depth: the number of statements with conditions on clbits around the call.
    """

    node: ast.SubroutineDefinition
    target: Clbits | None
    result: str | None
    scope: Scope
    depth: int


class ClassicalStatements(GateStatements):
    """The statements on classical values and on scopes."""

    def __init__(self, *args: object, **options: object) -> None:
        super().__init__(*args, **options)  # type: ignore[arg-type]
        self.calls: list[_Call] = []

    # ------------------------------------------------------------------ declarations

    def include(self, node: ast.Include) -> None:
        """Accept the standard includes, which are built in; no file is read."""
        if node.filename not in INCLUDES:
            what = f"the include {node.filename!r} is not one of {', '.join(sorted(INCLUDES))}, and no file is read"
            raise invalid(node, "include", what)

    def declare_qubits(self, node: ast.QubitDeclaration) -> None:
        """Add a qubit or a register of them."""
        if self.physical:
            raise refuse(node, "physical qubit", "a program names either physical or declared qubits")
        size = 1 if node.size is None else self.values.integer(node.size)
        if size < 1:
            raise invalid(node, "register size", f"{node.qubit.name!r} has {size} qubits; it needs at least one")
        self.declare(node, node.qubit.name, Qubits(self.out.new_qubits(size), single=node.size is None))

    def declare(self, node: ast.QASMNode, name: str, symbol: Symbol) -> None:
        """Give a name its meaning in the current scope."""
        scope = self.values.scope
        if name in scope.names:
            raise invalid(node, "duplicate name", f"{name!r} is already declared")
        scope.declare(name, symbol)

    def declare_classical(self, node: ast.ClassicalDeclaration) -> None:
        """Add bits to measure into, or a variable with a known value."""
        kind, name, initial = self.values.kind(node.type), node.identifier.name, node.init_expression
        if kind.name == "bit" and not self._is_known_value(initial):
            clbits = self._bits_for(name, kind)
            self.declare(node, name, clbits)
            self._fill(node, clbits, initial)
            return
        if type(initial).__name__ == "QuantumMeasurement":
            raise refuse(node, "measure into a variable", f"{name!r} is of type {kind}; only bits hold outcomes")
        value = None if initial is None else self.values.value_as(initial, kind)
        self.declare(node, name, Variable(kind, value, depth=self.out.depth))

    def _is_known_value(self, initial: ast.QASMNode | None) -> bool:
        """Return whether a bit has a known initial value other than 0, which makes it a variable."""
        if initial is None or type(initial).__name__ == "QuantumMeasurement" or self._calls(initial):
            return False
        value = None if self.values.clbits_in(initial) else self.values.evaluate(initial)
        return value is not None and (value.value if isinstance(value, Word) else value) != 0

    def _calls(self, node: ast.QASMNode) -> bool:
        return type(node).__name__ == "FunctionCall" and node.name.name in self.subroutines

    def _bits_for(self, name: str, kind: Kind) -> Clbits:
        """Return new clbits; for the result of a subroutine, return the clbits that it is assigned to."""
        call = self.calls[-1] if self.calls else None
        width = 1 if kind.width is None else kind.width
        if call is not None and call.scope is self.values.scope and call.result == name and call.target is not None:
            indices = call.target.indices
            if len(indices) == width:
                self.out.forget(indices)
                return Clbits(indices, single=kind.width is None)
        return Clbits(self.out.new_clbits(width), single=kind.width is None)

    def _fill(self, node: ast.QASMNode, clbits: Clbits, initial: ast.QASMNode | None) -> None:
        """Assign the initial value to new clbits."""
        if initial is None:
            return
        if type(initial).__name__ == "QuantumMeasurement":
            self.measure_into(initial, clbits)
        elif self._calls(initial):
            self._call_into(node, initial, clbits)
        elif self.values.clbits_in(initial):
            raise refuse(node, "assignment of bits", "measured bits cannot be copied or computed with")
        else:
            self.values.value_as(initial, Kind("bit", None if clbits.single else len(clbits.indices)))

    def declare_constant(self, node: ast.ConstantDeclaration) -> None:
        """Add a constant."""
        kind = self.values.kind(node.type)
        value = self.values.value_as(node.init_expression, kind)
        self.declare(node, node.identifier.name, Variable(kind, value, constant=True))

    def declare_io(self, node: ast.IODeclaration) -> None:
        """Refuse an input, which has no value, and treat an output as an ordinary declaration."""
        name = node.identifier.name
        if node.io_identifier.name == "input":
            raise refuse(node, f"input {name}", "a parameter without a value")
        kind = self.values.kind(node.type)
        symbol = self._bits_for(name, kind) if kind.name == "bit" else Variable(kind, None)
        self.declare(node, name, symbol)

    def alias(self, node: ast.AliasStatement) -> None:
        """Give a part of registers a name."""
        part = self.values.reference(node.value)
        if not isinstance(part, (Qubits, Clbits)):
            raise invalid(node, "type", "an alias is a part of registers")
        if len(set(part.indices)) < len(part.indices):
            raise invalid(node, "distinct qubits", f"the alias {node.target.name!r} holds the same element twice")
        self.declare(node, node.target.name, part)

    # ------------------------------------------------------------------ assignments

    def assign(self, node: ast.ClassicalAssignment) -> None:
        """Assign to a variable, or the result of a subroutine to clbits."""
        target = node.lvalue
        is_indexed = type(target).__name__ == "IndexedIdentifier"
        name = target.name.name if is_indexed else target.name
        symbol = self.values.scope.find(name)
        if isinstance(symbol, Clbits):
            self._assign_clbits(node)
            return
        if not isinstance(symbol, Variable):
            raise invalid(node, "assignment", f"{name!r} is not a classical variable")
        if symbol.constant:
            raise invalid(node, "assignment", f"{name!r} is constant")
        if symbol.depth < self.out.depth:
            raise refuse(node, "assignment", f"{name!r} would depend on a measurement")
        symbol.value = self._value_after_part(node, symbol) if is_indexed else self._value_after(node, symbol)

    def _assign_clbits(self, node: ast.ClassicalAssignment) -> None:
        if node.op.name == "=" and self._calls(node.rvalue):
            target = self.values.reference(node.lvalue)
            if isinstance(target, Clbits):
                self._call_into(node, node.rvalue, target)
                return
        raise refuse(node, "assignment of bits", "bits that hold outcomes change only when measured into")

    def _value_after(self, node: ast.ClassicalAssignment, variable: Variable) -> Value:
        if node.op.name == "=":
            return self.values.value_as(node.rvalue, variable.kind)
        old = self.values.evaluate(node.lvalue)
        return self.values.compound(node, node.op.name[:-1], old, variable.kind)

    def _value_after_part(self, node: ast.ClassicalAssignment, variable: Variable) -> Value:
        """Return the value of a variable after an assignment to some of its bits."""
        target, word = node.lvalue, variable.value
        if node.op.name != "=" or len(target.indices) != 1 or not isinstance(word, Word):
            raise refuse(node, "assignment", "parts can be assigned with = to bits that have a value")
        places, single = self.values.places(node, target.indices[0], word.width)
        part = self.values.value_as(node.rvalue, Kind("bit", None if single else len(places)))
        bits = part.value if isinstance(part, Word) else int(part)
        value = word.value
        for k, place in enumerate(places):
            value = value & ~(1 << place) | (bits >> k & 1) << place
        return Word(value, word.width)

    def expression(self, node: ast.ExpressionStatement) -> None:
        """Call a subroutine for its effect."""
        if self._calls(node.expression):
            self.inline(node.expression, None)
        else:
            self.values.evaluate(node.expression)

    # ------------------------------------------------------------------ subroutines

    def define_subroutine(self, node: ast.SubroutineDefinition) -> None:
        """Remember a subroutine."""
        name = node.name.name
        if name in self.subroutines:
            raise invalid(node, "duplicate name", f"the subroutine {name!r} is already defined")
        self.subroutines[name] = node
        self.values.subroutines.add(name)

    def call_for_value(self, node: ast.FunctionCall) -> Value:
        """Inline a subroutine inside an expression and return its value.

        Raises:
            CircuitInvalidError: the subroutine returns nothing.
            UnsupportedError: it acts on qubits, and an expression may be evaluated more than once.
        """
        before = len(self.out.operations), self.collecting
        self.collecting = []
        try:
            value = self.inline(node, None)
            acts_on_qubits = bool(self.collecting)
        finally:
            self.collecting = before[1]
        if acts_on_qubits or len(self.out.operations) > before[0]:
            raise refuse(node, "subroutine call", "it acts on qubits, so it has to be a statement of its own")
        if value is None:
            raise invalid(node, "type", f"{node.name.name} returns nothing")
        return value

    def _call_into(self, node: ast.QASMNode, call: ast.FunctionCall, target: Clbits) -> None:
        if self.inline(call, target) is not None:
            why = "bits that hold outcomes change only when measured into"
            raise refuse(node, "assignment of bits", why)
        if any(clbit in self.out.clbits_without_value for clbit in target.indices):
            raise refuse(node, "return", f"{call.name.name} may return a bit it assigned nothing to")

    def inline(self, node: ast.FunctionCall, target: Clbits | None) -> Value | None:
        """Carry out the body of a subroutine.

        Args:
            node: the call.
            target: the clbits that the result is assigned to, if it is.

        Returns:
            The value that it returns, if that is known; else ``None``.
        """
        definition = self.subroutines[node.name.name]
        if len(self.calls) >= MAX_CALL_DEPTH:
            raise invalid(node, "recursion", f"calls of {node.name.name} are nested deeper than {MAX_CALL_DEPTH}")
        if len(node.arguments) != len(definition.arguments):
            what = f"{node.name.name} takes {len(definition.arguments)} arguments, not {len(node.arguments)}"
            raise invalid(node, "number of arguments", what)
        scope = Scope(self.globals, only_constants=True)
        for formal, actual in zip(definition.arguments, node.arguments, strict=True):
            scope.declare(formal.name.name, self._argument(formal, actual))
        result = None if target is None or _reads(scope, target) else _name_of_result(definition)
        self.calls.append(_Call(definition, target, result, scope, self.out.depth))
        try:
            self.block(definition.body, scope)
        except Return as signal:
            return signal.value
        finally:
            self.calls.pop()
        return None

    def _argument(self, formal: ast.QuantumArgument | ast.ClassicalArgument, actual: ast.Expression) -> Symbol:
        """Return the meaning of a formal argument: qubits are passed by reference, values by value."""
        name = formal.name.name
        if type(formal).__name__ == "QuantumArgument":
            qubits = self.values.qubits(actual)
            size = 1 if formal.size is None else self.values.integer(formal.size)
            if len(qubits.indices) != size:
                what = f"the argument {name!r} takes {size} qubits, not {len(qubits.indices)}"
                raise invalid(actual, "number of qubits", what)
            return Qubits(qubits.indices, single=formal.size is None)
        kind = self.values.kind(formal.type)
        symbol = self.values.reference(actual)
        if kind.name == "bit" and isinstance(symbol, Clbits):
            if len(symbol.indices) != (1 if kind.width is None else kind.width):
                raise invalid(actual, "register sizes", f"the argument {name!r} takes a {kind}")
            return Clbits(symbol.indices, single=kind.width is None, writable=False)
        return Variable(kind, self.values.value_as(actual, kind), depth=self.out.depth)

    def leave_subroutine(self, node: ast.ReturnStatement) -> None:
        """Return from a subroutine."""
        call = self.calls[-1]
        if self.out.depth > call.depth:
            raise refuse(node, "return", "it would depend on a measurement")
        raise Return(None if node.expression is None else self._result(node, call))

    def _result(self, node: ast.ReturnStatement, call: _Call) -> Value | None:
        """Return a known value; leave measured bits in the target of the call and return ``None``."""
        expression, target = node.expression, call.target
        is_measurement = type(expression).__name__ == "QuantumMeasurement"
        symbol = None if is_measurement else self.values.reference(expression)
        if is_measurement or isinstance(symbol, Clbits):
            if target is None:
                raise refuse(node, "return", "a measured result has to be assigned to bits")
            if is_measurement:
                self.measure_into(expression, target)
            elif isinstance(symbol, Clbits) and symbol.indices != target.indices:
                raise refuse(node, "return", "measured bits cannot be copied")
            return None
        if self._calls(expression):
            return self.inline(expression, target)
        if call.node.return_type is None:
            raise invalid(node, "type", f"{call.node.name.name} is declared to return nothing")
        return self.values.value_as(expression, self.values.kind(call.node.return_type))


def _reads(scope: Scope, target: Clbits) -> bool:
    """Return whether an argument is one of the clbits that the result is assigned to."""
    arguments = [symbol.indices for symbol in scope.names.values() if isinstance(symbol, Clbits)]
    return any(clbit in target.indices for indices in arguments for clbit in indices)


def _name_of_result(node: ast.SubroutineDefinition) -> str | None:
    """Return the name in a ``return name;`` that ends a subroutine, or ``None``."""
    if not node.body or type(node.body[-1]).__name__ != "ReturnStatement":
        return None
    expression = node.body[-1].expression
    return str(expression.name) if type(expression).__name__ == "Identifier" else None
