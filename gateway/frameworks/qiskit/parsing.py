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
from gateway.frameworks.qiskit.expressions import Tested, decide, decide_cases
from gateway.frameworks.qiskit.gates import GATES
from gateway.frameworks.shared.refusals import Unreadable, refused, unbound
from gateway.frameworks.shared.synthesis import steps_of_unitary

_RENAMED = {"mcx": "c3x", "c3sx": "c3sqrtx", "rcccx": "rc3x", "global_phase": "gphase"}
_ROWS: Mapping[str, str] = {name: name for name in GATES} | _RENAMED
"""Qiskit's name of a standard gate -> row. Its ``mcx`` that counts as standard has three controls."""


def parse(circuit: object) -> Circuit:
    """Return the shared circuit of a ``QuantumCircuit``.

    Raises:
        RequestError: not a ``QuantumCircuit``.
        CircuitInvalidError: parameters are unbound.
        UnsupportedError: Qiskit is older than 2; loops that depend on outcomes, classical variables, delays, noise and
            instructions without definition, named.
        LimitError: larger than circuits may be.
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
        """Carry out a whole circuit on bits of its own.

        Args:
            circuit: to carry out.
            inside: index of the operation it is a part of, for error messages.
        """
        self._index = inside or 0
        qubits, clbits = self.out.new_qubits(circuit.num_qubits), self.out.new_clbits(circuit.num_clbits)
        self._walk(circuit, qubits, clbits, top=inside is None)

    def _walk(self, circuit: Any, qubits: Sequence[int], clbits: Sequence[int], *, top: bool = False) -> None:  # noqa: ANN401
        """Carry out a circuit whose bits, in its order, are these."""
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
        circuit: Any,  # noqa: ANN401 - the QuantumCircuit it stands in
        bits: Mapping[Any, int],
    ) -> None:
        """Carry out what is not a standard gate."""
        if isinstance(operation, ControlFlowOp):
            self._control_flow(operation, qubits, clbits, Tested(circuit, bits))
        elif isinstance(operation, Measure):
            self.out.measure(qubits[0], clbits[0])
        elif isinstance(operation, Reset):
            self.out.reset(qubits[0])
        elif isinstance(operation, Barrier):
            self.out.barrier(qubits)
        else:
            self._defined(operation, qubits, clbits)

    # ------------------------------------------------------------------ gates and instructions with a definition

    def _defined(self, operation: Any, qubits: tuple[int, ...], clbits: Sequence[int]) -> None:  # noqa: ANN401
        if isinstance(operation, (Gate, AnnotatedOperation)):
            steps = self._modified(operation, qubits)
            if steps is not None:
                for step in steps:
                    self.out.gate(step)
                return
        definition = _definition(operation)
        if definition is None:
            raise refused(self._index, operation.name, "it has no definition to go by")
        self._walk(definition, qubits, clbits)

    def _modified(self, gate: Any, qubits: tuple[int, ...]) -> list[Step] | None:  # noqa: ANN401
        """Return the steps of a gate given by another gate or by a matrix; ``None`` if its definition is better."""
        if isinstance(gate, AnnotatedOperation):
            return self._annotated(gate, qubits)
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

    def _annotated(self, operation: Any, qubits: tuple[int, ...]) -> list[Step]:  # noqa: ANN401
        """Return the steps of a gate under modifiers, the first of which is applied first."""
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
        """Return a gate as steps, to modify them."""
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
        tested: Tested,
    ) -> None:
        body = partial(self._walk, qubits=qubits, clbits=clbits)
        try:
            if isinstance(operation, IfElseOp):
                self._if(operation, body, tested)
            elif isinstance(operation, SwitchCaseOp):
                self._switch(operation, body, tested)
            elif isinstance(operation, ForLoopOp):
                self._for(operation, body)
            elif isinstance(operation, BoxOp) and operation.duration is None:
                body(operation.blocks[0])
            else:
                raise refused(self._index, operation.name, "a flat circuit has nothing like it")
        except Unreadable as exc:
            raise refused(self._index, operation.name, str(exc)) from exc

    def _if(self, operation: Any, body: Callable[..., None], tested: Tested) -> None:  # noqa: ANN401
        then, *otherwise = operation.blocks
        decision = decide(operation.condition, tested)
        branches = [(decision.then, partial(body, then))]
        if otherwise:
            if decision.otherwise is None:
                raise Unreadable("the condition depends on too many clbits to say its opposite")
            branches.append((decision.otherwise, partial(body, otherwise[0])))
        self.out.choose(branches)

    def _switch(self, operation: Any, body: Callable[..., None], tested: Tested) -> None:  # noqa: ANN401
        cases = list(operation.cases_specifier())
        labels = [None if CASE_DEFAULT in values else list(values) for values, _ in cases]
        conditions = decide_cases(operation.target, labels, tested)
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
    """Return what an operation stands for, or ``None``; permutations, say, leave that to the transpiler."""
    definition = getattr(operation, "definition", None)
    if definition is not None or (isinstance(operation, Instruction) and not isinstance(operation, Gate)):
        return definition
    synthesized = HighLevelSynthesis()(_alone(operation))
    return None if [instruction.name for instruction in synthesized.data] == [operation.name] else synthesized


def _controls(gate: Any, qubits: Sequence[int]) -> tuple[list[int], list[int]]:  # noqa: ANN401
    """Return the controls, and those of them that have to be 0; bit ``k`` of the state is of control ``k``."""
    controls = list(qubits[: gate.num_ctrl_qubits])
    return controls, [qubit for place, qubit in enumerate(controls) if not gate.ctrl_state >> place & 1]
