"""The parts of a circuit as plain data: operations, their conditions, and limits on their number.

This is the lowest layer of the package. The parser, the drawing and the exports use only this data;
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
        """Return whether the comparison is true when clbit ``k`` is bit ``k`` of ``bits``."""
        number = sum((bits >> clbit & 1) << place for place, clbit in enumerate(self.clbits))
        return (number == self.value) is self.equal


Condition = tuple[Comparison, ...]
"""A conjunction of comparisons: the operation happens when all of them hold. An empty condition always holds."""

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
        condition: the operation happens only if all these comparisons hold at that moment.
    """

    name: str
    qubits: tuple[int, ...]
    params: tuple[float, ...] = ()
    clbits: tuple[int, ...] = ()
    condition: Condition = ()

    def __str__(self) -> str:
        return self._text([f"{angle:g}" for angle in self.params])

    def with_all_digits(self) -> str:
        """Return the operation as text in which the angles have all their digits."""
        return self._text([repr(angle) for angle in self.params])

    def _text(self, angles: list[str]) -> str:
        params = f"({', '.join(angles)})" if angles else ""
        where = " ".join(map(str, self.qubits))
        into = f" -> {self.clbits[0]}" if self.clbits else ""
        return f"{self.name}{params} {where}{into}"


class CircuitData(Protocol):
    """The data that readers of a circuit need; both Circuit and CircuitParts have it."""

    @property
    def num_qubits(self) -> int:
        """The number of qubits, which are ``0 .. num_qubits - 1``."""

    @property
    def num_clbits(self) -> int:
        """The number of clbits, which are ``0 .. num_clbits - 1``."""

    @property
    def operations(self) -> Sequence[Operation]:
        """The operations in order of time."""


class CircuitParts(NamedTuple):
    """The data of a circuit that a parser or a conversion has read.

    ``Circuit(*parts)`` makes a circuit of it, which then owns the list of operations.
    """

    num_qubits: int
    num_clbits: int
    operations: list[Operation]


class Limits(NamedTuple):
    """How large a circuit may be. A larger one is a LimitError before anything is built."""

    qubits: int = 4096
    clbits: int = 65_536
    operations: int = 1_000_000
    text_bytes: int = 32 * 2**20


DEFAULT_LIMITS = Limits()
