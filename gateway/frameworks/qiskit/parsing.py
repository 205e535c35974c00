"""Qiskit (https://www.ibm.com/quantum/qiskit) 2 -> the shared circuit, checked against 2.6.2.

Qiskit is little-endian, as we are. Qubits and clbits are numbered in the order of
``QuantumCircuit.qubits`` and ``.clbits``, whatever registers they are in. A gate that is not in the
table counts as its ``definition``, as it does on every backend of Qiskit's; that of a
``PauliEvolutionGate`` is what its ``synthesis`` makes of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import qiskit
from qiskit.circuit import (
    AnnotatedOperation,
    Barrier,
    BoxOp,
    ControlFlowOp,
    ControlledGate,
    ControlModifier,
    ForLoopOp,
    Gate,
    IfElseOp,
    Instruction,
    InverseModifier,
    Measure,
    PowerModifier,
    QuantumCircuit,
    Reset,
    SwitchCaseOp,
)
from qiskit.circuit.controlflow import CASE_DEFAULT
from qiskit.transpiler.passes import HighLevelSynthesis

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.emitter import Emitter
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, inverse, power, repetitions
from gateway.errors import CircuitInvalidError, RequestError, UnsupportedError
from gateway.frameworks.qiskit.expressions import ClbitFinder, decide, decide_cases
from gateway.frameworks.qiskit.gates import GATES
from gateway.frameworks.shared.refusals import Unreadable, refused, unbound
from gateway.frameworks.shared.synthesis import steps_of_unitary

_OTHER_NAMES = {"mcx": "c3x", "c3sx": "c3sqrtx", "rcccx": "rc3x", "global_phase": "gphase"}
_ROWS: Mapping[str, str] = {name: name for name in GATES} | _OTHER_NAMES
"""Qiskit's name of a standard gate -> row. Its ``mcx`` that counts as standard has three controls."""


def parse(circuit: object) -> Circuit:
    """Return the shared circuit of a ``QuantumCircuit``.

    Raises:
        RequestError: the object is not a ``QuantumCircuit``.
        CircuitInvalidError: parameters are unbound.
        UnsupportedError: Qiskit is older than 2, or the circuit has a loop that depends on outcomes, a classical
            variable, a delay, noise or an instruction without definition.
        LimitError: the circuit is larger than circuits may be.
    """
    if not isinstance(circuit, QuantumCircuit):
        raise RequestError(f"a circuit of Qiskit is a QuantumCircuit, not a {type(circuit).__name__}", field="circuits")
    if qiskit.__version__.startswith(("0.", "1.")):
        raise UnsupportedError(
            f"Qiskit {qiskit.__version__} has conditions (c_if) that are read nowhere else: pip install 'qiskit>=2'",
            feature="qiskit below 2",
        )
    if circuit.num_parameters:
        raise unbound(parameter.name for parameter in circuit.parameters)
    reader = _Reader()
    reader.read(circuit)
    return Circuit(*reader.out.parts())


