"""Quil's classical memory as clbits, and the classical instructions on it.

* A ``BIT`` is a clbit of the outcome, in the order of declaration; those of a region that is named
  :data:`HIDDEN_REGION` are hidden clbits. Programs that :func:`gateway.frameworks.pyquil.dump` writes have such a one.
* An ``OCTET`` is 8 hidden clbits without a sign, an ``INTEGER`` 64 in two's complement. They get them when they are
  first used. All memory is 0 at the beginning.
* A ``REAL`` that no instruction writes is a parameter: ``theta`` if its region has one element, else ``theta[2]``. One
  that gets a number outside of branches and loops is that number from there on.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pyquil.quilatom import MemoryReference

from gateway.circuit.conditions import compare
from gateway.circuit.emitter import Decision, Emitter
from gateway.circuit.expressions import MAX_INTEGER, Angle, Expression, bits, parameter
from gateway.errors import CircuitInvalidError, UnsupportedError
from gateway.frameworks.shared.refusals import refused

HIDDEN_REGION = "gateway_hidden"
"""A region of bits that are not part of the outcome."""

WIDTHS: Mapping[str, int] = {"BIT": 1, "OCTET": 8, "INTEGER": 64}
"""Type of memory -> the number of its bits."""

_DECLARATION = re.compile(r"^DECLARE (\S+) ([A-Z]+)\[(\d+)\]( SHARING)?", re.MULTILINE)

_BINARY: Mapping[str, str] = {
    "AND": "&", "IOR": "|", "XOR": "^", "ADD": "+", "SUB": "-", "MUL": "*", "SHL": "<<", "SHR": ">>", "ASHR": ">>",
}  # fmt: skip
"""Instruction ``OP left right`` -> the operator of ``left := left op right``."""

_COMPARING: Mapping[str, str] = {"EQ": "==", "LT": "<", "LE": "<=", "GT": ">", "GE": ">="}

_SHIFTS = frozenset({"SHL", "SHR", "ASHR"})

_UNKNOWN: Mapping[str, str] = {
    "DIV": "Quil does not say how a quotient of whole numbers is rounded",
    "LOAD": "which element it reads is known only when the program runs",
    "STORE": "which element it writes is known only when the program runs",
}

CLASSICAL = frozenset({"MOVE", "EXCHANGE", "CONVERT", "NOT", "NEG", *_BINARY, *_COMPARING, *_UNKNOWN})
"""The names of the classical instructions."""


@dataclass
class _Region:
    """A memory region.

    Args:
        kind: ``BIT``, ``OCTET``, ``INTEGER`` or ``REAL``.
        size: the number of elements.
        elements: place -> the clbits of the element, the least significant first, or the number of a ``REAL``.
    """

    kind: str
    size: int
    elements: dict[int, Any] = field(default_factory=dict)


class Memory:
    """The memory of a program; its methods carry out instructions on an emitter.

    Args:
        out: the emitter.
        text: the program as text, with the declarations in their order.

    Raises:
        UnsupportedError: a region is another name for a part of another.
    """

    def __init__(self, out: Emitter, text: str) -> None:
        self._out = out
        self._regions: dict[str, _Region] = {}
        self.index = 0
        for name, kind, size, sharing in _DECLARATION.findall(text):
            if sharing:
                raise refused(0, "SHARING", f"the memory region {name} is another name for a part of another")
            region = self._regions[name] = _Region(kind, int(size))
            if kind == "BIT":
                new = out.new_hidden_clbits if name == HIDDEN_REGION else out.new_clbits
                region.elements = {place: (clbit,) for place, clbit in enumerate(new(int(size)))}

    def clbit(self, reference: MemoryReference) -> int:
        """Return the clbit of a bit.

        Raises:
            CircuitInvalidError: the reference is not a declared bit.
        """
        region = self._regions.get(reference.name)
        if region is None or region.kind != "BIT" or not 0 <= reference.offset < region.size:
            raise self._invalid(f"{reference} is not a declared bit")
        (clbit,) = region.elements[int(reference.offset)]
        return int(clbit)

    def angle(self, reference: MemoryReference) -> Angle:
        """Return a number of a ``REAL`` region, or the parameter that it is.

        Raises:
            UnsupportedError: it is memory of another type, which is known only when the program runs.
        """
        region = self._region(reference)
        if region.kind != "REAL":
            raise refused(self.index, "angle", f"{reference} is {region.kind} memory, and an angle is REAL")
        name = reference.name if region.size == 1 else f"{reference.name}[{reference.offset}]"
        if int(reference.offset) in region.elements:
            return region.elements[int(reference.offset)]
        return parameter(name)

    def is_set(self, reference: MemoryReference, *, to: bool) -> Decision:
        """Return the decision that memory is not 0, or that it is."""
        region = self._region(reference)
        if region.kind == "BIT":
            return compare([self.clbit(reference)], int(to))
        return Expression("!=" if to else "==", (bits(*self._clbits(reference)), 0))

    # ------------------------------------------------------------------ instructions

    def carry_out(self, name: str, instruction: Any) -> None:  # noqa: ANN401
        """Carry out a classical instruction.

        Args:
            name: one of :data:`CLASSICAL`.
            instruction: the instruction.

        Raises:
            UnsupportedError: it is not exact, or works on ``REAL`` memory.
        """
        if name in _UNKNOWN:
            raise refused(self.index, name, _UNKNOWN[name])
        if name == "EXCHANGE":
            self._exchange(instruction.left, instruction.right)
        elif name in _COMPARING:
            value = Expression(_COMPARING[name], (self._value(instruction.left), self._value(instruction.right)))
            self._write(instruction.target, value)
        elif name in {"NOT", "NEG"}:
            self._write(instruction.target, self._unary(name, instruction.target))
        elif name in {"MOVE", "CONVERT"}:
            self._move(name, instruction.left, instruction.right)
        else:
            self._write(instruction.left, self._binary(name, instruction.left, instruction.right))

    def _exchange(self, first: MemoryReference, second: MemoryReference) -> None:
        if self._region(first).kind != self._region(second).kind:
            raise self._invalid(f"{first} and {second} are of different types")
        left, right = self._clbits(first), self._clbits(second)
        self._out.assign((*left, *right), bits(*right, *left))

    def _move(self, name: str, target: MemoryReference, source: Any) -> None:  # noqa: ANN401 - memory or a number
        region = self._region(target)
        if region.kind == "REAL":
            if isinstance(source, MemoryReference) or self._out.depth:
                raise refused(self.index, name, f"{target} is a REAL that is known only when the program runs")
            region.elements[int(target.offset)] = float(source)
            return
        value = self._value(source)
        if name == "CONVERT" and region.kind == "BIT":
            value = Expression("!=", (value, 0))
        self._write(target, value)

    def _unary(self, name: str, target: MemoryReference) -> Expression:
        value = self._value(target)
        if name == "NOT":
            return Expression("~", (value,))
        if self._region(target).kind == "BIT":
            raise self._invalid("NEG works on numbers, not on a bit")
        return Expression("-", (value,))

    def _binary(self, name: str, left: MemoryReference, right: Any) -> Expression:  # noqa: ANN401 - memory or a number
        value = bits(*self._clbits(left)) if name == "SHR" else self._value(left)
        other = self._value(right)
        if name in _SHIFTS and (isinstance(other, Expression) or not 0 <= other <= WIDTHS["INTEGER"]):
            raise refused(self.index, name, "by how many places it shifts is no number between 0 and 64")
        return Expression(_BINARY[name], (value, other))

    # ------------------------------------------------------------------ elements

    def _region(self, reference: MemoryReference) -> _Region:
        region = self._regions.get(reference.name)
        if region is None or not 0 <= reference.offset < region.size:
            raise self._invalid(f"{reference} is not declared")
        return region

    def _clbits(self, reference: MemoryReference) -> Sequence[int]:
        """Return the clbits of an element, the least significant first."""
        region, place = self._region(reference), int(reference.offset)
        if region.kind not in WIDTHS:
            raise refused(self.index, region.kind, f"what is computed with {reference} is known only when it runs")
        if place not in region.elements:
            region.elements[place] = self._out.new_hidden_clbits(WIDTHS[region.kind])
        clbits: Sequence[int] = region.elements[place]
        return clbits

    def _value(self, operand: Any) -> int | Expression:  # noqa: ANN401 - memory or a number
        if isinstance(operand, MemoryReference):
            value = bits(*self._clbits(operand))
            is_signed = self._region(operand).kind == "INTEGER"
            return Expression("signed", (value, WIDTHS["INTEGER"])) if is_signed else value
        if int(operand) != operand or abs(operand) >= MAX_INTEGER:
            raise self._invalid(f"{operand} is not a whole number below 2**63")
        return int(operand)

    def _write(self, target: MemoryReference, value: int | Expression) -> None:
        self._out.assign(self._clbits(target), value)

    def _invalid(self, what: str) -> CircuitInvalidError:
        return CircuitInvalidError(f"operation {self.index}: {what}", rule="clbit index", operation=self.index)


def angle_of(expression: Any, read: Callable[[MemoryReference], Angle]) -> Angle:  # noqa: ANN401 - of pyQuil
    """Return a number or an expression of pyQuil as an angle.

    Args:
        expression: a number, memory, or what is computed from them.
        read: returns what memory stands for.

    Raises:
        CircuitInvalidError: a number is not real.
        UnsupportedError: it has a function that angles do not have.
    """
    if isinstance(expression, MemoryReference):
        return read(expression)
    kind = type(expression).__name__
    if kind in _OF_ANGLES:
        return Expression(_OF_ANGLES[kind], (angle_of(expression.op1, read), angle_of(expression.op2, read)))
    if kind == "Function":
        if expression.name not in _FUNCTIONS:
            msg = f"an angle has no function {expression.name}"
            raise UnsupportedError(msg, feature=expression.name)
        return Expression(_FUNCTIONS[expression.name], (angle_of(expression.expression, read),))
    number = complex(expression)
    if number.imag:
        msg = f"the angle {expression} is not real"
        raise CircuitInvalidError(msg, rule="parameter")
    return number.real


_OF_ANGLES: Mapping[str, str] = {"Add": "+", "Sub": "-", "Mul": "*", "Div": "/", "Pow": "**"}
_FUNCTIONS: Mapping[str, str] = {"SIN": "sin", "COS": "cos", "SQRT": "sqrt", "EXP": "exp"}
