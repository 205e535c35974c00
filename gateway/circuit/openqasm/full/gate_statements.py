"""Carries out statements on qubits: gates with their definitions and modifiers, measurements, resets, barriers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from gateway.circuit import modifiers
from gateway.circuit.gates import MANY_CONTROLLED, Step, find
from gateway.circuit.openqasm.expressions import CONSTANTS
from gateway.circuit.openqasm.full.scopes import (
    Clbits,
    GateDefinition,
    Kind,
    Qubits,
    Scope,
    Variable,
    invalid,
    refuse,
)
from gateway.circuit.openqasm.full.unroller import Unroller

if TYPE_CHECKING:
    from openqasm3 import ast

_CHEAP_CONTROLS = 5
_STEPS_OF_A_ROOT = 3


class _Modifier(NamedTuple):
    """``ctrl``, ``negctrl``, ``inv`` or ``pow`` with its number of controls and its exponent."""

    name: str
    controls: int = 0
    exponent: float = 0.0


class GateStatements(Unroller):
    """The statements on qubits."""

    visible: int | None = None
    """Inside a gate definition: the order from which on definitions are not visible yet."""

    # ------------------------------------------------------------------ gates

    def define_gate(self, node: ast.QuantumGateDefinition) -> None:
        """Remember a definition; it takes precedence over the table from here on."""
        name = node.name.name
        if name in self.gates:
            raise invalid(node, "duplicate name", f"the gate {name!r} is already defined")
        names = [identifier.name for identifier in (*node.arguments, *node.qubits)]
        if len(set(names)) < len(names):
            raise invalid(node, "duplicate name", f"the gate {name!r} names a parameter or qubit twice")
        for statement in node.body:
            if type(statement).__name__ == "QuantumGate":
                self._check_call(node, statement)
        self.gates[name] = GateDefinition(node, len(self.gates))

    def _check_call(self, definition: ast.QuantumGateDefinition, call: ast.QuantumGate) -> None:
        """Check a call inside a definition, even if nobody ever calls the definition.

        Raises:
            CircuitInvalidError: there is no such gate, or a qubit is unknown or named twice.
        """
        name = call.name.name
        if name not in self.gates and find(name) is None and name not in MANY_CONTROLLED:
            raise invalid(call, "gate name", f"there is no gate named {name!r}")
        formal_qubits = {qubit.name for qubit in definition.qubits}
        operands = [operand.name for operand in call.qubits if type(operand).__name__ == "Identifier"]
        unknown = next((operand for operand in operands if operand not in formal_qubits), None)
        if unknown is not None:
            raise invalid(call, "register", f"the gate {definition.name.name!r} has no qubit {unknown!r}")
        if len(set(operands)) < len(operands):
            raise invalid(call, "distinct qubits", f"{name} names a qubit twice")
        self._check_numbers(definition, call, name)

    def _check_numbers(self, definition: ast.QuantumGateDefinition, call: ast.QuantumGate, name: str) -> None:
        """Check the number of parameters of a call inside a definition, and of its qubits if it has no modifiers."""
        inner = self.gates.get(name)
        gate = find(name, len(call.arguments))
        if inner is None and gate is None:  # it has any number of controls, which a call decides
            return
        num_params = len(inner.node.arguments) if inner is not None else gate.num_params if gate else 0
        num_qubits = len(inner.node.qubits) if inner is not None else gate.num_qubits if gate else 0
        if len(call.arguments) != num_params:
            what = f"{name} takes {num_params} parameter{'' if num_params == 1 else 's'}, not {len(call.arguments)}"
            raise invalid(call, "number of parameters", what)
        if not call.modifiers and len(call.qubits) != num_qubits:
            what = f"{name} acts on {num_qubits} qubit{'' if num_qubits == 1 else 's'}, not {len(call.qubits)}"
            raise invalid(call, "number of qubits", what)
        parameters = {parameter.name for parameter in definition.arguments}
        for argument in call.arguments:
            if type(argument).__name__ == "Identifier" and not self._names_value(argument.name, parameters):
                raise invalid(argument, "name", f"an expression uses the name {argument.name!r}, which is not defined")

    def _names_value(self, name: str, parameters: set[str]) -> bool:
        symbol = self.globals.find(name)
        return name in parameters or name in CONSTANTS or (isinstance(symbol, Variable) and symbol.constant)

    def call_gate(self, node: ast.QuantumGate) -> None:
        """Apply a gate once, or once for each element of registers."""
        if node.duration is not None:
            raise refuse(node, "gate duration", "a flat circuit has no time")
        name = node.name.name
        params = tuple([self.values.number(argument) for argument in node.arguments])
        definition = self._definition(name)
        if definition is not None:
            num_params = len(definition.node.arguments)
            if len(params) != num_params:
                what = f"{name} takes {num_params} parameter{'' if num_params == 1 else 's'}, not {len(params)}"
                raise invalid(node, "number of parameters", what)
            gate_definition = definition
            self._apply(
                node,
                name,
                len(gate_definition.node.qubits),
                lambda qubits: self._inline_gate(gate_definition, params, qubits),
            )
            return
        gate = find(name, len(params))
        if gate is None and name in MANY_CONTROLLED:
            num_qubits = len(node.qubits) - sum(self._modifier(modifier).controls for modifier in node.modifiers)
            if num_qubits > _CHEAP_CONTROLS:
                self.out.check_operations(num_qubits**2)
            self._apply(node, name, num_qubits, lambda qubits: modifiers.many_controlled(name, qubits, params))
            return
        if gate is None:
            raise invalid(node, "gate name", f"there is no gate named {name!r}")
        gate.check(gate.num_qubits, len(params))
        self._apply(node, name, gate.num_qubits, lambda qubits: [(gate.name, qubits, params)])

    def call_phase(self, node: ast.QuantumPhase) -> None:
        """Apply a global phase, or a phase under the control of qubits."""
        gamma = self.values.number(node.argument)
        self._apply(node, "gphase", 0, lambda _: [("gphase", (), (gamma,))])

    def _definition(self, name: str) -> GateDefinition | None:
        definition = self.gates.get(name)
        if definition is None or (self.visible is not None and definition.order >= self.visible):
            return None
        return definition

    def _inline_gate(self, definition: GateDefinition, params: Sequence[float], qubits: Sequence[int]) -> list[Step]:
        """Return a call of a defined gate as steps."""
        node = definition.node
        scope = Scope(self.globals, only_constants=True)
        for identifier, value in zip(node.arguments, params, strict=True):
            scope.declare(identifier.name, Variable(Kind("float"), value, constant=True))
        for identifier, qubit in zip(node.qubits, qubits, strict=True):
            scope.declare(identifier.name, Qubits((qubit,), single=True))
        outer = self.collecting, self.visible
        steps: list[Step] = []
        self.collecting, self.visible = steps, definition.order
        try:
            self.block(node.body, scope)
        finally:
            self.collecting, self.visible = outer
        return steps

    def _apply(
        self,
        node: ast.QuantumGate | ast.QuantumPhase,
        name: str,
        num_qubits: int,
        expand: Callable[[tuple[int, ...]], list[Step]],
    ) -> None:
        """Apply what ``expand`` returns for the qubits, after applying the modifiers of the call to it."""
        chain_ = [self._modifier(modifier) for modifier in node.modifiers]
        controls = sum(modifier.controls for modifier in chain_)
        expected = num_qubits + controls
        if len(node.qubits) != expected:
            what = f"{name} acts on {expected} qubit{'' if expected == 1 else 's'}, not {len(node.qubits)}"
            raise invalid(node, "number of qubits", what)
        operands = [self.values.qubits(operand) for operand in node.qubits]
        for row in self._rows(node, name, operands):
            steps = expand(row[controls:])
            free = row[:controls]
            for modifier in reversed(chain_):
                first = len(free) - modifier.controls
                steps, free = self._modify(steps, modifier, free[first:]), free[:first]
            self._deliver(steps)

    def _rows(self, node: ast.QASMNode, name: str, operands: Sequence[Qubits]) -> Iterator[tuple[int, ...]]:
        """Yield the qubits of each single application; registers advance together."""
        sizes = {len(operand.indices) for operand in operands if not operand.single}
        if len(sizes) > 1:
            raise invalid(node, "register sizes", f"{name} is given registers of different sizes: {sorted(sizes)}")
        for place in range(sizes.pop() if sizes else 1):
            row = tuple([operand.indices[0 if operand.single else place] for operand in operands])
            if len(set(row)) < len(row):
                twice = next(qubit for qubit in row if row.count(qubit) > 1)
                raise invalid(node, "distinct qubits", f"{name} names qubit {twice} twice")
            yield row

    def _deliver(self, steps: list[Step]) -> None:
        if self.collecting is not None:
            self.out.spend(len(steps))
            self.out.check_operations(len(self.collecting) + len(steps))
            self.collecting.extend(steps)
            return
        for step in steps:
            self.out.gate(step)

    # ------------------------------------------------------------------ modifiers

    def _modifier(self, node: ast.QuantumGateModifier) -> _Modifier:
        name = node.modifier.name
        if name == "inv":
            return _Modifier(name)
        if name == "pow":
            exponent = self.values.exponent(node.argument)
            return _Modifier(name, exponent=exponent)
        controls = 1 if node.argument is None else self.values.integer(node.argument)
        if controls < 1:
            raise invalid(node, "number of controls", f"{name}({controls}) needs at least one control")
        return _Modifier(name, controls)

    def _modify(self, steps: list[Step], modifier: _Modifier, controls: Sequence[int]) -> list[Step]:
        self.out.spend(1 + len(steps))
        if modifier.name == "inv":
            return modifiers.inverse(steps)
        if modifier.name == "pow":
            self.out.spend(_STEPS_OF_A_ROOT * (not modifier.exponent.is_integer()))
            self.out.check_operations(modifiers.repetitions(steps, modifier.exponent))
            return modifiers.power(steps, modifier.exponent)
        if len(controls) > _CHEAP_CONTROLS:
            self.out.check_operations(len(controls) ** 2 * len(steps))
        steps = modifiers.control(steps, controls, controls if modifier.name == "negctrl" else ())
        self.out.spend(len(steps))
        return steps

    # ------------------------------------------------------------------ other statements

    def barrier(self, node: ast.QuantumBarrier) -> None:
        """Put a barrier on the named qubits, or on all."""
        indices = tuple(chain.from_iterable(self.values.qubits(operand).indices for operand in node.qubits))
        if len(set(indices)) < len(indices):
            raise invalid(node, "distinct qubits", "barrier names a qubit twice")
        if self.collecting is not None:
            self._deliver([("barrier", indices, ())] if indices else [])
        else:
            self.out.barrier(indices if node.qubits else tuple(range(self.out.num_qubits)))

    def reset(self, node: ast.QuantumReset) -> None:
        """Reset each named qubit."""
        for qubit in self.values.qubits(node.qubits).indices:
            self.out.reset(qubit)

    def measure(self, node: ast.QuantumMeasurementStatement) -> None:
        """Measure into clbits."""
        if node.target is None:
            raise refuse(node, "measure without a target", "its outcome needs a clbit, as in c = measure q")
        target = self.values.reference(node.target)
        if not isinstance(target, Clbits):
            raise refuse(node, "measure into a variable", "only bits declared without a value hold outcomes")
        self.measure_into(node.measure, target)

    def measure_into(self, node: ast.QuantumMeasurement, target: Clbits) -> None:
        """Measure the qubits of ``measure q`` into as many clbits."""
        qubits = self.values.qubits(node.qubit).indices
        if not target.writable:
            raise refuse(node, "measure into an argument", "a bit passed by value cannot be written")
        if len(qubits) != len(target.indices):
            what = f"{len(qubits)} qubits are measured into {len(target.indices)} clbits"
            raise invalid(node, "register sizes", what)
        for qubit, clbit in zip(qubits, target.indices, strict=True):
            self.out.measure(qubit, clbit)
