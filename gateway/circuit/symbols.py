"""How each operation is drawn, in text as in a picture: what stands on which of its qubits, and beside the clbits."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from gateway.circuit.expressions import Angle, Expression
from gateway.circuit.operations import Comparison, Operation
from gateway.look import numbers

_CONTROLLED: dict[str, tuple[int, str]] = {
    "cx": (1, "X"), "CX": (1, "X"), "cy": (1, "y"), "cz": (1, "z"), "ch": (1, "h"), "cs": (1, "s"),
    "csdg": (1, "sdg"), "csx": (1, "sx"), "cp": (1, "p"), "cu1": (1, "u1"), "crx": (1, "rx"), "cry": (1, "ry"),
    "crz": (1, "rz"), "cu3": (1, "u3"), "cu": (1, "u"), "cswap": (1, "swap"), "ccx": (2, "X"), "ccz": (2, "z"),
    "c3x": (3, "X"), "c3sqrtx": (3, "sx"), "c4x": (4, "X"),
}  # fmt: skip
"""Name -> number of control qubits, and the gate on the other qubits."""

_SYMMETRIC = frozenset(["rzz", "rxx", "ryy", "ms", "iswap"])
_MOST_QUBITS_IN_WORDS = 8
_KEPT_AT_AN_END = 10
"""How much is kept at each end of a long list of clbits, and of a large number that they are compared with."""


class Mark(StrEnum):
    """What stands on the targets of an operation."""

    BOX = "box"
    """A box with the gate's name and angles."""
    NOT = "X"
    """The target of a controlled x."""
    SWAP = "swap"
    BARRIER = "barrier"
    MEASURE = "measure"
    RESET = "reset"
    SET = "set"
    """An assignment, which stands beside the clbits only."""
    WHILE = "while"
    """The beginning of a loop, across all qubits."""
    END = "end"
    """The end of a loop, across all qubits."""


class Symbol(NamedTuple):
    """How an operation is drawn.

    Args:
        mark: what stands on the targets.
        name: what a box says.
        angles: the gate's angles as multiples of pi, separated by commas; empty if it has none.
        controls: the control qubits.
        targets: the other qubits; none for a global phase.
        numbered: whether the targets play different parts, so that each box has its number.
        writes: the clbit to which a measurement writes, or clbits with the value that is assigned to them.
        tests: the condition, such as ``0,1=2`` for "clbits 0 and 1, read as a number, are 2"; empty without one.
    """

    mark: Mark
    name: str
    angles: str
    controls: tuple[int, ...]
    targets: tuple[int, ...]
    numbered: bool
    writes: str
    tests: str

    @property
    def classical(self) -> str:
        """What stands beside the clbits under the operation; empty if nothing does."""
        if self.mark in {Mark.WHILE, Mark.END}:
            return f"{self.name} {self.tests}".rstrip()
        return f"{self.tests}→{self.writes}" if self.tests and self.writes else self.tests or self.writes


def symbol(op: Operation) -> Symbol:
    """Return how an operation is drawn."""
    number, name = _CONTROLLED.get(op.name, (0, op.name))
    mark = Mark(name) if name in set(Mark) else Mark.BOX
    targets = op.qubits[number:]
    return Symbol(
        mark=mark,
        name=name,
        angles=",".join(map(_angle, op.params)) if mark is not Mark.SET else "",
        controls=op.qubits[:number],
        targets=targets,
        numbered=mark is Mark.BOX and len(targets) > 1 and name not in _SYMMETRIC,
        writes=_writes(op),
        tests="&".join(map(_test, op.condition)),
    )


def sentence(op: Operation) -> str:
    """Return an operation in words, such as ``cx on q0, q1`` or ``x on q2 if c1=1``."""
    when = f" if {' and '.join([f'c{_test(comparison)}' for comparison in op.condition])}" if op.condition else ""
    if op.name == "set":
        return f"set c{_writes(op).replace(':=', ' to ')}{when}"
    if op.name in {"while", "end"}:
        return f"{op.name}{when.replace(' if', '', 1)}"
    angles = f"({', '.join(map(_angle, op.params))})" if op.params else ""
    number = len(op.qubits)
    qubits = (
        ", ".join([f"q{qubit}" for qubit in op.qubits]) if number <= _MOST_QUBITS_IN_WORDS else f"{number:,} qubits"
    )
    where = f" on {qubits}" if qubits else ""
    into = f" into c{_writes(op)}" if op.clbits else ""
    return f"{op.name}{angles}{where}{into}{when}"


def _test(comparison: Comparison) -> str:
    sign = "=" if comparison.equal else "≠"
    return f"{_short(','.join(map(str, comparison.clbits)))}{sign}{_short(str(comparison.value))}"


def _writes(op: Operation) -> str:
    """Return the clbits to which an operation writes, and the value if it is an assignment."""
    clbits = _short(",".join(map(str, op.clbits)))
    return f"{clbits}:={_short(str(op.params[0]))}" if op.name == "set" else clbits


def _angle(value: Angle) -> str:
    return _short(str(value)) if isinstance(value, Expression) else numbers.angle(value)


def _short(text: str) -> str:
    """Return a text whose middle is left out if it is long."""
    return text if len(text) <= 2 * _KEPT_AT_AN_END + 1 else f"{text[:_KEPT_AT_AN_END]}…{text[-_KEPT_AT_AN_END:]}"
