"""The parts of a circuit as plain data: operations, their conditions, and limits on their number.

This is the lowest layer of the package. The parser, the drawing and the exports use only this data;
:class:`gateway.circuit.Circuit` stands above them and offers them as methods.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

import msgspec

from gateway.circuit.expressions import Angle, Expression

CONTROL = frozenset({"set", "while", "end"})
"""Operations on clbits alone: an assignment, and the marks between which a loop stands."""

NON_GATES = frozenset({"measure", "reset", "barrier"}) | CONTROL

NO_TIMING = "timing has no effect here"
"""The note of a circuit from which delays or durations were left out."""


MAX_NOTES = 20
MAX_NOTE = 500
"""A circuit has at most so many notes, of so many characters each."""


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
    """A gate, measurement, reset or barrier applied to qubits, or a step of control flow.

    On the wire it is the array ``[name, qubits, params, clbits, condition]``. Control flow stays in the flat list:

    * ``set`` writes a classical value to clbits: a whole number or an :class:`~gateway.circuit.expressions.Expression`
      of clbits, modulo ``2**len(clbits)``. All clbits are read before any is written.
    * ``while`` begins a loop, and the ``end`` that belongs to it ends it. The condition is tested before each turn.

    An ``if`` of a language needs no step of its own: each operation of its branches has the condition. Where a branch
    changes a clbit that its condition tests, the condition is first written to a hidden clbit.

    Args:
        name: a row of the gate table, or ``measure``, ``reset``, ``barrier``, ``set``, ``while``, ``end``.
        qubits: distinct indices; for a matrix, the first one listed is the least significant bit.
        params: angles in radians, finite, or expressions of parameters; of a ``set`` its value.
        clbits: where a measurement or a ``set`` writes, the least significant bit first; otherwise empty.
        condition: the operation happens only if all these comparisons hold at that moment.
    """

    name: str
    qubits: tuple[int, ...]
    params: tuple[Angle, ...] = ()
    clbits: tuple[int, ...] = ()
    condition: Condition = ()

    def __str__(self) -> str:
        return self._text([str(angle) if isinstance(angle, Expression) else f"{angle:g}" for angle in self.params])

    def with_all_digits(self) -> str:
        """Return the operation as text in which the angles have all their digits."""
        return self._text([str(angle) if isinstance(angle, Expression) else repr(angle) for angle in self.params])

    def _text(self, angles: list[str]) -> str:
        params = f"({', '.join(angles)})" if angles else ""
        where = " ".join(map(str, self.qubits))
        into = f" -> {' '.join(map(str, self.clbits))}" if self.clbits else ""
        return f"{self.name}{params} {where}{into}"


def marks_of_loops(operations: Iterable[Operation]) -> Iterator[tuple[int, int]]:
    """Yield the marks of each loop, the index of its ``while`` and of its ``end``; a loop comes after those in it."""
    begins: list[int] = []
    for index, op in enumerate(operations):
        if op.name == "while":
            begins.append(index)
        elif op.name == "end":
            yield begins.pop(), index


class CircuitData(Protocol):
    """The data that readers of a circuit need; both Circuit and CircuitParts have it."""

    @property
    def num_qubits(self) -> int:
        """The number of qubits, which are ``0 .. num_qubits - 1``."""

    @property
    def num_clbits(self) -> int:
        """The number of clbits of the outcome, which are ``0 .. num_clbits - 1``."""

    @property
    def num_hidden(self) -> int:
        """The number of hidden clbits, which come after those of the outcome."""

    @property
    def operations(self) -> Sequence[Operation]:
        """The operations in order of time."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about the circuit, for people."""


class CircuitParts(NamedTuple):
    """The data of a circuit that a parser or a conversion has read.

    ``Circuit(*parts)`` makes a circuit of it, which then owns the list of operations.
    """

    num_qubits: int
    num_clbits: int
    operations: list[Operation]
    num_hidden: int = 0
    notes: tuple[str, ...] = ()


class Limits(NamedTuple):
    """How large a circuit may be. A larger one is a LimitError before anything is built.

    Hidden clbits count as clbits.
    """

    qubits: int = 4096
    clbits: int = 65_536
    operations: int = 1_000_000
    text_bytes: int = 32 * 2**20


DEFAULT_LIMITS = Limits()
