"""The scopes of a program while it is unrolled: what each name means there, and how a fault is reported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import CircuitInvalidError, UnsupportedError

if TYPE_CHECKING:
    from openqasm3 import ast


@dataclass(frozen=True, slots=True)
class Qubits:
    """A register, an alias, a part of one, or one qubit.

    Args:
        indices: in the circuit.
        single: one qubit, not a register of one: it is repeated beside registers.
    """

    indices: tuple[int, ...]
    single: bool = False


@dataclass(frozen=True, slots=True)
class Clbits:
    """Bits that are known only when the circuit runs.

    Args:
        indices: in the circuit; the first one is the least significant.
        single: one bit, not a register of one.
        writable: false for an argument passed by value.
    """

    indices: tuple[int, ...]
    single: bool = False
    writable: bool = True


@dataclass(frozen=True, slots=True)
class Word:
    """Bits that are known now: a bit string, a ``bit[n]`` or a ``uint[n]`` with a value."""

    value: int
    width: int


Value = bool | int | float | Word


@dataclass(frozen=True, slots=True)
class Kind:
    """A classical type: ``int uint float angle bool bit``, with its width where one is given."""

    name: str
    width: int | None = None

    def __str__(self) -> str:
        return self.name if self.width is None else f"{self.name}[{self.width}]"


@dataclass(slots=True)
class Variable:
    """A classical variable whose value is known while unrolling.

    Args:
        kind: its type.
        value: ``None`` until it is assigned.
        constant: it cannot be assigned.
        depth: under how many measured conditions it was declared; deeper ones cannot assign it.
    """

    kind: Kind
    value: Value | None
    constant: bool = False
    depth: int = 0


@dataclass(frozen=True, slots=True)
class GateDefinition:
    """A gate the text defines; it sees the definitions of a lower ``order``, else the table."""

    node: ast.QuantumGateDefinition
    order: int


Symbol = Qubits | Clbits | Variable


class Scope:
    """Names declared in a block, before those of the block around it.

    Args:
        parent: the block around it.
        only_constants: of the parent, see only the constants, as inside gates and subroutines.
    """

    def __init__(self, parent: Scope | None = None, *, only_constants: bool = False) -> None:
        self.names: dict[str, Symbol] = {}
        self.parent = parent
        self.only_constants = only_constants

    def declare(self, name: str, symbol: Symbol) -> None:
        """Give a name its meaning.

        Raises:
            CircuitInvalidError: this very block has declared it already.
        """
        if name in self.names:
            msg = f"{name!r} is already declared"
            raise CircuitInvalidError(msg, rule="duplicate name")
        self.names[name] = symbol

    def find(self, name: str) -> Symbol | None:
        """Return what a name means here."""
        scope: Scope | None = self
        hidden = False
        while scope is not None:
            symbol = scope.names.get(name)
            if symbol is not None and not (hidden and not (isinstance(symbol, Variable) and symbol.constant)):
                return symbol
            hidden = hidden or scope.only_constants
            scope = scope.parent
        return None


def line_of(node: ast.QASMNode) -> int | None:
    """Return the line a node begins in, counted from one."""
    return None if node.span is None else int(node.span.start_line)


def refuse(node: ast.QASMNode, feature: str, why: str) -> UnsupportedError:
    """Return the error for OpenQASM that a flat circuit cannot express."""
    line = line_of(node)
    where = f"line {line}: " if line is not None else ""
    return UnsupportedError(f"{where}{feature}: {why}", feature=feature, line=line)


def invalid(node: ast.QASMNode, rule: str, what: str) -> CircuitInvalidError:
    """Return the error for a program that breaks a rule."""
    return CircuitInvalidError(what, rule=rule, line=line_of(node))
