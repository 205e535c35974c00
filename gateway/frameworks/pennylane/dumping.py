"""The shared circuit -> PennyLane (https://pennylane.ai), checked against 0.45.1.

What the ecosystem executes is a ``QuantumScript``, so that is what :func:`dump` makes: run it on a
device, or queue its operations in a QNode with ``qml.apply``. Qubit ``k`` is wire ``k``. PennyLane
writes the first bit leftmost, we write clbit 0 rightmost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pennylane as qml
from pennylane.measurements import MeasurementProcess
from pennylane.operation import Operator
from pennylane.ops import Conditional, MeasurementValue, MidMeasure
from pennylane.tape import QuantumScript

from gateway.circuit import Circuit, Condition, Operation
from gateway.circuit.conditions import clbits_of, holds
from gateway.circuit.expressions import clbits_read, value_of_clbits
from gateway.circuit.lowering import lower
from gateway.errors import UnsupportedError
from gateway.frameworks.pennylane.gates import GATES
from gateway.frameworks.shared.refusals import unbound

_ADJOINTS: dict[str, type[Operator]] = {"sdg": qml.S, "tdg": qml.T, "sxdg": qml.SX}
_CONTROLLED_X = frozenset({"c3x", "c4x"})
_NATIVE = frozenset({*GATES, *_ADJOINTS, *_CONTROLLED_X, "gphase"})


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumScript
    """Return a ``QuantumScript`` on the wires ``0 .. n - 1``, ending with ``qml.counts``.

    If all measurements come last, each into another clbit, their qubits are the wires of the counts, in the order
    of the clbits. Otherwise they are mid-circuit measurements, and the counts have the last one into each clbit. A
    clbit that nothing is written to, and which is always 0, does not appear, and neither does a hidden one. Where a
    clbit has a value that is computed from outcomes, the counts are those of one number, whose bits are all clbits,
    clbit 0 the least significant. The user sets the shots. An ``Identity`` names the idle qubits.

    Raises:
        CircuitInvalidError: a parameter has no value, and a tape has numbers only.
        UnsupportedError: there is a loop, or a measurement or a reset has a condition, which PennyLane does not have.
    """
    if circuit.parameters:
        raise unbound(circuit.parameters)
    operations = lower(circuit.operations, _NATIVE)
    with qml.QueuingManager.stop_recording():
        writer = _Writer(circuit.num_clbits, late=_is_measured_last(operations))
        idle = set(range(circuit.num_qubits)).difference(*(op.qubits for op in operations))
        if idle:
            writer.operators.append(qml.Identity(sorted(idle)))
        for index, op in enumerate(operations):
            writer.write(index, op)
        return QuantumScript(writer.operators, writer.measurements())


def _is_measured_last(operations: list[Operation]) -> bool:
    """Return whether each qubit is measured at most once, into a clbit of its own, with nothing after it."""
    qubits: set[int] = set()
    clbits: set[int] = set()
    for op in operations:
        if op.condition or op.name in {"reset", "set"}:
            return False
        if not (qubits.isdisjoint(op.qubits) and clbits.isdisjoint(op.clbits)):
            return False
        if op.name == "measure":
            qubits.update(op.qubits)
            clbits.update(op.clbits)
    return True


class _Value(NamedTuple):
    """The value of a clbit as a function of outcomes.

    Args:
        outcomes: the measurements that it depends on.
        value: their outcomes, in order -> 0 or 1; ``None`` if it is the one outcome.
    """

    outcomes: tuple[MidMeasure, ...]
    value: Callable[..., int] | None = None

    def of(self, bits: Mapping[MidMeasure, int]) -> int:
        """Return the value if measurements have these outcomes."""
        own = [bits[outcome] for outcome in self.outcomes]
        return own[0] if self.value is None else int(self.value(*own))


class _Writer:
    """Makes operators of PennyLane.

    Args:
        num_clbits: the number of clbits of the outcome.
        late: whether the counts at the end measure the qubits, instead of mid-circuit measurements.
    """

    def __init__(self, num_clbits: int, *, late: bool) -> None:
        self.operators: list[Operator] = []
        self._num_clbits = num_clbits
        self._late = late
        self._values: dict[int, _Value] = {}
        self._wires: dict[int, int] = {}

    def measurements(self) -> list[MeasurementProcess]:
        """Return the counts at the end, if anything is measured."""
        wires = [self._wires[clbit] for clbit in sorted(self._wires) if clbit < self._num_clbits]
        if wires:
            return [qml.counts(wires=wires)]
        clbits = [clbit for clbit in sorted(self._values) if clbit < self._num_clbits]
        if not clbits:
            return []
        if all(self._values[clbit].value is None for clbit in clbits):
            return [qml.counts([MeasurementValue([*self._values[clbit].outcomes]) for clbit in clbits])]
        outcomes = self._outcomes(clbits)

        def number(*bits: int) -> int:
            values = dict(zip(outcomes, map(int, bits), strict=True))
            return sum(self._values[clbit].of(values) << clbit for clbit in clbits)

        return [qml.counts(MeasurementValue(outcomes, _elementwise(number)))]

    def write(self, index: int, op: Operation) -> None:
        """Append one operation."""
        if op.name in {"while", "end"}:
            raise UnsupportedError(f"operation {index}: PennyLane's tapes have no loop", feature="loop")
        if op.name in {"measure", "reset"}:
            self._collapse(index, op)
        elif op.name == "set":
            self._assign(op)
        else:
            value = self._condition(op.condition)
            if value is True:
                self.operators.append(_operator(op))
            elif value is not False:
                self.operators.append(Conditional(value, _operator(op)))

    def _collapse(self, index: int, op: Operation) -> None:
        if op.condition:
            what = f"{op.name} under a condition"
            raise UnsupportedError(f"operation {index}: PennyLane has no {what}", feature=what)
        if op.name == "measure" and self._late:
            self._wires[op.clbits[0]] = op.qubits[0]
            return
        measurement = MidMeasure(op.qubits, reset=op.name == "reset", meas_uid=f"{op.name}-{index}")
        self.operators.append(measurement)
        self._values.update(dict.fromkeys(op.clbits, _Value((measurement,))))

    def _assign(self, op: Operation) -> None:
        """Compute what an assignment writes from the outcomes so far."""
        (value,) = op.params
        read = {*clbits_read(value), *clbits_of(op.condition), *(op.clbits if op.condition else ())}
        before = {clbit: self._values[clbit] for clbit in read if clbit in self._values}
        outcomes = self._outcomes(before)

        def written(place: int, clbit: int, *bits: int) -> int:
            known = dict(zip(outcomes, bits, strict=True))
            clbits = {each: before[each].of(known) for each in before}
            if not holds(op.condition, sum(bit << each for each, bit in clbits.items())):
                return clbits.get(clbit, 0)
            return value_of_clbits(value, lambda each: clbits.get(each, 0)) >> place & 1

        for place, clbit in enumerate(op.clbits):
            self._values[clbit] = _Value(tuple(outcomes), partial(written, place, clbit))

    def _outcomes(self, clbits: Iterable[int]) -> list[MidMeasure]:
        """Return the measurements that clbits depend on, in order of time."""
        needed = {outcome.meas_uid for clbit in clbits for outcome in self._values[clbit].outcomes}
        return [op for op in self.operators if isinstance(op, MidMeasure) and op.meas_uid in needed]

    def _condition(self, condition: Condition) -> MeasurementValue | bool:
        """Return a condition as one on the outcomes so far; clbits that nothing was written to are 0."""
        clbits = sorted(clbits_of(condition) & self._values.keys())
        if not clbits:
            return holds(condition, 0)
        before = {clbit: self._values[clbit] for clbit in clbits}
        outcomes = self._outcomes(clbits)

        def happens(*bits: int) -> bool:
            known = dict(zip(outcomes, map(int, bits), strict=True))
            return holds(condition, sum(value.of(known) << clbit for clbit, value in before.items()))

        return MeasurementValue(outcomes, _elementwise(happens)) if outcomes else happens()


def _elementwise(function: Callable[..., int]) -> Callable[..., Any]:
    """Return a function of bits that takes arrays of them too, as PennyLane gives those of all shots."""
    of_arrays = np.vectorize(function)
    return lambda *bits: (of_arrays if any(getattr(bit, "shape", ()) for bit in bits) else function)(*bits)


def _operator(op: Operation) -> Operator:
    """Return a gate or a barrier as an operator."""
    if op.name == "gphase":
        return qml.GlobalPhase(-op.params[0])  # exp(-i phi)
    if op.name == "barrier":
        return qml.Barrier(op.qubits)
    if op.name in _ADJOINTS:
        return qml.adjoint(_ADJOINTS[op.name](op.qubits))
    if op.name in _CONTROLLED_X:
        return qml.MultiControlledX(op.qubits)
    return GATES[op.name](*op.params, wires=op.qubits)
