"""The shared circuit -> Qrisp (https://qrisp.eu) 0.9, checked against 0.9.10.

Qubit ``k`` is ``QuantumCircuit.qubits[k]``, and clbits likewise.
"""

from __future__ import annotations

from typing import Any

from qrisp.circuit import (
    Barrier,
    Measurement,
    QuantumCircuit,
    Reset,
)  # fmt: skip

from gateway.circuit import Circuit, Operation
from gateway.circuit.conditions import assignments
from gateway.circuit.lowering import lower
from gateway.errors import UnsupportedError
from gateway.frameworks.qrisp.gates import GATES
from gateway.frameworks.shared.refusals import refuse_control_flow, refused

_NATIVE = frozenset(GATES)


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
    """Return a ``QuantumCircuit`` with the same numbers of qubits and clbits.

    A condition that is not an assignment becomes several ``c_if``, no two of which hold together.

    Raises:
        UnsupportedError: a circuit without qubits has a phase, or a measurement goes into a clbit that its
            condition tests.
    """
    refuse_control_flow(circuit, "Qrisp")
    target = QuantumCircuit(circuit.num_qubits, circuit.num_clbits)
    for index, op in enumerate(lower(circuit.operations, _NATIVE)):
        if op.name == "gphase" and not target.qubits:
            raise UnsupportedError(f"operation {index}: Qrisp has no phase without qubits", feature="gphase")
        qubits = [target.qubits[qubit] for qubit in op.qubits or ((0,) if op.name == "gphase" else ())]
        for assignment in assignments(op.condition):
            _append(target, index, op, qubits, [*assignment.items()])
    return target


def _append(target: Any, index: int, op: Operation, qubits: list[Any], clbit_values: list[tuple[int, int]]) -> None:  # noqa: ANN401
    """Append an operation that happens if clbits have these values."""
    operation, clbits = _operation(op), [*(clbit for clbit, _ in clbit_values), *op.clbits]
    if len(set(clbits)) < len(clbits):
        raise refused(index, "condition", "Qrisp has no measurement into a clbit that its condition tests")
    if clbit_values:
        operation = operation.c_if(len(clbit_values), "".join(str(bit) for _, bit in clbit_values))
    target.append(operation, qubits, [target.clbits[clbit] for clbit in clbits])


def _operation(op: Operation) -> Any:  # noqa: ANN401 - an Operation of Qrisp
    if op.name == "measure":
        return Measurement()
    if op.name == "reset":
        return Reset()
    if op.name == "barrier":
        return Barrier(len(op.qubits))
    return GATES[op.name](*op.params)
