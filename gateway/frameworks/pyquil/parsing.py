"""pyQuil (https://pyquil-docs.rigetti.com) -> the shared circuit, checked against pyQuil 4.22.0.

Decisions where the two differ:

* Qubit ``k`` is Quil's qubit ``k``. The numbers are qubits of a machine, so gaps stay.
* Clbits are the bits of the ``BIT`` regions in the order they are declared, whatever their names.
* ``if_then`` is read as the forward jumps that it consists of; any other jump is refused.
* ``wrap_in_numshots_loop`` is not part of the circuit, since the shots are given when it runs.
* Barriers are fences. Pragmas without an effect on results are left out, others refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
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
    Jump,
    JumpTarget,
    JumpUnless,
    JumpWhen,
    Measurement,
    Nop,
    Pragma,
    Reset,
    ResetQubit,
)

from gateway.circuit import Circuit
from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.circuit.conditions import compare
from gateway.circuit.emitter import Emitter
from gateway.circuit.gates import Step
from gateway.circuit.modifiers import control, inverse
from gateway.errors import CircuitInvalidError, RequestError
from gateway.frameworks.pyquil.gates import ROWS
from gateway.frameworks.shared.refusals import refused, unbound
from gateway.frameworks.shared.synthesis import steps_of_unitary

_OTHERS: Mapping[str, Callable[..., list[Step]]] = {
    "CPHASE00": lambda angle: _on_values(angle, 0, 0),
    "CPHASE01": lambda angle: _on_values(angle, 0, 1),
    "CPHASE10": lambda angle: _on_values(angle, 1, 0),
    "XY": lambda angle: [("xx_plus_yy", (0, 1), (-angle, 0.0))],
    "SQISW": lambda: [("xx_plus_yy", (0, 1), (-pi / 2, 0.0))],
    "PSWAP": lambda angle: [("swap", (0, 1), ()), ("gphase", (), (angle / 2,)), ("rzz", (0, 1), (angle,))],
    "FSIM": lambda theta, phi: [("xx_plus_yy", (0, 1), (-theta, 0.0)), ("cp", (0, 1), (phi,))],
}
"""Name of a gate -> function from its angles to its steps."""

_HARMLESS = frozenset(
    {"PRESERVE_BLOCK", "END_PRESERVE_BLOCK", "COMMUTING_BLOCKS", "END_COMMUTING_BLOCKS", "BLOCK", "END_BLOCK",
     "INITIAL_REWIRING", "CURRENT_REWIRING", "EXPECTED_REWIRING"},
)  # fmt: skip
"""Pragmas for the compiler, which have no effect on results."""

_DECLARATION = re.compile(r"^DECLARE (\S+) ([A-Z]+)\[(\d+)\]( SHARING)?", re.MULTILINE)


def _on_values(angle: float, first: int, second: int) -> list[Step]:
    """Return a phase on the state in which two qubits have these values."""
    return control([("gphase", (), (angle,))], [0, 1], [k for k, value in enumerate((first, second)) if not value])


def parse(program: object) -> Circuit:
    """Return the shared circuit of a ``Program``.

    Raises:
        RequestError: the object is not a ``Program``.
        CircuitInvalidError: parameters have no value, memory is not declared, or qubits are placeholders.
        UnsupportedError: the program has a loop, a classical instruction, a pulse, a delay or noise.
        LimitError: the circuit is larger than circuits may be.
    """
    if not isinstance(program, Program):
        raise RequestError(f"a circuit of pyQuil is a Program, not a {type(program).__name__}", field="circuits")
    resolved_program: Any = program.copy()
    resolved_program.resolve_label_placeholders()
    instructions = resolved_program.instructions
    try:
        qubits = resolved_program.get_qubit_indices()
    except ValueError as exc:
        raise CircuitInvalidError(f"qubits are placeholders: {exc}", rule="qubit placeholders") from exc
    reader = _Reader(resolved_program, instructions, max(qubits, default=-1) + 1)
    reader.block(0, len(instructions))
    return Circuit(*reader.out.parts())


class _Reader:
    """Carries out instructions of Quil on an emitter.

    Args:
        program: the program, with all labels resolved.
        instructions: the instructions of the program.
        num_qubits: one more than the highest number of a qubit.
    """

    def __init__(self, program: Any, instructions: Sequence[Any], num_qubits: int) -> None:  # noqa: ANN401 - a Program
        self.out = Emitter(DEFAULT_LIMITS)
        self._instructions = instructions
        self._index = 0
        self._qubits = self.out.new_qubits(num_qubits)
        self._clbits: dict[str, tuple[int, ...]] = {}
        self._definitions = {definition.name: definition for definition in program.defined_gates}
        self._labels = {
            _label(instruction): place
            for place, instruction in enumerate(instructions)
            if isinstance(instruction, JumpTarget)
        }
        # Program.instructions has the declarations in an arbitrary order; its text has them in theirs.
        for name, kind, size, sharing in _DECLARATION.findall(program.out()):
            if sharing:
                raise refused(0, "SHARING", f"the memory region {name} is another name for a part of another")
            if kind == "BIT":
                self._clbits[name] = self.out.new_clbits(int(size))

    def block(self, begin: int, end: int) -> None:
        """Carry out the instructions from ``begin`` up to ``end``."""
        while begin < end:
            self._index = begin
            instruction = self._instructions[begin]
            if isinstance(instruction, Gate):
                self._gate(instruction)
            elif isinstance(instruction, JumpWhen | JumpUnless):
                begin = self._choose(instruction, begin, end)
                continue
            elif isinstance(instruction, Halt) and not self.out.depth:
                return
            else:
                self._carry_out(instruction)
            begin += 1

    def _carry_out(self, instruction: Any) -> None:  # noqa: ANN401
        """Carry out an instruction that is neither a gate nor a jump."""
        if isinstance(instruction, Measurement):
            if instruction.classical_reg is None:
                raise refused(self._index, "MEASURE", "its outcome goes nowhere: give it a memory reference")
            self.out.measure(_number(instruction.qubit), self._clbit(instruction.classical_reg))
        elif isinstance(instruction, ResetQubit):
            self.out.reset(_number(instruction.qubit))
        elif isinstance(instruction, Reset):
            for qubit in self._qubits:
                self.out.reset(qubit)
        elif isinstance(instruction, Fence | FenceAll):
            self.out.barrier(tuple(map(_number, instruction.qubits or ())) or self._qubits)
        elif isinstance(instruction, Pragma) and instruction.command not in _HARMLESS:
            raise refused(self._index, f"PRAGMA {instruction.command}", "a circuit cannot express what it changes")
        elif not isinstance(instruction, Declare | DefGate | Nop | Pragma):
            raise refused(self._index, _name(instruction), "a flat circuit has nothing like it")

    def _clbit(self, reference: Any) -> int:  # noqa: ANN401 - a MemoryReference
        bits = self._clbits.get(reference.name, ())
        if not 0 <= reference.offset < len(bits):
            raise CircuitInvalidError(
                f"operation {self._index}: {reference} is not a declared bit",
                rule="clbit index",
                operation=self._index,
            )
        return bits[int(reference.offset)]

    # ------------------------------------------------------------------ control flow

    def _choose(self, jump: Any, begin: int, end: int) -> int:  # noqa: ANN401 - a JumpWhen or JumpUnless
        """Carry out the two branches of a jump, and return the position where they meet again.

        The instructions are ``jump T; else; JUMP E; T; then; E``, as ``if_then`` writes them, or ``jump T; else; T``.
        """
        target = self._ahead(jump, begin, end)
        before = self._instructions[target - 1]
        holds = compare([self._clbit(jump.condition)], int(isinstance(jump, JumpWhen)))
        fails = compare([self._clbit(jump.condition)], int(isinstance(jump, JumpUnless)))
        if not isinstance(before, Jump):
            self.out.choose([(fails, partial(self.block, begin + 1, target))])
            return target + 1
        meet = self._ahead(before, target, end)
        self.out.choose([
            (holds, partial(self.block, target + 1, meet)),
            (fails, partial(self.block, begin + 1, target - 1)),
        ])  # fmt: skip
        return meet + 1

    def _ahead(self, jump: Any, begin: int, end: int) -> int:  # noqa: ANN401
        """Return the position of a jump's label, which has to lie ahead in the same block."""
        label = _label(jump)
        place = self._labels.get(label, -1)
        if not begin < place < end:
            raise refused(self._index, _name(jump), f"it leads to {label}, which is no way out of an if")
        return place

    # ------------------------------------------------------------------ gates

    def _gate(self, gate: Any) -> None:  # noqa: ANN401 - a Gate
        params = [self._real(param) for param in gate.params]
        qubits = gate.get_qubit_indices()
        row = ROWS.get(gate.name)
        if row is not None and not gate.modifiers:
            self.out.gate((row, tuple(qubits), tuple(params)))
            return
        for step in self._steps_with_modifiers(gate.name, list(gate.modifiers), qubits, params):
            self.out.gate(step)

    def _real(self, param: Any) -> float:  # noqa: ANN401 - a number or an expression
        if not isinstance(param, int | float | complex | np.number):
            raise unbound(_references(param))
        number = complex(param)
        if number.imag:
            raise CircuitInvalidError(
                f"operation {self._index}: the angle {param} is not real", rule="parameter", operation=self._index
            )
        return number.real

    def _steps_with_modifiers(
        self, name: str, modifiers: list[str], qubits: Sequence[int], params: list[float]
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

    def _plain(self, name: str, qubits: Sequence[int], params: list[float]) -> list[Step]:
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
        return self._from_matrix(name, QUANTUM_GATES[name](*params), qubits)

    def _steps_by_definition(self, definition: Any, qubits: Sequence[int], params: list[float]) -> list[Step]:  # noqa: ANN401
        """Return a gate that the program defines as steps."""
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

    def _from_matrix(self, name: str, matrix: Any, qubits: Sequence[int]) -> list[Step]:  # noqa: ANN401
        """Return a matrix, whose first qubit is the most significant, as steps."""
        try:
            return steps_of_unitary(matrix, qubits[::-1])
        except ValueError as exc:
            raise refused(self._index, name, str(exc)) from exc


def _name(instruction: Any) -> str:  # noqa: ANN401
    """Return the first word of an instruction."""
    return str(instruction.out()).split(maxsplit=1)[0]


def _label(instruction: Any) -> str:  # noqa: ANN401 - a jump or its target
    return str(instruction.out()).split()[1]


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
