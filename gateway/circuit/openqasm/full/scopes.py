"""The scopes of a program while it is unrolled, the symbols in them, and the errors for a place in the program."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import CircuitInvalidError, UnsupportedError

if TYPE_CHECKING:
    from openqasm3 import ast


@dataclass(frozen=True, slots=True)
class Qubits:
    """The qubits of a register, of an alias or of a part of one, or a single qubit.

    Args:
        indices: the numbers of the qubits in the circuit.
        single: whether it is one qubit and not a register; a single qubit is repeated beside registers.
    """

    indices: tuple[int, ...]
    single: bool = False


@dataclass(frozen=True, slots=True)
class Clbits:
    """Bits whose values are known only when the circuit runs.

    Args:
        indices: the numbers of the clbits in the circuit, the least significant first.
        single: whether it is one bit and not a register.
        writable: false for an argument that is passed by value.
    """

    indices: tuple[int, ...]
    single: bool = False
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Word:
    """Bits with known values: a bit string, or a ``bit[n]`` or ``uint[n]`` with a value."""

    value: int
    width: int


Value = bool | int | float | Word


@dataclass(frozen=True, slots=True)
class Kind:
    """A classical type: ``int uint float angle bool bit``, with its width, if it has one."""

    name: str
    width: int | None = None

    def __str__(self) -> str:
        return self.name if self.width is None else f"{self.name}[{self.width}]"


@dataclass(slots=True)
class Variable:
    """A classical variable whose value is known while unrolling.

    Args:
        kind: the type of the variable.
        value: its value; ``None`` before the first assignment.
        constant: whether nothing can be assigned to it.
        depth: the number of statements with conditions on clbits around its declaration; statements that are
            nested deeper cannot assign to it.
    """

    kind: Kind
    value: Value | None
    constant: bool = False
    depth: int = 0


@dataclass(frozen=True, slots=True)
class GateDefinition:
    """A gate that the text defines. Its body sees the definitions with a lower ``order``, and the gate table."""

    node: ast.QuantumGateDefinition
    order: int


Symbol = Qubits | Clbits | Variable


class Scope:
    """The names of a block, which hide those of the block around it.

    Args:
        parent: the scope of the block around it.
        only_constants: whether only the constants of the parent are visible, as inside gates and subroutines.
    """

    def __init__(self, parent: Scope | None = None, *, only_constants: bool = False) -> None:
        self.names: dict[str, Symbol] = {}
        self.parent = parent
        self.only_constants = only_constants

    def declare(self, name: str, symbol: Symbol) -> None:
        """Declare a name.

        Raises:
            CircuitInvalidError: the same block has declared it before.
        """
        if name in self.names:
            msg = f"{name!r} is already declared"
            raise CircuitInvalidError(msg, rule="duplicate name")
        self.names[name] = symbol

    def find(self, name: str) -> Symbol | None:
        """Return the symbol that a name stands for in this scope, or ``None``."""
        scope: Scope | None = self
        only_constants = False
        while scope is not None:
            symbol = scope.names.get(name)
            if symbol is not None and not (only_constants and not (isinstance(symbol, Variable) and symbol.constant)):
                return symbol
            only_constants = only_constants or scope.only_constants
            scope = scope.parent
        return None


def line_of(node: ast.QASMNode) -> int | None:
    """Return the line in which a node begins, counted from 1."""
    return None if node.span is None else int(node.span.start_line)


def refuse(node: ast.QASMNode, feature: str, why: str) -> UnsupportedError:
    """Return the error for a construct of OpenQASM that a flat circuit cannot express."""
    line = line_of(node)
    where = f"line {line}: " if line is not None else ""
    return UnsupportedError(f"{where}{feature}: {why}", feature=feature, line=line)


def invalid(node: ast.QASMNode, rule: str, what: str) -> CircuitInvalidError:
    """Return the error for a program that breaks a rule."""
    return CircuitInvalidError(what, rule=rule, line=line_of(node))
