"""The shared circuit -> PennyLane (https://pennylane.ai), checked against 0.45.1.

What the ecosystem executes is a ``QuantumScript``, so that is what :func:`dump` makes: run it on a
device, or queue its operations in a QNode with ``qml.apply``. Qubit ``k`` is wire ``k``. PennyLane
writes the first bit leftmost, we write clbit 0 rightmost.
"""

from __future__ import annotations

from typing import Any

import pennylane as qml
from pennylane.measurements import MeasurementProcess
from pennylane.operation import Operator
from pennylane.ops import Conditional, MeasurementValue, MidMeasure
from pennylane.tape import QuantumScript

from gateway.circuit import Circuit, Condition, Operation
from gateway.circuit.conditions import clbits_of, holds
from gateway.circuit.lowering import lower
from gateway.errors import UnsupportedError
from gateway.frameworks.pennylane.gates import GATES
from gateway.frameworks.shared.refusals import refuse_control_flow

_ADJOINTS: dict[str, type[Operator]] = {"sdg": qml.S, "tdg": qml.T, "sxdg": qml.SX}
_CONTROLLED_X = frozenset({"c3x", "c4x"})
_NATIVE = frozenset({*GATES, *_ADJOINTS, *_CONTROLLED_X, "gphase"})


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumScript
    """Return a ``QuantumScript`` on the wires ``0 .. n - 1``, ending with ``qml.counts``.

    If all measurements come last, each into another clbit, their qubits are the wires of the counts, in the order
    of the clbits. Otherwise they are mid-circuit measurements, and the counts have the last one into each clbit. A
    clbit that nothing is measured into, and which is always 0, does not appear. The user sets the shots. An
    ``Identity`` names the idle qubits.

    Raises:
        UnsupportedError: a measurement or a reset has a condition, which PennyLane does not support.
    """
    refuse_control_flow(circuit, "PennyLane")
    operations = lower(circuit.operations, _NATIVE)
    with qml.QueuingManager.stop_recording():
        writer = _Writer(late=_is_measured_last(operations))
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
        if op.condition or op.name == "reset" or not (qubits.isdisjoint(op.qubits) and clbits.isdisjoint(op.clbits)):
            return False
        if op.name == "measure":
            qubits.update(op.qubits)
            clbits.update(op.clbits)
    return True


class _Writer:
    """Makes operators of PennyLane.

    Args:
        late: whether the counts at the end measure the qubits, instead of mid-circuit measurements.
    """

    def __init__(self, *, late: bool) -> None:
        self.operators: list[Operator] = []
        self._late = late
        self._outcomes: dict[int, MidMeasure] = {}
        self._wires: dict[int, int] = {}

    def measurements(self) -> list[MeasurementProcess]:
        """Return the counts at the end, if anything is measured."""
        if self._wires:
            return [qml.counts(wires=[self._wires[clbit] for clbit in sorted(self._wires)])]
        if self._outcomes:
            return [qml.counts([MeasurementValue([self._outcomes[clbit]]) for clbit in sorted(self._outcomes)])]
        return []

    def write(self, index: int, op: Operation) -> None:
        """Append one operation."""
        if op.name in {"measure", "reset"}:
            self._collapse(index, op)
            return
        value = self._value(op.condition)
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
        self._outcomes.update(dict.fromkeys(op.clbits, measurement))

    def _value(self, condition: Condition) -> MeasurementValue | bool:
        """Return a condition as one on the outcomes so far; clbits without an outcome are 0."""
        clbits = sorted(clbits_of(condition) & self._outcomes.keys())
        if not clbits:
            return holds(condition, 0)
        outcomes = [self._outcomes[clbit] for clbit in clbits]

        def happens(*bits: int) -> bool:
            return holds(condition, sum(int(bit) << clbit for clbit, bit in zip(clbits, bits, strict=True)))

        return MeasurementValue(outcomes, happens)


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
