"""The shared circuit: a flat list of operations on numbered qubits and clbits.

A :class:`Circuit` is the same small structure in memory, on the wire and in front of an adapter. It has no registers
and no gate definitions: the parser flattens text. Control flow is in the flat list as well, as conditions of
operations, assignments and marks around loops (:class:`Operation`).

This module is the entrance to the package. Python loads the code behind some methods (text in and out, a
drawing) when they are first called, because a server needs none of it. That code works on the data in
:mod:`gateway.circuit.operations` and does not know this class.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any, ClassVar, Self

import msgspec

from gateway import conversions
from gateway.circuit.builder import GateMethods
from gateway.circuit.conditions import clbits_of, condition_of
from gateway.circuit.expressions import Angle, Expression, bits, parameter, parameters_of, substituted
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
    "Expression",
    "Limits",
    "Operation",
    "When",
    "bits",
    "parameter",
    "parse",
]


class Circuit(GateMethods, msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True, eq=False):
    """A quantum circuit: numbers of qubits and clbits, and a flat list of operations.

    Every gate of the table is a method; methods append and return the circuit itself::

        Circuit(2).h(0).cx(0, 1).measure_all()
        Circuit(2, 1).h(0).measure(0, 0).x(1, when={0: 1})
        Circuit(1, 1).rx(parameter("theta") / 2, 0).measure_all()

    Two circuits are equal when their numbers of qubits, clbits and hidden clbits and their operations are equal.

    Args:
        num_qubits: the qubits are ``0 .. num_qubits - 1``; idle qubits are kept.
        num_clbits: the clbits are ``0 .. num_clbits - 1``; clbit 0 is the rightmost character of a bitstring.
        operations: the operations in order of time. The circuit owns the list.
        num_hidden: hidden clbits are ``num_clbits .. num_clbits + num_hidden - 1``: they hold intermediate values and
            are not part of a bitstring. All clbits are 0 at the beginning.
        notes: what a conversion or the parser has to say about the circuit; results have it in their provenance.
    """

    num_qubits: int = 0
    num_clbits: int = 0
    operations: list[Operation] = msgspec.field(default_factory=list)
    num_hidden: int = 0
    notes: tuple[str, ...] = ()

    __hash__: ClassVar[None] = None  # type: ignore[assignment]  # a circuit can be changed

    def __post_init__(self) -> None:
        check_numbers(self.num_qubits, self.num_clbits, self.num_hidden)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Circuit):
            return NotImplemented
        return self._size == other._size and self.operations == other.operations

    @property
    def _size(self) -> tuple[int, int, int]:
        return self.num_qubits, self.num_clbits, self.num_hidden

    def with_operations(self, operations: list[Operation]) -> Self:
        """Return a circuit of the same size, and with the same notes, whose operations are these."""
        return type(self)(self.num_qubits, self.num_clbits, operations, self.num_hidden, self.notes)

    # ------------------------------------------------------------------ building

    def append(self, operation: Operation) -> Self:
        """Append an operation after checking it.

        Raises:
            CircuitInvalidError: the operation breaks a rule of :meth:`validate`.
        """
        check_operation(operation, self.num_qubits, self.num_clbits + self.num_hidden, len(self.operations))
        self.operations.append(operation)
        return self

    def gate(self, name: str, qubits: Sequence[int], params: Sequence[Angle] = (), when: When = None) -> Self:
        """Append a gate of the table by name; an angle is a number, or an expression of parameters."""
        return self.append(
            Operation(name, tuple(qubits), tuple(map(_angle, params)), (), condition_of(when)),
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

    def set(self, clbits: Sequence[int], value: int | Expression, when: When = None) -> Self:
        """Write a classical value to clbits, the least significant bit first.

        Args:
            clbits: where the value goes, modulo ``2**len(clbits)``.
            value: a whole number that a float holds, or an expression such as ``Expression("^", (bits(0), bits(1)))``.
            when: the condition under which this happens.
        """
        return self.append(Operation("set", (), (value,), tuple(clbits), condition_of(when)))

    def while_(self, condition: When) -> Self:
        """Begin a loop whose turns go on as long as a condition holds before them; :meth:`end` ends it."""
        return self.append(Operation("while", (), (), (), condition_of(condition)))

    def end(self) -> Self:
        """End the loop that was begun last."""
        return self.append(Operation("end", ()))

    # ------------------------------------------------------------------ parameters

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the parameters that have no values yet, in the order in which they occur."""
        angles = chain.from_iterable([op.params for op in self.operations if op.name != "set"])
        expressions = [angle for angle in angles if type(angle) is Expression]
        return tuple(dict.fromkeys(chain.from_iterable(map(parameters_of, expressions))))

    def bind(self, values: Mapping[str, float] | None = None, /, **named: float) -> Self:
        """Return the circuit with values for some of its parameters, or all: ``circuit.bind(theta=0.3)``.

        Args:
            values: parameter -> value in radians, finite.
            named: the same, for names that Python takes.

        Raises:
            CircuitInvalidError: the circuit has no such parameter, or a value is no finite number.
        """
        given = {name: _number(value) for name, value in {**(values or {}), **named}.items()}
        known = dict.fromkeys(self.parameters)
        for name in given:
            if name not in known:
                has = f"its parameters are {', '.join(known)}" if known else "it has none"
                msg = f"the circuit has no parameter {name!r}: {has}"
                raise CircuitInvalidError(msg, rule="unknown parameter")
        return self.with_operations([_bound(op, given) for op in self.operations])

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
        clbit_level = [0] * (self.num_clbits + self.num_hidden)
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

    def validate(self, limits: Limits = DEFAULT_LIMITS) -> bool:
        """Check a circuit that came from elsewhere (about 0.4 us an operation).

        Returns:
            Whether it has expressions; those without parameters become numbers by :meth:`bind`.

        Raises:
            CircuitInvalidError: an unknown name, a wrong number of qubits, parameters or clbits, an
                index out of range, a qubit named twice, an angle that is not finite, or a condition
                that no value of its clbits could satisfy or miss. ``operation`` has the index.
            LimitError: the circuit is larger than ``limits``.
        """
        return check_circuit(self, limits)


def _fields(op: Operation) -> tuple[str, tuple[int, ...], tuple[float, ...], tuple[int, ...], Condition]:
    return op.name, op.qubits, op.params, op.clbits, op.condition


def _angle(value: Angle) -> Angle:
    return value if isinstance(value, Expression) else _number(value)


def _number(value: float) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        msg = f"a parameter is a number in radians, not {value!r}"
        raise CircuitInvalidError(msg, rule="parameter")
    return float(value)


def _bound(op: Operation, values: Mapping[str, float]) -> Operation:
    """Return an operation in which parameters have values."""
    if op.name == "set" or Expression not in map(type, op.params):
        return op
    return Operation(
        op.name, op.qubits, tuple([substituted(angle, values) for angle in op.params]), op.clbits, op.condition
    )


def parse(text: str, limits: Limits = DEFAULT_LIMITS) -> Circuit:
    """Return the circuit that OpenQASM 2 or 3 text describes.

    The arguments and errors are those of :func:`gateway.circuit.openqasm.read`.
    """
    return Circuit.from_openqasm(text, limits)
