"""What a circuit is made of, as plain data: operations, their conditions, and how many there may be.

This is the lowest layer of the circuit. The parser, the drawing and the exports work on this data alone;
:class:`gateway.circuit.Circuit` stands above them and offers them as methods.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

NON_GATES = frozenset({"measure", "reset", "barrier"})


class Comparison(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """Some clbits, read as a number, compared with a constant.

    Args:
        clbits: the first one listed is the least significant bit.
        value: the constant, ``0 <= value < 2**len(clbits)``.
        equal: true for ``==``, false for ``!=``.
    """

    clbits: tuple[int, ...]
    value: int
    equal: bool = True

    def holds(self, bits: int) -> bool:
        """Say whether it is true when clbit ``k`` is bit ``k`` of ``bits``."""
        read = sum((bits >> clbit & 1) << place for place, clbit in enumerate(self.clbits))
        return (read == self.value) is self.equal


Condition = tuple[Comparison, ...]
"""A conjunction: the operation happens when every comparison holds. Empty: always."""

When = Mapping[int, int] | Comparison | Condition | None
"""What a builder method takes as ``when=``: ``{clbit: 0 or 1}``, or comparisons."""


class Operation(msgspec.Struct, frozen=True, array_like=True, gc=False, forbid_unknown_fields=True):
    """A gate, measurement, reset or barrier applied to qubits.

    On the wire it is the array ``[name, qubits, params, clbits, condition]``.

    Args:
        name: a row of the gate table, or ``measure``, ``reset``, ``barrier``.
        qubits: distinct indices; for a matrix, the first one listed is the least significant bit.
        params: angles in radians, finite.
        clbits: where a measurement writes; otherwise empty.
        condition: happens only if all of these hold at that moment.
    """

    name: str
    qubits: tuple[int, ...]
    params: tuple[float, ...] = ()
    clbits: tuple[int, ...] = ()
    condition: Condition = ()

    def __str__(self) -> str:
        params = f"({', '.join(f'{p:g}' for p in self.params)})" if self.params else ""
        where = " ".join(map(str, self.qubits))
        into = f" -> {self.clbits[0]}" if self.clbits else ""
        return f"{self.name}{params} {where}{into}"


class CircuitData(Protocol):
    """What everything that reads a circuit needs of it; a Circuit has it, and so have its parts."""

    @property
    def num_qubits(self) -> int:
        """Qubits are ``0 .. num_qubits - 1``."""

    @property
    def num_clbits(self) -> int:
        """Clbits are ``0 .. num_clbits - 1``."""

    @property
    def operations(self) -> Sequence[Operation]:
        """In order of time."""


class CircuitParts(NamedTuple):
    """The data of a circuit, as what reads text or another framework's circuit hands it over.

    ``Circuit(*parts)`` makes a circuit of it, which then owns the list.
    """

    num_qubits: int
    num_clbits: int
    operations: list[Operation]


class Limits(NamedTuple):
    """How large a circuit may be; what exceeds it is a LimitError before anything is built."""

    qubits: int = 4096
    clbits: int = 65_536
    operations: int = 1_000_000
    text_bytes: int = 32 * 2**20


DEFAULT_LIMITS = Limits()
