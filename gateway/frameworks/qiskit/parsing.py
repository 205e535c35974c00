"""Qiskit (https://www.ibm.com/quantum/qiskit) 2 -> the shared circuit, checked against 2.6.2.

Qiskit is little-endian, as we are. Qubits and clbits are numbered in the order of
``QuantumCircuit.qubits`` and ``.clbits``, whatever registers they are in; clbits of a register named
``gateway_hidden``, which :func:`gateway.frameworks.qiskit.dumping.dump` adds, are hidden. A gate that is
not in the table counts as its ``definition``, as it does on every backend of Qiskit's; that of a
``PauliEvolutionGate`` is what its ``synthesis`` makes of it, and a note says so unless it is exact.

Classical variables become hidden clbits, ``break`` and ``continue`` flags in such, under which the rest of
the loop stands. Durations have no effect. A parameter keeps its name, ``theta[2]`` for an element of a
vector; :func:`gateway.frameworks.shared.parameters.names_of` says what becomes of a name that cannot stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import qiskit
from qiskit.circuit import (
    AnnotatedOperation,
    Barrier,
    BoxOp,
    BreakLoopOp,
    ContinueLoopOp,
    ControlFlowOp,
    ControlledGate,
    ControlModifier,
    Delay,
    ForLoopOp,
    Gate,
    IfElseOp,
    Instruction,
    InverseModifier,
    Measure,
    Parameter,
    ParameterExpression,
    PowerModifier,
    QuantumCircuit,
    Reset,
    Store,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.classical import expr
from qiskit.circuit.controlflow import CASE_DEFAULT
from qiskit.circuit.exceptions import CircuitError
from qiskit.circuit.library import PauliEvolutionGate
from qiskit.quantum_info import SparsePauliOp
from qiskit.synthesis import MatrixExponential, QDrift
from qiskit.transpiler.passes import HighLevelSynthesis

from gateway.circuit import Circuit, Comparison
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.conditions import both
from gateway.circuit.emitter import Decision, Emitter
from gateway.circuit.expressions import Angle, Expression, bits
from gateway.circuit.gates import GATES as TABLE
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, inverse, power, repetitions
from gateway.circuit.operations import NO_TIMING, Condition
from gateway.errors import CircuitInvalidError, RequestError, UnsupportedError
from gateway.frameworks.qiskit.expressions import (
    ClbitFinder,
    decide,
    decide_cases,
    declared_width,
    is_about_time,
    value_of,
)
from gateway.frameworks.qiskit.gates import GATES, HIDDEN
from gateway.frameworks.shared.parameters import names_of
from gateway.frameworks.shared.refusals import Unreadable, refused
from gateway.frameworks.shared.synthesis import steps_of_unitary

_OTHER_NAMES = {"mcx": "c3x", "c3sx": "c3sqrtx", "rcccx": "rc3x", "global_phase": "gphase"}
_ROWS: Mapping[str, str] = {name: name for name in GATES} | _OTHER_NAMES
"""Qiskit's name of a standard gate -> row. Its ``mcx`` that counts as standard has three controls."""


def parse(circuit: object) -> Circuit:
    """Return the shared circuit of a ``QuantumCircuit``.

    Raises:
        RequestError: the object is not a ``QuantumCircuit``.
        UnsupportedError: Qiskit is older than 2, or the circuit has an input variable, a computation with other
            values than whole numbers, noise, an instruction without definition, or an angle with a function that
            angles do not have.
        LimitError: the circuit is larger than circuits may be.
    """
    if not isinstance(circuit, QuantumCircuit):
        raise RequestError(f"a circuit of Qiskit is a QuantumCircuit, not a {type(circuit).__name__}", field="circuits")
    if qiskit.__version__.startswith(("0.", "1.")):
        raise UnsupportedError(
            f"Qiskit {qiskit.__version__} has conditions (c_if) that are read nowhere else: pip install 'qiskit>=2'",
            feature="qiskit below 2",
        )
    reader = _Reader()
    reader.read(_with_names(circuit))
    return Circuit(*reader.out.parts())


