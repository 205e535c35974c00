"""The shared circuit: a flat list of operations on numbered qubits and clbits.

A :class:`Circuit` is the same small structure in memory, on the wire and in front of an adapter. It has
no registers, no gate definitions and no control flow: the parser flattens text, and refuses what cannot be
flattened.

This module is the entrance to the package. Python loads the code behind some methods (text in and out, a
drawing) when they are first called, because a server needs none of it. That code works on the data in
:mod:`gateway.circuit.operations` and does not know this class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Self

import msgspec

from gateway import conversions
from gateway.circuit.builder import GateMethods
from gateway.circuit.conditions import clbits_of, condition_of
from gateway.circuit.operations import (
    DEFAULT_LIMITS,
    NON_GATES,
    CircuitData,
    CircuitParts,
    Comparison,
    Condition,
    Limits,
    Operation,
    When,
)
from gateway.circuit.rules import check_circuit, check_numbers, check_operation
from gateway.errors import CircuitInvalidError

__all__ = [
    "DEFAULT_LIMITS",
    "NON_GATES",
    "Circuit",
    "CircuitData",
    "CircuitParts",
    "Comparison",
    "Condition",
    "Limits",
    "Operation",
    "When",
    "parse",
]


class Circuit(GateMethods, msgspec.Struct, forbid_unknown_fields=True):
    """A quantum circuit: numbers of qubits and clbits, and a flat list of operations.

    Every gate of the table is a method; methods append and return the circuit itself::

        Circuit(2).h(0).cx(0, 1).measure_all()
        Circuit(2, 1).h(0).measure(0, 0).x(1, when={0: 1})

    Two circuits are equal when their numbers of qubits, their numbers of clbits and their operations are equal.

    Args:
        num_qubits: the qubits are ``0 .. num_qubits - 1``; idle qubits are kept.
        num_clbits: the clbits are ``0 .. num_clbits - 1``; clbit 0 is the rightmost character of a bitstring.
        operations: the operations in order of time. The circuit owns the list.
    """

    num_qubits: int = 0
    num_clbits: int = 0
    operations: list[Operation] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        check_numbers(self.num_qubits, self.num_clbits)

    # ------------------------------------------------------------------ building

    def append(self, operation: Operation) -> Self:
        """Append an operation after checking it.

        Raises:
            CircuitInvalidError: the operation breaks a rule of :meth:`validate`.
        """
        check_operation(operation, self.num_qubits, self.num_clbits, len(self.operations))
        self.operations.append(operation)
        return self

    def gate(self, name: str, qubits: Sequence[int], params: Sequence[float] = (), when: When = None) -> Self:
        """Append a gate of the table by name."""
        return self.append(
            Operation(name, tuple(qubits), tuple(map(_number, params)), (), condition_of(when)),
        )

    def measure(self, qubit: int, clbit: int, when: When = None) -> Self:
        """Measure a qubit in the computational basis and write the outcome to a clbit."""
        return self.append(Operation("measure", (qubit,), (), (clbit,), condition_of(when)))

    def measure_all(self) -> Self:
        """Measure qubit ``k`` into clbit ``k`` for every qubit, adding clbits if there are too few."""
        self.num_clbits = max(self.num_clbits, self.num_qubits)
        for qubit in range(self.num_qubits):
            self.operations.append(Operation("measure", (qubit,), (), (qubit,)))
        return self

    def reset(self, qubit: int, when: When = None) -> Self:
        """Bring a qubit to the state 0."""
        return self.append(Operation("reset", (qubit,), (), (), condition_of(when)))

    def barrier(self, *qubits: int) -> Self:
        """Append a barrier, on all qubits if none is named. A barrier has no effect on results."""
        return self.append(Operation("barrier", qubits or tuple(range(self.num_qubits))))

    # ------------------------------------------------------------------ inspecting

    def count_ops(self) -> dict[str, int]:
        """Return how often each operation occurs, the most frequent first."""
        return dict(Counter(operation.name for operation in self.operations).most_common())

    def depth(self) -> int:
        """Return the length of the longest chain of operations that wait for each other.

        Operations wait for each other when they share a qubit, or a clbit that one of them writes
        or tests. A barrier makes its qubits wait but adds no length; neither does a global phase.
        """
        qubit_level = [0] * self.num_qubits
        clbit_level = [0] * self.num_clbits
        for name, qubits, _, clbits, condition in map(_fields, self.operations):
            op_clbits = (*clbits, *clbits_of(condition)) if condition else clbits
            level = max([*(qubit_level[q] for q in qubits), *(clbit_level[c] for c in op_clbits)], default=0)
            level += name != "barrier" and bool(qubits)
            for qubit in qubits:
                qubit_level[qubit] = level
            for clbit in op_clbits:
                clbit_level[clbit] = level
        return max([*qubit_level, *clbit_level], default=0)

    def draw(self, width: int | None = None) -> str:
        """Return a drawing of the circuit in text, one line per wire; lines are at most as wide as the terminal."""
        from gateway.circuit.drawing import draw  # noqa: PLC0415 - a server draws nothing

        return draw(self, width=width)

    def _repr_html_(self) -> str:
        from gateway.circuit.notebook import show  # noqa: PLC0415 - a server shows nothing

        return show(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ANN401, ARG002 - as IPython calls it
        from gateway.circuit.notebook import draw_briefly  # noqa: PLC0415 - a server shows nothing

        printer.text(draw_briefly(self))

    def to_openqasm2(self) -> str:
        """Return the circuit as OpenQASM 2 text.

        Raises:
            UnsupportedError: OpenQASM 2 cannot express a condition of the circuit.
        """
        from gateway.circuit.export import dump_openqasm2  # noqa: PLC0415 - a server writes no OpenQASM

        return dump_openqasm2(self)

    def to_openqasm3(self) -> str:
        """Return the circuit as OpenQASM 3 text."""
        from gateway.circuit.export import dump_openqasm3  # noqa: PLC0415 - a server writes no OpenQASM

        return dump_openqasm3(self)

    def to(self, framework: str) -> Any:  # noqa: ANN401 - the framework's own class
        """Return the circuit as an object of ``qiskit``, ``cirq``, ``pytket``, ...; see :mod:`gateway.frameworks`.

        Raises:
            RequestError, FrameworkNotInstalled: the framework is unknown or absent.
            UnsupportedError: the framework cannot express something in this circuit.
        """
        return conversions.dump(self, framework)

    @classmethod
    def from_openqasm(cls, text: str, limits: Limits = DEFAULT_LIMITS) -> Self:
        """Read OpenQASM 2 or 3 text; the arguments and errors are those of :func:`gateway.circuit.openqasm.read`."""
        from gateway.circuit.openqasm import read  # noqa: PLC0415 - an adapter reads no text

        return cls(*read(text, limits))

    # ------------------------------------------------------------------ checking

    def validate(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Check a circuit that came from elsewhere (about 0.4 us an operation).

        Raises:
            CircuitInvalidError: an unknown name, a wrong number of qubits, parameters or clbits, an
                index out of range, a qubit named twice, an angle that is not finite, or a condition
                that no value of its clbits could satisfy or miss. ``operation`` has the index.
            LimitError: the circuit is larger than ``limits``.
        """
        check_circuit(self, limits)


def _fields(op: Operation) -> tuple[str, tuple[int, ...], tuple[float, ...], tuple[int, ...], Condition]:
    return op.name, op.qubits, op.params, op.clbits, op.condition


def _number(value: float) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        msg = f"a parameter is a number in radians, not {value!r}"
        raise CircuitInvalidError(msg, rule="parameter")
    return float(value)


def parse(text: str, limits: Limits = DEFAULT_LIMITS) -> Circuit:
    """Return the circuit that OpenQASM 2 or 3 text describes.

    The arguments and errors are those of :func:`gateway.circuit.openqasm.read`.
    """
    return Circuit.from_openqasm(text, limits)
