"""The shared circuit -> Qrisp (https://qrisp.eu) 0.9, checked against 0.9.10.

Qubit ``k`` is ``QuantumCircuit.qubits[k]``, and clbits likewise; hidden ones come last, with a name of their own. A
parameter is a symbol of sympy.
"""

from __future__ import annotations

from typing import Any

from qrisp.circuit import (
    Barrier,
    Clbit,
    Measurement,
    QuantumCircuit,
    Reset,
)  # fmt: skip
from sympy import Symbol

from gateway.circuit import Circuit, Operation
from gateway.circuit.conditions import assignments
from gateway.circuit.expressions import Expression
from gateway.circuit.lowering import lower
from gateway.errors import UnsupportedError
from gateway.frameworks.qrisp.gates import GATES, HIDDEN
from gateway.frameworks.shared.parameters import translated, with_native_angles
from gateway.frameworks.shared.refusals import refuse_control_flow, refused
from gateway.frameworks.shared.symbols import SYMPY

_NATIVE = frozenset(GATES)


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
    """Return a ``QuantumCircuit`` with the same numbers of qubits and clbits.

    A condition that is not an assignment becomes several ``c_if``, no two of which hold together.

    Raises:
        UnsupportedError: a circuit without qubits has a phase, a measurement goes into a clbit that its condition
            tests, or there is a loop or an assignment.
    """
    refuse_control_flow(circuit, "Qrisp")
    target = QuantumCircuit(circuit.num_qubits, circuit.num_clbits)
    for hidden in range(circuit.num_hidden):
        target.add_clbit(Clbit(f"{HIDDEN}_{hidden}"))
    lowered = circuit.with_operations(lower(circuit.operations, _NATIVE))
    for index, op in enumerate(with_native_angles(lowered, _native_angle).operations):
        if op.name == "gphase" and not target.qubits:
            raise UnsupportedError(f"operation {index}: Qrisp has no phase without qubits", feature="gphase")
        qubits = [target.qubits[qubit] for qubit in op.qubits or ((0,) if op.name == "gphase" else ())]
        for assignment in assignments(op.condition):
            _append(target, index, op, qubits, [*assignment.items()])
    return target


def _native_angle(angle: Expression) -> Any:  # noqa: ANN401 - an expression of sympy
    return translated(angle, Symbol, SYMPY)


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