def parameter_names(circuit: Any) -> dict[Any, str]:  # noqa: ANN401 - a QuantumCircuit
    """Return the name that each ``Parameter`` of a circuit has in its shared circuit."""
    names = names_of(parameter.name for parameter in circuit.parameters)
    return {parameter: names[parameter.name] for parameter in circuit.parameters}


def _with_names(circuit: Any) -> Any:  # noqa: ANN401 - a QuantumCircuit
    """Return the circuit with names that parameters of the shared circuit can have."""
    if not circuit.num_parameters:
        return circuit
    others = {parameter: name for parameter, name in parameter_names(circuit).items() if parameter.name != name}
    if not others:
        return circuit
    return circuit.assign_parameters({parameter: Parameter(name) for parameter, name in others.items()})


@dataclass(slots=True)
class _Loop:
    """A loop with ``break`` or ``continue``, and the hidden clbits that are 1 after one of these."""

    broken: int | None = None
    skipped: int | None = None

    def goes_on(self) -> Condition:
        """Return the condition that the turn under way goes on."""
        return (Comparison(self.flags(), 0),)

    def flags(self) -> tuple[int, ...]:
        return tuple([flag for flag in (self.broken, self.skipped) if flag is not None])


@dataclass(frozen=True, slots=True)
class _Block:
    """A circuit under way, and where its bits are."""

    circuit: Any
    qubits: Mapping[Any, int]
    clbits: Mapping[Any, int]


