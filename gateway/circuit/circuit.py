"""The shared circuit: a flat list of operations on numbered qubits and clbits.

A :class:`Circuit` in memory, on the wire and in front of an adapter is the same small structure.
There are no registers, no gate definitions and no control flow: text is flattened when it is
parsed, and what cannot be flattened is refused there.
"""

from __future__ import annotations

import importlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Self

import msgspec

from gateway.circuit.builder import GateMethods
from gateway.circuit.gates import GATES
from gateway.errors import CircuitInvalidError, LimitError

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

_Broken = Callable[[str, str], CircuitInvalidError]

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


class Limits(NamedTuple):
    """How large a circuit may be; what exceeds it is a LimitError before anything is built."""

    qubits: int = 4096
    clbits: int = 65_536
    operations: int = 1_000_000
    text_bytes: int = 32 * 2**20


DEFAULT_LIMITS = Limits()


class Circuit(GateMethods, msgspec.Struct, forbid_unknown_fields=True):
    """A quantum circuit: numbers of qubits and clbits, and a flat list of operations.

    Every gate of the table is a method; methods append and return the circuit itself::

        Circuit(2).h(0).cx(0, 1).measure_all()
        Circuit(2, 1).h(0).measure(0, 0).x(1, when={0: 1})

    Two circuits are equal when their numbers of qubits and clbits and their operations are.

    Args:
        num_qubits: qubits are ``0 .. num_qubits - 1``; an idle one is kept.
        num_clbits: clbits are ``0 .. num_clbits - 1``; clbit 0 is the rightmost character of a bitstring.
        operations: in order of time; owned by the circuit.
    """

    num_qubits: int = 0
    num_clbits: int = 0
    operations: list[Operation] = msgspec.field(default_factory=list)

    def __post_init__(self) -> None:
        for name, value in (("qubits", self.num_qubits), ("clbits", self.num_clbits)):
            if type(value) is not int or value < 0:
                msg = f"a circuit has a whole number of {name}, not {value!r}"
                raise CircuitInvalidError(msg, rule=f"number of {name}")

    # ------------------------------------------------------------------ building

    def append(self, operation: Operation) -> Self:
        """Append an operation after checking it.

        Raises:
            CircuitInvalidError: it breaks a rule of :meth:`validate`.
        """
        _check(operation, self.num_qubits, self.num_clbits, len(self.operations))
        self.operations.append(operation)
        return self

    def gate(self, name: str, qubits: Sequence[int], params: Sequence[float] = (), when: When = None) -> Self:
        """Append a gate of the table by name."""
        return self.append(
            Operation(name, tuple(qubits), tuple(map(_number, params)), (), _condition(when)),
        )

    def measure(self, qubit: int, clbit: int, when: When = None) -> Self:
        """Measure a qubit in the computational basis and write the outcome to a clbit."""
        return self.append(Operation("measure", (qubit,), (), (clbit,), _condition(when)))

    def measure_all(self) -> Self:
        """Measure qubit ``k`` into clbit ``k`` for every qubit; clbits are added where they lack."""
        self.num_clbits = max(self.num_clbits, self.num_qubits)
        for qubit in range(self.num_qubits):
            self.operations.append(Operation("measure", (qubit,), (), (qubit,)))
        return self

    def reset(self, qubit: int, when: When = None) -> Self:
        """Bring a qubit to the state 0."""
        return self.append(Operation("reset", (qubit,), (), (), _condition(when)))

    def barrier(self, *qubits: int) -> Self:
        """Append a barrier, on all qubits if none is named. It has no effect on results."""
        return self.append(Operation("barrier", qubits or tuple(range(self.num_qubits))))

    # ------------------------------------------------------------------ asking

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
            tested = [clbit for comparison in condition for clbit in comparison.clbits]
            used = (*clbits, *tested)
            level = max([*(qubit_level[q] for q in qubits), *(clbit_level[c] for c in used)], default=0)
            level += name != "barrier" and bool(qubits)
            for qubit in qubits:
                qubit_level[qubit] = level
            for clbit in used:
                clbit_level[clbit] = level
        return max([*qubit_level, *clbit_level], default=0)

    def draw(self) -> str:
        """Return a drawing of the circuit in text, one line per wire."""
        from gateway.circuit.drawing import draw  # noqa: PLC0415 - drawing needs Circuit

        return draw(self)

    def to_openqasm2(self) -> str:
        """Return the circuit as OpenQASM 2 text.

        Raises:
            UnsupportedError: a condition OpenQASM 2 cannot say.
        """
        from gateway.circuit.export import dump_openqasm2  # noqa: PLC0415 - export needs Circuit

        return dump_openqasm2(self)

    def to_openqasm3(self) -> str:
        """Return the circuit as OpenQASM 3 text."""
        from gateway.circuit.export import dump_openqasm3  # noqa: PLC0415 - export needs Circuit

        return dump_openqasm3(self)

    def to(self, framework: str) -> Any:  # noqa: ANN401 - the framework's own class
        """Return the circuit as an object of ``qiskit``, ``cirq``, ``pytket``, ...; see :mod:`gateway.frameworks`.

        Raises:
            RequestError, FrameworkNotInstalled: the framework is unknown or absent.
            UnsupportedError: it cannot say something in this circuit.
        """
        return importlib.import_module("gateway.frameworks").dump(self, framework)

    @classmethod
    def from_openqasm(cls, text: str) -> Circuit:
        """Parse OpenQASM 2 or 3 text; see :func:`gateway.circuit.openqasm.parse`."""
        from gateway.circuit.openqasm import parse  # noqa: PLC0415 - the parser needs Circuit

        return parse(text)

    # ------------------------------------------------------------------ checking

    def validate(self, limits: Limits = DEFAULT_LIMITS) -> None:
        """Check a circuit that came from elsewhere (about 0.4 us an operation).

        Raises:
            CircuitInvalidError: an unknown name, a wrong number of qubits, parameters or clbits, an
                index out of range, a qubit named twice, an angle that is not finite, or a condition
                that no value of its clbits could satisfy or miss. ``operation`` has the index.
            LimitError: larger than ``limits``.
        """
        for what, requested, allowed in (
            ("qubits", self.num_qubits, limits.qubits),
            ("clbits", self.num_clbits, limits.clbits),
            ("operations", len(self.operations), limits.operations),
        ):
            if requested > allowed:
                msg = f"the circuit has {requested:,} {what}; at most {allowed:,} are accepted"
                raise LimitError(msg, limit=what, requested=requested, allowed=allowed)
        seen: set[tuple[object, ...]] = set()
        isfinite = math.isfinite
        for index, operation in enumerate(self.operations):
            shape = (operation.name, operation.qubits, operation.clbits, operation.condition, len(operation.params))
            if shape not in seen:
                _check(operation, self.num_qubits, self.num_clbits, index)
                seen.add(shape)
            for param in operation.params:
                if not isfinite(param):
                    raise _not_finite(operation, index)


