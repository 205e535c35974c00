"""The scopes of a program, what names stand for in them, and the errors about names."""

from __future__ import annotations

from itertools import count

from gateway.circuit.openqasm.values import BITS, Kind, Measured, Value, read_bits
from gateway.errors import CircuitInvalidError


class Qubits:
    """A qubit, a register of qubits, or a part of registers.

    Args:
        indices: the numbers of the qubits in the circuit; those of an argument change with each call.
        single: whether it is one qubit and not a register; a single qubit is repeated beside registers.
    """

    __slots__ = ("indices", "single")

    def __init__(self, indices: tuple[int, ...] = (), *, single: bool = False) -> None:
        self.indices = indices
        self.single = single


_NUMBERS = count()


class Variable:
    """A classical variable, or bits of the outcome.

    Its value is known while the circuit is built, or depends on outcomes and then is in clbits, its home. While a
    statement whose course depends on outcomes assigns to the variable, the variable is pinned: its home has its value
    at every moment.

    Args:
        name: its name, for messages.
        kind: its type.
        value: its value; ``None`` before the first assignment.
        constant: whether nothing can be assigned to it.
        home: the clbits in which its value is, the least significant first.
        is_outcome: whether it is bits that live in their home.
    """

    __slots__ = (
        "constant", "home", "is_const_bit", "is_outcome", "is_output", "kind", "name", "narrow", "number",
        "pins", "value",
    )  # fmt: skip

    def __init__(
        self,
        name: str,
        kind: Kind,
        value: Value | None = None,
        *,
        constant: bool = False,
        home: tuple[int, ...] = (),
        is_outcome: bool = False,
    ) -> None:
        self.name = name
        self.kind = kind
        self.value = value
        self.constant = constant
        self.home = home
        self.is_outcome = is_outcome
        self.is_output = False  # a number that is part of the outcome: its home always has its value
        self.is_const_bit = False  # bits that would be part of the outcome if anything else were assigned to them
        self.narrow: dict[int, tuple[int, ...]] = {}  # number of bits -> clbits for a small value that is not pinned
        self.number = next(_NUMBERS)  # which orders variables by their declarations
        self.pins = 0

    def live_at(self, home: tuple[int, ...], kind: Kind) -> None:
        """Make the variable bits whose values are in clbits, always."""
        self.kind = kind
        self.home = home
        self.is_outcome = True
        self.value = read_bits(home, single=kind.width is None)


Symbol = Qubits | Variable


class Scope:
    """The names of a block, which hide those of the block around it.

    Args:
        parent: the scope of the block around it.
        is_inner: whether this is the body of a gate or subroutine: of its parent it sees the constants only, and a
            subroutine the registers too.
        sees_registers: see ``is_inner``.
    """

    def __init__(self, parent: Scope | None = None, *, is_inner: bool = False, sees_registers: bool = False) -> None:
        self.names: dict[str, Symbol] = {}
        self.parent = parent
        self.is_inner = is_inner
        self.sees_registers = sees_registers

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
        only_constants, no_registers = False, False
        while scope is not None:
            symbol = scope.names.get(name)
            if symbol is not None:
                if not only_constants or (isinstance(symbol, Variable) and symbol.constant):
                    return symbol
                is_register = isinstance(symbol, Qubits) or symbol.is_outcome
                return symbol if is_register and not no_registers else None
            if scope.is_inner:
                only_constants = True
                no_registers = no_registers or not scope.sees_registers
            scope = scope.parent
        return None


def is_measured_bits(symbol: Symbol | None) -> bool:
    """Return whether a symbol is bits whose values are in clbits."""
    return isinstance(symbol, Variable) and symbol.kind.name == BITS and isinstance(symbol.value, Measured)