class _Reader:
    """Carries out instructions of Qiskit on an emitter."""

    def __init__(self) -> None:
        self.out = Emitter(DEFAULT_LIMITS)
        self._index = 0
        self._variables: dict[Any, Sequence[int]] = {}
        """Classical variable -> the hidden clbits that hold it."""
        self._loop: _Loop | None = None
        self._loops = 0  # how many loops stand around that are not unrolled

    def read(self, circuit: Any, *, inside: int | None = None) -> None:  # noqa: ANN401 - a QuantumCircuit
        """Carry out a whole circuit on qubits and clbits of its own.

        Args:
            circuit: the circuit to carry out.
            inside: the index of the operation that it is a part of, for error messages.
        """
        self._index = inside or 0
        qubits = self.out.new_qubits(circuit.num_qubits)
        hidden = {bit for register in circuit.cregs if register.name == HIDDEN for bit in register}
        clbits = {bit: None for bit in circuit.clbits if bit not in hidden}
        places = dict(zip(clbits, self.out.new_clbits(len(clbits)), strict=True))
        places |= zip(hidden, self.out.new_hidden_clbits(len(hidden)), strict=True)
        self._walk(circuit, qubits, [places[bit] for bit in circuit.clbits], top=inside is None)

    def _walk(self, circuit: Any, qubits: Sequence[int], clbits: Sequence[int], *, top: bool = False) -> None:  # noqa: ANN401
        """Carry out a circuit on these qubits and clbits, which are in the order of its own."""
        places = dict(zip(circuit.qubits, qubits, strict=True))
        block = _Block(circuit, places, dict(zip(circuit.clbits, clbits, strict=True)))
        self._declare(circuit)
        if circuit.global_phase:
            self.out.gate(("gphase", (), self._numbers([circuit.global_phase])))
        if self._loop is None or not self._loop.flags() or not _jumps(circuit):
            self._run(block, circuit.data, top=top)
            return
        for number, part in enumerate(_parts(circuit.data)):
            if number:
                self.out.choose([([self._loop.goes_on()], partial(self._run, block, part))])
            else:
                self._run(block, part)

    def _run(self, block: _Block, instructions: Iterable[Any], *, top: bool = False) -> None:
        """Carry out instructions of a block, one after the other."""
        gate, rows, places = self.out.gate, _ROWS, block.qubits
        for index, instruction in enumerate(instructions):
            if top:
                self._index = index
            where = tuple([places[qubit] for qubit in instruction.qubits])
            row = rows.get(instruction.name) if instruction.is_standard_gate() else None
            if row is not None:
                gate((row, where, self._numbers(instruction.params)))
            else:
                clbits = [block.clbits[bit] for bit in instruction.clbits]
                self._carry_out(instruction.operation, where, clbits, ClbitFinder(block.clbits, self._variables))

    def _numbers(self, params: Iterable[Any]) -> tuple[Angle, ...]:
        try:
            return tuple(map(float, params))
        except TypeError:
            return tuple(map(self._angle, params))

    def _angle(self, param: Any) -> Angle:  # noqa: ANN401 - a number or a ParameterExpression
        if isinstance(param, ParameterExpression) and param.parameters:
            from gateway.frameworks.shared.symbols import angle_of  # noqa: PLC0415 - Qiskit itself does without sympy

            return angle_of(param.sympify(), partial(refused, self._index))
        try:
            return float(param)
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
        finder: ClbitFinder,
    ) -> None:
        """Carry out an operation that is not a standard gate."""
        if isinstance(operation, Measure):
            self.out.measure(qubits[0], clbits[0])
        elif isinstance(operation, Reset):
            self.out.reset(qubits[0])
        elif isinstance(operation, Barrier):
            self.out.barrier(qubits)
        elif isinstance(operation, Delay):
            self.out.note(NO_TIMING)
        elif isinstance(operation, (ControlFlowOp, Store, BreakLoopOp, ContinueLoopOp)):
            with self._naming(operation):
                self._control_flow(operation, qubits, clbits, finder)
        else:
            self._by_definition(operation, qubits, clbits)

    @contextmanager
    def _naming(self, operation: Any) -> Iterator[None]:  # noqa: ANN401
        """Turn an Unreadable into a refusal that names the operation."""
        try:
            yield
        except Unreadable as exc:
            raise refused(self._index, operation.name, str(exc)) from exc

    # ------------------------------------------------------------------ gates and instructions with a definition

    def _by_definition(self, operation: Any, qubits: tuple[int, ...], clbits: Sequence[int]) -> None:  # noqa: ANN401
        if isinstance(operation, (Gate, AnnotatedOperation)):
            steps = self._modified_steps(operation, qubits)
            if steps is not None:
                for step in steps:
                    self.out.gate(step)
                return
        if isinstance(operation, PauliEvolutionGate) and not _is_exact(operation):
            formula = type(operation.synthesis).__name__
            self.out.note(f"{type(operation).__name__}: taken as the product formula of its synthesis, {formula}")
        try:
            definition = _definition(operation)
        except (TypeError, ValueError, CircuitError) as exc:
            if not _is_symbolic(operation):
                raise
            raise refused(self._index, operation.name, "its definition needs values for its parameters") from exc
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
        if hasattr(gate, "__array__") and not _is_symbolic(gate) and (len(qubits) == 1 or gate.definition is None):
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
                steps = self._power(steps, operation, modifier.power)
            else:
                raise refused(self._index, type(modifier).__name__, "this modifier is not known")
        return steps

    def _steps(self, gate: Any, qubits: tuple[int, ...]) -> list[Step]:  # noqa: ANN401
        """Return a gate as steps that modifiers can act on."""
        inner = _Reader()
        inner.read(_alone(gate), inside=self._index)
        for note in inner.out.notes:
            self.out.note(note)
        operations = inner.out.operations
        others = [op.name for op in operations if op.name not in TABLE and op.name != "barrier"]
        if others:
            raise refused(self._index, gate.name, f"it has a {others[0]} inside, which a modifier cannot act on")
        return [(op.name, tuple([qubits[place] for place in op.qubits]), op.params) for op in operations]

    def _power(self, steps: list[Step], operation: Any, exponent: float) -> list[Step]:  # noqa: ANN401
        self.out.check_operations(repetitions(steps, exponent))
        if not float(exponent).is_integer() and any(
            isinstance(a, Expression) for _, _, angles in steps for a in angles
        ):
            raise refused(self._index, operation.name, f"a power of {exponent:g} needs values for the parameters")
        return power(steps, exponent)

    # ------------------------------------------------------------------ classical values

    def _declare(self, circuit: Any) -> None:  # noqa: ANN401 - a QuantumCircuit
        """Give the classical variables that a circuit declares hidden clbits, unless it has been here before."""
        for variable in circuit.iter_declared_vars():
            width = declared_width(variable)
            if width is not None and variable not in self._variables:
                self._variables[variable] = self.out.new_hidden_clbits(width)

    def _store(self, operation: Any, finder: ClbitFinder) -> None:  # noqa: ANN401 - a Store
        target = operation.lvalue
        if is_about_time(target):
            self.out.note(NO_TIMING)
            return
        value = value_of(operation.rvalue, finder)
        if not isinstance(target, expr.Index):
            self.out.assign(finder.find(target), value)
            return
        clbits = finder.find(target.target)
        if isinstance(target.index, expr.Value):
            self.out.assign([clbits[int(target.index.value)]], value)
            return
        place = value_of(target.index, finder)
        cleared = Expression("&", (bits(*clbits), Expression("~", (Expression("<<", (1, place)),))))
        self.out.assign(clbits, Expression("|", (cleared, Expression("<<", (value, place)))))

    # ------------------------------------------------------------------ control flow

    def _control_flow(
        self,
        operation: Any,  # noqa: ANN401
        qubits: Sequence[int],
        clbits: Sequence[int],
        finder: ClbitFinder,
    ) -> None:
        body = partial(self._walk, qubits=qubits, clbits=clbits)
        if isinstance(operation, IfElseOp):
            self._if(operation, body, finder)
        elif isinstance(operation, SwitchCaseOp):
            self._switch(operation, body, finder)
        elif isinstance(operation, ForLoopOp):
            self._for(operation, body)
        elif isinstance(operation, WhileLoopOp):
            self._while(operation, body, finder)
        elif isinstance(operation, BoxOp):
            if operation.duration is not None:
                self.out.note(NO_TIMING)
            body(operation.blocks[0])
        elif isinstance(operation, Store):
            self._store(operation, finder)
        elif isinstance(operation, (BreakLoopOp, ContinueLoopOp)):
            self._leave(operation)
        else:
            raise Unreadable("a shared circuit has nothing like it")

    def _if(self, operation: Any, body: Callable[..., None], finder: ClbitFinder) -> None:  # noqa: ANN401
        then, *otherwise = operation.blocks
        decision = decide(operation.condition, finder)
        branches: list[tuple[Decision, Callable[[], None]]] = [(decision.then, partial(body, then))]
        if otherwise:
            branches.append((decision.otherwise, partial(body, otherwise[0])))
        self.out.choose(branches)

    def _switch(self, operation: Any, body: Callable[..., None], finder: ClbitFinder) -> None:  # noqa: ANN401
        cases = list(operation.cases_specifier())
        labels = [None if CASE_DEFAULT in values else list(values) for values, _ in cases]
        decisions = decide_cases(operation.target, labels, finder)
        self.out.choose([(when, partial(body, block)) for when, (_, block) in zip(decisions, cases, strict=True)])

    def _for(self, operation: Any, body: Callable[..., None]) -> None:  # noqa: ANN401
        values, parameter, block = operation.params
        with self._turns(block) as loop:
            for number, value in enumerate(values):
                turn = partial(self._turn, block, parameter, value, body)
                if number and loop.skipped is not None:
                    self.out.assign([loop.skipped], 0)
                if number and loop.broken is not None:
                    self.out.choose([([(Comparison((loop.broken,), 0),)], turn)])
                else:
                    turn()

    def _turn(self, block: Any, parameter: Any, value: int, body: Callable[..., None]) -> None:  # noqa: ANN401
        """Carry out one turn of a loop over constants."""
        self.out.spend(1)
        if isinstance(parameter, expr.Var):
            if parameter not in self._variables:
                self._variables[parameter] = self.out.new_hidden_clbits(declared_width(parameter) or 1)
            self.out.assign(self._variables[parameter], value)
        bound = isinstance(parameter, Parameter) and parameter in block.parameters
        body(block.assign_parameters({parameter: value}) if bound else block)

    def _while(self, operation: Any, body: Callable[..., None], finder: ClbitFinder) -> None:  # noqa: ANN401
        (block,) = operation.blocks

        def stays() -> Decision:
            decision = decide(operation.condition, finder).then
            if loop.broken is None:
                return decision
            condition = (Comparison((loop.broken,), 0),)
            if isinstance(decision, Expression):
                return Expression("and", (decision, Expression("not", (bits(loop.broken),))))
            return [both(condition, other) for other in decision]

        def turn() -> None:
            if loop.skipped is not None:
                self.out.assign([loop.skipped], 0)
            body(block)

        with self._turns(block) as loop:
            self._loops += 1
            self.out.repeat(stays, turn)
            self._loops -= 1

    @contextmanager
    def _turns(self, block: Any) -> Iterator[_Loop]:  # noqa: ANN401 - a QuantumCircuit
        """Make a loop over a block the one that ``break`` and ``continue`` belong to."""
        jumps = _jumps(block)
        loop, outer = _Loop(), self._loop
        if BreakLoopOp in jumps:
            loop.broken = self._new_flag()
        if ContinueLoopOp in jumps:
            loop.skipped = self._new_flag()
        self._loop = loop
        try:
            yield loop
        finally:
            self._loop = outer

    def _new_flag(self) -> int:
        """Return a hidden clbit that is 0 now, in every turn of the loops around."""
        (flag,) = self.out.new_hidden_clbits(1)
        if self._loops:
            self.out.assign([flag], 0)
        return flag

    def _leave(self, operation: Any) -> None:  # noqa: ANN401 - a BreakLoopOp or ContinueLoopOp
        loop = self._loop
        flag = None if loop is None else loop.broken if isinstance(operation, BreakLoopOp) else loop.skipped
        if flag is None:
            raise Unreadable("it stands in no loop")
        self.out.assign([flag], 1)


