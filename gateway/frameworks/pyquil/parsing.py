"""pyQuil (https://pyquil-docs.rigetti.com) -> the shared circuit, checked against pyQuil 4.22.0.

Decisions where the two differ:

* Qubit ``k`` is Quil's qubit ``k``. The numbers are qubits of a machine, so gaps stay.
* Clbits are the bits of the ``BIT`` regions in the order they are declared, whatever their names; other memory is
  hidden clbits or parameters, see :mod:`gateway.frameworks.pyquil.memory`.
* Jumps become branches and loops, see :mod:`gateway.frameworks.pyquil.jumps`.
* ``wrap_in_numshots_loop`` is not part of the circuit, since the shots are given when it runs.
* Barriers are fences. Delays are left out, and so are pragmas that change no results; a note says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from math import pi
from typing import Any

import numpy as np
from pyquil import Program
from pyquil.quilatom import MemoryReference, Parameter, substitute_array
from pyquil.quilbase import (
    Declare,
    DefGate,
    Fence,
    FenceAll,
    Gate,
    Halt,
    JumpTarget,
    Measurement,
    Nop,
    Pragma,
    Reset,
    ResetQubit,
)

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.emitter import Emitter
from gateway.circuit.expressions import Angle, Expression
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, inverse
from gateway.circuit.operations import NO_TIMING
from gateway.errors import CircuitInvalidError, RequestError
from gateway.frameworks.pyquil.circuits import expanded
from gateway.frameworks.pyquil.gates import ROWS
from gateway.frameworks.pyquil.jumps import JUMPS, Jumps, NotStructured
from gateway.frameworks.pyquil.memory import CLASSICAL, Memory, angle_of
from gateway.frameworks.shared.refusals import refused, unbound
from gateway.frameworks.shared.synthesis import steps_of_unitary

_OTHERS: Mapping[str, Callable[..., list[Step]]] = {
    "SQISW": lambda: [("xy", (0, 1), (pi / 2,))],
    "FSIM": lambda theta, phi: [("xy", (0, 1), (theta,)), ("cp", (0, 1), (phi,))],
}
"""Name of a gate -> function from its angles to its steps."""

_HARMLESS = frozenset(
    {"PRESERVE_BLOCK", "END_PRESERVE_BLOCK", "COMMUTING_BLOCKS", "END_COMMUTING_BLOCKS", "BLOCK", "END_BLOCK",
     "INITIAL_REWIRING", "CURRENT_REWIRING", "EXPECTED_REWIRING"},
)  # fmt: skip
"""Pragmas for the compiler, which have no effect on results and need no note."""

_NOISE = frozenset({"ADD-KRAUS", "READOUT-POVM"})
"""Pragmas that change results."""


def parse(program: object) -> Circuit:
    """Return the shared circuit of a ``Program``.

    Raises:
        RequestError: the object is not a ``Program``.
        CircuitInvalidError: memory or a label is not declared, qubits are placeholders, or a formal parameter stands
            outside of a definition.
        UnsupportedError: the program has a pulse, noise, or a classical instruction that is not exact.
        LimitError: the circuit is larger than circuits may be.
    """
    if not isinstance(program, Program):
        raise RequestError(f"a circuit of pyQuil is a Program, not a {type(program).__name__}", field="circuits")
    resolved_program: Any = program.copy()
    resolved_program.resolve_label_placeholders()
    try:
        qubits = resolved_program.get_qubit_indices()
    except ValueError as exc:
        raise CircuitInvalidError(f"qubits are placeholders: {exc}", rule="qubit placeholders") from exc
    whole = expanded(resolved_program)
    if whole is not resolved_program:
        qubits = whole.get_qubit_indices()
    return Circuit(*_read(whole, max(qubits, default=-1) + 1).out.parts())


def _read(program: Any, num_qubits: int) -> _Reader:  # noqa: ANN401 - a Program
    """Return a reader that has carried out a program, with branches and loops where it has them."""
    instructions = program.instructions
    reader = _Reader(program, instructions, num_qubits)
    one_of_each = {type(each): each for each in instructions}.values()
    if not any(isinstance(each, (*JUMPS, JumpTarget, Halt)) for each in one_of_each):
        for place in range(len(instructions)):
            reader.carry_out(place)
        return reader
    try:
        Jumps(reader.out, reader.memory, instructions, reader.carry_out).structured()
    except NotStructured:
        reader = _Reader(program, instructions, num_qubits)
        Jumps(reader.out, reader.memory, instructions, reader.carry_out).as_they_stand()
    return reader


class _Reader:
    """Carries out instructions of Quil on an emitter.

    Args:
        program: the program, with all labels resolved.
        instructions: the instructions of the program.
        num_qubits: one more than the highest number of a qubit.
    """

    def __init__(self, program: Any, instructions: Sequence[Any], num_qubits: int) -> None:  # noqa: ANN401 - a Program
        self.out = Emitter(DEFAULT_LIMITS)
        # Program.instructions has the declarations in an arbitrary order; its text has them in theirs.
        self.memory = Memory(self.out, program.out())
        self._instructions = instructions
        self._index = 0
        self._qubits = self.out.new_qubits(num_qubits)
        self._definitions = {definition.name: definition for definition in program.defined_gates}

    def carry_out(self, place: int) -> None:
        """Carry out the instruction at a position, which is no jump."""
        self._index = self.memory.index = place
        instruction = self._instructions[place]
        if isinstance(instruction, Gate):
            self._gate(instruction)
        elif isinstance(instruction, Measurement):
            register = instruction.classical_reg
            self.out.measure(_number(instruction.qubit), None if register is None else self.memory.clbit(register))
        elif isinstance(instruction, ResetQubit):
            self.out.reset(_number(instruction.qubit))
        elif isinstance(instruction, Reset):
            for qubit in self._qubits:
                self.out.reset(qubit)
        elif isinstance(instruction, Fence | FenceAll):
            self.out.barrier(tuple(map(_number, instruction.qubits or ())) or self._qubits)
        else:
            self._carry_out_classical(instruction)

    def _carry_out_classical(self, instruction: Any) -> None:  # noqa: ANN401
        """Carry out an instruction without qubits, or one that does nothing here."""
        name = _name(instruction)
        if name == "DELAY":
            self.out.note(NO_TIMING)
        elif isinstance(instruction, Pragma):
            self._pragma(instruction.command)
        elif not isinstance(instruction, Declare | DefGate | Nop):
            if name not in CLASSICAL:
                raise refused(self._index, name, "a circuit has nothing like it")
            self.memory.carry_out(name, instruction)

    def _pragma(self, command: str) -> None:
        if command in _NOISE:
            raise refused(self._index, f"PRAGMA {command}", "it is noise, which is given with a run")
        if command not in _HARMLESS:
            self.out.note(f"the pragma {command[:100]} has no effect here")

    # ------------------------------------------------------------------ gates

    def _gate(self, gate: Any) -> None:  # noqa: ANN401 - a Gate
        params = [self._angle(param) for param in gate.params]
        qubits = gate.get_qubit_indices()
        row = ROWS.get(gate.name)
        if row is not None and not gate.modifiers:
            self.out.gate((row, tuple(qubits), tuple(params)))
            return
        for step in self._steps_with_modifiers(gate.name, list(gate.modifiers), qubits, params):
            self.out.gate(step)

    def _angle(self, param: Any) -> Angle:  # noqa: ANN401 - a number or an expression
        formal = [name for name in _references(param) if name.startswith("%")]
        if formal:
            raise unbound(formal)
        try:
            return angle_of(param, self.memory.angle)
        except CircuitInvalidError as exc:
            if exc.operation is not None:
                raise
            msg = f"operation {self._index}: {exc.message}"
            raise CircuitInvalidError(msg, rule=exc.rule, operation=self._index) from None

    def _steps_with_modifiers(
        self, name: str, modifiers: list[str], qubits: Sequence[int], params: list[Angle]
    ) -> list[Step]:
        """Return a gate under modifiers as steps; the first modifier is the outermost, and its qubit comes first."""
        if not modifiers:
            return self._plain(name, qubits, params)
        first, *rest = modifiers
        if first == "DAGGER":
            return inverse(self._steps_with_modifiers(name, rest, qubits, params))
        head, tail, half = qubits[0], qubits[1:], len(params) // 2
        if first == "CONTROLLED":
            return control(self._steps_with_modifiers(name, rest, tail, params), [head])
        zero, one = (self._steps_with_modifiers(name, rest, tail, part) for part in (params[:half], params[half:]))
        return [*control(zero, [head], [head]), *control(one, [head])]

    def _plain(self, name: str, qubits: Sequence[int], params: list[Angle]) -> list[Step]:
        if name in self._definitions:
            return self._steps_by_definition(self._definitions[name], qubits, params)
        if name in ROWS:
            return [(ROWS[name], tuple(qubits), tuple(params))]
        if name in _OTHERS:
            return [(row, tuple([qubits[place] for place in places]), angles)
                    for row, places, angles in _OTHERS[name](*params)]  # fmt: skip
        from pyquil.simulation.matrices import QUANTUM_GATES  # noqa: PLC0415 - loads pyQuil's simulators

        if name not in QUANTUM_GATES:
            raise refused(self._index, name, "no matrix defines it")
        self._check_numbers(name, params)
        return self._from_matrix(name, QUANTUM_GATES[name](*params), qubits)

    def _steps_by_definition(self, definition: Any, qubits: Sequence[int], params: list[Angle]) -> list[Step]:  # noqa: ANN401
        """Return a gate that the program defines as steps."""
        self._check_numbers(definition.name, params)
        kinds = definition.specification
        if kinds.is_permutation():
            images = list(definition.specification.as_permutation())
            if any(images[image] != place for place, image in enumerate(images)):
                raise refused(self._index, definition.name, "which way its permutation maps, pyQuil does not say")
            return self._from_matrix(definition.name, np.eye(len(images))[images], qubits)
        if not kinds.is_matrix():
            raise refused(self._index, definition.name, "it is defined by a sum of Pauli operators, not by a matrix")
        values = dict(zip(definition.parameters, params, strict=True))
        matrix = substitute_array(definition.matrix, values) if values else definition.matrix
        return self._from_matrix(definition.name, matrix, qubits)

    def _check_numbers(self, name: str, params: Sequence[Angle]) -> None:
        """Refuse parameters of the circuit in a gate that a matrix defines."""
        if any(isinstance(param, Expression) for param in params):
            raise refused(self._index, name, "a matrix defines it, so its parameters need values")

    def _from_matrix(self, name: str, matrix: Any, qubits: Sequence[int]) -> list[Step]:  # noqa: ANN401
        """Return a matrix, whose first qubit is the most significant, as steps."""
        try:
            return steps_of_unitary(matrix, qubits[::-1])
        except ValueError as exc:
            raise refused(self._index, name, str(exc)) from exc


def _name(instruction: Any) -> str:  # noqa: ANN401
    """Return the first word of an instruction."""
    return str(instruction.out()).split(maxsplit=1)[0]


def _number(qubit: Any) -> int:  # noqa: ANN401 - a Qubit
    return int(qubit.index)


def _references(expression: Any) -> list[str]:  # noqa: ANN401 - an Expression
    """Return the memory references and parameters of an expression."""
    if isinstance(expression, MemoryReference):
        return [f"{expression.name}[{expression.offset}]"]
    if isinstance(expression, Parameter):
        return [f"%{expression.name}"]
    parts = [getattr(expression, part, None) for part in ("op1", "op2", "expression")]
    return [name for part in parts if part is not None for name in _references(part)]
