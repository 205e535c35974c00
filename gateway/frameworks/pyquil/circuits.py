"""Expands the circuits that a Quil program defines, ``DEFCIRCUIT``, where they are called."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pyquil import Program
from pyquil.quilbase import DefCircuit, Gate

from gateway.circuit.circuit import DEFAULT_LIMITS
from gateway.errors import CircuitInvalidError, LimitError

MAX_NESTING = 50
"""Circuits call each other at most so deep."""

_MOST_REMEMBERED = 1000

_WORD = re.compile(r"%[A-Za-z_][\w-]*|@[A-Za-z_][\w-]*|[A-Za-z_][\w-]*|[^A-Za-z_%@]+|.")


def expanded(program: Any) -> Any:  # noqa: ANN401 - a Program, and one
    """Return a program in which every call of a defined circuit is replaced by what it stands for.

    Raises:
        CircuitInvalidError: a circuit calls itself, or gets another number of qubits or parameters than it has.
        LimitError: there are more instructions than operations are accepted.
    """
    definitions = {each.name: each for each in program.instructions if type(each) is DefCircuit}
    if not definitions:
        return program
    return _Expansion(definitions).of(program)


class _Expansion:
    """Expands calls, each with labels of its own.

    Args:
        definitions: name of a circuit -> its definition.
    """

    def __init__(self, definitions: Mapping[str, Any]) -> None:
        self._bodies = {name: _body(definition) for name, definition in definitions.items()}
        self._definitions = definitions
        self._read_before: dict[str, list[Any]] = {}
        self._calls = 0
        self._sizes: dict[str, int] = {}

    def of(self, program: Any) -> Any:  # noqa: ANN401 - a Program, and one
        """Return a program without calls; everything that it defines or declares stays."""
        found = Program(program.out())
        heads = [each for each in found.instructions if type(each) is not DefCircuit]
        self._check(heads)
        result = found.copy_everything_except_instructions()
        result.inst(list(self._without_calls(heads)))
        return result

    def _without_calls(self, instructions: Iterable[Any]) -> Iterator[Any]:
        """Yield the instructions, and for each call those that it stands for."""
        levels = [iter(instructions)]
        while levels:
            for instruction in levels[-1]:
                if not self._is_call(instruction):
                    yield instruction
                    continue
                levels.append(iter(self._read(self._text(instruction))))
                break
            else:
                levels.pop()

    def _is_call(self, instruction: Any) -> bool:  # noqa: ANN401
        return type(instruction).__name__ == "Gate" and instruction.name in self._definitions

    def _check(self, instructions: Iterable[Any]) -> None:
        """Check, before anything is expanded, that it ends and how much it gives."""
        size, allowed = sum(map(self._size, instructions)), DEFAULT_LIMITS.operations
        if size > allowed:
            msg = f"the circuits of the program expand to {size:,} instructions; at most {allowed:,} are accepted"
            raise LimitError(msg, limit="operations", requested=size, allowed=allowed)

    def _size(self, instruction: Any, callers: tuple[str, ...] = ()) -> int:  # noqa: ANN401
        """Return into how many instructions and calls an instruction expands, itself included."""
        if not self._is_call(instruction):
            return 1
        name = str(instruction.name)
        if name in callers or len(callers) >= MAX_NESTING:
            msg = f"the circuit {name} calls itself, or calls are nested over {MAX_NESTING} deep"
            raise CircuitInvalidError(msg, rule="recursion")
        if name not in self._sizes:
            inner = self._definitions[name].instructions
            self._sizes[name] = 1 + sum(self._size(each, (*callers, name)) for each in inner)
        return self._sizes[name]

    def _read(self, text: str) -> list[Any]:
        """Return the instructions of a text; those of calls that are alike are read once."""
        if text not in self._read_before:
            if len(self._read_before) >= _MOST_REMEMBERED:
                self._read_before.clear()
            self._read_before[text] = Program(text).instructions
        return self._read_before[text]

    def _text(self, call: Any) -> str:  # noqa: ANN401 - a Gate
        """Return the body of a circuit with what a call gives it, and with labels of its own."""
        definition = self._definitions[call.name]
        self._calls += 1
        indices = call.get_qubit_indices()
        given = len(call.params), len(indices)
        needed = len(definition.parameters), len(definition.qubit_variables)
        if given != needed:
            msg = f"the circuit {call.name} takes {needed[0]} parameters and {needed[1]} qubits, not {given}"
            raise CircuitInvalidError(msg, rule="number of qubits")
        qubits = zip(definition.qubit_variables, indices, strict=True)
        values = {str(formal): str(index) for formal, index in qubits}
        values |= {
            str(formal): f"({_expression(value)})"
            for formal, value in zip(definition.parameters, call.params, strict=True)
        }
        parts = _WORD.findall(self._bodies[call.name])
        return "".join(f"{part}_{self._calls}" if part[0] == "@" else values.get(part, part) for part in parts)


def _body(definition: Any) -> str:  # noqa: ANN401 - a DefCircuit
    return "\n".join(line.strip() for line in str(definition.out()).splitlines()[1:])


def _expression(value: Any) -> str:  # noqa: ANN401 - a number or an expression
    return str(Gate("RX", [value], [0]).out()).removeprefix("RX(").rpartition(")")[0]