def _jumps(block: Any) -> set[type]:  # noqa: ANN401 - a QuantumCircuit
    """Return which of ``break`` and ``continue`` a block has for the loop that it stands in."""
    return set().union(*[_jumps_of(instruction) for instruction in block.data if not instruction.is_standard_gate()])


def _jumps_of(instruction: Any) -> set[type]:  # noqa: ANN401 - a CircuitInstruction
    operation = instruction.operation
    if isinstance(operation, (BreakLoopOp, ContinueLoopOp)):
        return {BreakLoopOp if isinstance(operation, BreakLoopOp) else ContinueLoopOp}
    if isinstance(operation, ControlFlowOp) and not isinstance(operation, (ForLoopOp, WhileLoopOp)):
        return set().union(*map(_jumps, operation.blocks))
    return set()


def _parts(instructions: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the instructions in parts, each of which ends with one that may leave the turn."""
    part: list[Any] = []
    for instruction in instructions:
        part.append(instruction)
        if not instruction.is_standard_gate() and _jumps_of(instruction):
            yield part
            part = []
    if part:
        yield part


def _is_symbolic(operation: Any) -> bool:  # noqa: ANN401
    """Return whether a parameter of an operation has no value."""
    params = getattr(operation, "params", ())
    return any(isinstance(param, ParameterExpression) and param.parameters for param in params)


def _is_exact(evolution: Any) -> bool:  # noqa: ANN401 - a PauliEvolutionGate
    """Return whether the definition of an evolution is the evolution: by a matrix, or as its terms commute."""
    if isinstance(evolution.synthesis, MatrixExponential):
        return True
    if isinstance(evolution.synthesis, QDrift) or not isinstance(evolution.operator, SparsePauliOp):
        return False
    x, z = (part.astype(int) for part in (evolution.operator.paulis.x, evolution.operator.paulis.z))
    return not ((x @ z.T + z @ x.T) % 2).any()


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