def _fields(op: Operation) -> tuple[str, tuple[int, ...], tuple[float, ...], tuple[int, ...], Condition]:
    return op.name, op.qubits, op.params, op.clbits, op.condition


def _number(value: float) -> float:
    if isinstance(value, bool) or not hasattr(value, "__float__"):
        msg = f"a parameter is a number in radians, not {value!r}"
        raise CircuitInvalidError(msg, rule="parameter")
    return float(value)


def _condition(when: When) -> Condition:
    if when is None:
        return ()
    if isinstance(when, Comparison):
        return (when,)
    if isinstance(when, Mapping):
        return (Comparison(tuple(when), sum(bool(bit) << k for k, bit in enumerate(when.values()))),) if when else ()
    return when


def _check(op: Operation, num_qubits: int, num_clbits: int, index: int) -> None:
    """Raise CircuitInvalidError if one operation breaks a rule."""

    def broken(rule: str, message: str) -> CircuitInvalidError:
        return CircuitInvalidError(f"operation {index}: {message}", rule=rule, operation=index)

    _check_shape(op, broken)
    _check_indices("qubit", op.qubits, num_qubits, op, broken)
    _check_indices("clbit", op.clbits, num_clbits, op, broken)
    for param in op.params:
        if not math.isfinite(param):
            raise _not_finite(op, index)
    for comparison in op.condition:
        if not comparison.clbits or not 0 <= comparison.value < 1 << len(comparison.clbits):
            rule = "condition"
            raise broken(rule, f"{len(comparison.clbits)} clbits never equal {comparison.value}")
        _check_indices("clbit", comparison.clbits, num_clbits, op, broken)


def _check_shape(op: Operation, broken: _Broken) -> None:
    """Check the name and how many qubits, clbits and parameters it takes."""
    gate = GATES.get(op.name)
    if gate is not None:
        try:
            gate.check(len(op.qubits), len(op.params))
        except CircuitInvalidError as exc:
            raise broken(str(exc.rule), exc.message) from None
    elif op.name not in NON_GATES:
        rule = "gate name"
        raise broken(rule, f"there is no gate named {op.name!r}")
    elif op.params or (op.name != "barrier" and len(op.qubits) != 1):
        rule = "number of qubits"
        raise broken(rule, f"{op.name} takes one qubit and no parameters")
    elif op.name == "barrier" and op.condition:
        rule = "condition"
        raise broken(rule, "a barrier cannot be conditional")
    if len(op.clbits) != (op.name == "measure"):
        rule = "number of clbits"
        raise broken(rule, f"{op.name} writes {'one clbit' if op.name == 'measure' else 'no clbit'}")


def _check_indices(kind: str, indices: Iterable[int], bound: int, op: Operation, broken: _Broken) -> None:
    found: set[int] = set()
    for i in indices:
        if type(i) is not int or not 0 <= i < bound:
            rule = f"{kind} index"
            raise broken(rule, f"{op.name} names {kind} {i!r}, but the circuit has {bound} {kind}s")
        if i in found:
            rule = f"distinct {kind}s"
            raise broken(rule, f"{op.name} names {kind} {i} twice")
        found.add(i)


def _not_finite(op: Operation, index: int) -> CircuitInvalidError:
    msg = f"operation {index}: {op.name} has an angle that is not a finite number: {list(op.params)}"
    return CircuitInvalidError(msg, rule="finite angle", operation=index)