class _Reader:
    """Carries out instructions of Qiskit on an emitter."""

    def __init__(self) -> None:
        self.out = Emitter(DEFAULT_LIMITS)
        self._index = 0

    def read(self, circuit: Any, *, inside: int | None = None) -> None:  # noqa: ANN401 - a QuantumCircuit
        """Carry out a whole circuit on qubits and clbits of its own.

        Args:
            circuit: the circuit to carry out.
            inside: the index of the operation that it is a part of, for error messages.
        """
        self._index = inside or 0
        qubits, clbits = self.out.new_qubits(circuit.num_qubits), self.out.new_clbits(circuit.num_clbits)
        self._walk(circuit, qubits, clbits, top=inside is None)

    def _walk(self, circuit: Any, qubits: Sequence[int], clbits: Sequence[int], *, top: bool = False) -> None:  # noqa: ANN401
        """Carry out a circuit on these qubits and clbits, which are in the order of its own."""
        places = dict(zip(circuit.qubits, qubits, strict=True))
        bits = dict(zip(circuit.clbits, clbits, strict=True))
        gate, rows = self.out.gate, _ROWS
        if circuit.global_phase:
            gate(("gphase", (), (float(circuit.global_phase),)))
        for index, instruction in enumerate(circuit.data):
            if top:
                self._index = index
            where = tuple([places[qubit] for qubit in instruction.qubits])
            row = rows.get(instruction.name) if instruction.is_standard_gate() else None
            if row is not None:
                gate((row, where, self._numbers(instruction.params)))
            else:
                self._carry_out(instruction.operation, where, [bits[bit] for bit in instruction.clbits], circuit, bits)

    def _numbers(self, params: Iterable[Any]) -> tuple[float, ...]:
        try:
            return tuple(map(float, params))
        except TypeError as exc:
            raise CircuitInvalidError(
                f"operation {self._index}: a parameter is not a real number: {exc}",
                rule="parameter",
                operation=self._index,
            ) from exc

    def _carry_out(
        self,
        operation: Any,  # noqa: ANN401 - qiskit.circuit.Operation
        qubits: tuple[int, ...],
        clbits: Sequence[int],
        circuit: Any,  # noqa: ANN401 - the QuantumCircuit with the operation
        bits: Mapping[Any, int],
    ) -> None:
        """Carry out an operation that is not a standard gate."""
        if isinstance(operation, ControlFlowOp):
            self._control_flow(operation, qubits, clbits, ClbitFinder(circuit, bits))
        elif isinstance(operation, Measure):
            self.out.measure(qubits[0], clbits[0])
        elif isinstance(operation, Reset):
            self.out.reset(qubits[0])
        elif isinstance(operation, Barrier):
            self.out.barrier(qubits)
        else:
            self._by_definition(operation, qubits, clbits)

    # ------------------------------------------------------------------ gates and instructions with a definition

    def _by_definition(self, operation: Any, qubits: tuple[int, ...], clbits: Sequence[int]) -> None:  # noqa: ANN401
        if isinstance(operation, (Gate, AnnotatedOperation)):
            steps = self._modified_steps(operation, qubits)
            if steps is not None:
                for step in steps:
                    self.out.gate(step)
                return
        definition = _definition(operation)
        if definition is None:
            raise refused(self._index, operation.name, "it has no definition")
        self._walk(definition, qubits, clbits)

    def _modified_steps(self, gate: Any, qubits: tuple[int, ...]) -> list[Step] | None:  # noqa: ANN401
        """Return the steps of a gate that another gate or a matrix defines; ``None`` if its definition is better."""
        if isinstance(gate, AnnotatedOperation):
            return self._annotated_steps(gate, qubits)
        if isinstance(gate, ControlledGate) and gate.num_qubits == gate.num_ctrl_qubits + gate.base_gate.num_qubits:
            inner = self._steps(gate.base_gate, qubits[gate.num_ctrl_qubits :])
            return control(inner, *_controls(gate, qubits))
        if hasattr(gate, "__array__") and (len(qubits) == 1 or gate.definition is None):
            return self._from_matrix(gate, qubits)
        return None

    def _from_matrix(self, gate: Any, qubits: tuple[int, ...]) -> list[Step]:  # noqa: ANN401
        try:
            return steps_of_unitary(gate.to_matrix(), qubits)
        except ValueError as exc:
            raise refused(self._index, gate.name, str(exc)) from exc

    def _annotated_steps(self, operation: Any, qubits: tuple[int, ...]) -> list[Step]:  # noqa: ANN401
        """Return the steps of a gate under modifiers, which apply in order."""
        begin = operation.num_qubits - operation.base_op.num_qubits
        steps = self._steps(operation.base_op, qubits[begin:])
        for modifier in operation.modifiers:
            if isinstance(modifier, ControlModifier):
                begin -= modifier.num_ctrl_qubits
                steps = control(steps, *_controls(modifier, qubits[begin:]))
            elif isinstance(modifier, InverseModifier):
                steps = inverse(steps)
            elif isinstance(modifier, PowerModifier):
                self.out.check_operations(repetitions(steps, modifier.power))
                steps = power(steps, modifier.power)
            else:
                raise refused(self._index, type(modifier).__name__, "this modifier is not known")
        return steps

    def _steps(self, gate: Any, qubits: tuple[int, ...]) -> list[Step]:  # noqa: ANN401
        """Return a gate as steps that modifiers can act on."""
        inner = _Reader()
        inner.read(_alone(gate), inside=self._index)
        operations = inner.out.operations
        return [(op.name, tuple([qubits[place] for place in op.qubits]), op.params) for op in operations]

    # ------------------------------------------------------------------ control flow

    def _control_flow(
        self,
        operation: Any,  # noqa: ANN401
        qubits: Sequence[int],
        clbits: Sequence[int],
        finder: ClbitFinder,
    ) -> None:
        body = partial(self._walk, qubits=qubits, clbits=clbits)
        try:
            if isinstance(operation, IfElseOp):
                self._if(operation, body, finder)
            elif isinstance(operation, SwitchCaseOp):
                self._switch(operation, body, finder)
            elif isinstance(operation, ForLoopOp):
                self._for(operation, body)
            elif isinstance(operation, BoxOp) and operation.duration is None:
                body(operation.blocks[0])
            else:
                raise refused(self._index, operation.name, "a flat circuit has nothing like it")
        except Unreadable as exc:
            raise refused(self._index, operation.name, str(exc)) from exc

    def _if(self, operation: Any, body: Callable[..., None], finder: ClbitFinder) -> None:  # noqa: ANN401
        then, *otherwise = operation.blocks
        decision = decide(operation.condition, finder)
        branches = [(decision.then, partial(body, then))]
        if otherwise:
            if decision.otherwise is None:
                raise Unreadable("the condition depends on too many clbits to say its opposite")
            branches.append((decision.otherwise, partial(body, otherwise[0])))
        self.out.choose(branches)

    def _switch(self, operation: Any, body: Callable[..., None], finder: ClbitFinder) -> None:  # noqa: ANN401
        cases = list(operation.cases_specifier())
        labels = [None if CASE_DEFAULT in values else list(values) for values, _ in cases]
        conditions = decide_cases(operation.target, labels, finder)
        self.out.choose([(when, partial(body, block)) for when, (_, block) in zip(conditions, cases, strict=True)])

    def _for(self, operation: Any, body: Callable[..., None]) -> None:  # noqa: ANN401
        values, parameter, block = operation.params
        for value in values:
            self.out.spend(1)
            bound = parameter is not None and parameter in block.parameters
            body(block.assign_parameters({parameter: value}) if bound else block)


def _alone(operation: Any) -> Any:  # noqa: ANN401
    """Return a circuit of one operation without clbits."""
    circuit = QuantumCircuit(operation.num_qubits)
    circuit.append(operation, range(operation.num_qubits))
    return circuit


def _definition(operation: Any) -> Any:  # noqa: ANN401
    """Return the definition of an operation, or ``None``; the transpiler makes that of permutations, for example."""
    definition = getattr(operation, "definition", None)
    if definition is not None or (isinstance(operation, Instruction) and not isinstance(operation, Gate)):
        return definition
    synthesized = HighLevelSynthesis()(_alone(operation))
    return None if [instruction.name for instruction in synthesized.data] == [operation.name] else synthesized


def _controls(gate: Any, qubits: Sequence[int]) -> tuple[list[int], list[int]]:  # noqa: ANN401
    """Return the controls, and those that have to be 0; bit ``k`` of ``ctrl_state`` belongs to control ``k``."""
    controls = list(qubits[: gate.num_ctrl_qubits])
    return controls, [qubit for place, qubit in enumerate(controls) if not gate.ctrl_state >> place & 1]
