"""The shared circuit -> Qulacs (https://docs.qulacs.org), checked against 0.6.14.

The clbit of a measurement is its address in Qulacs' classical register. Qulacs has neither resets nor
conditions that could be read back, no loops, no hidden clbits, and no clbits after the last one that is measured. The
parameters of its circuits are numbers, which have no names, so parameters need values here.
"""

from __future__ import annotations

from typing import Any

from qulacs import gate

from gateway.circuit import Circuit, Operation
from gateway.circuit.lowering import lower
from gateway.frameworks.qulacs.gates import GATES, build
from gateway.frameworks.shared.refusals import refused, unbound


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit of Qulacs
    """Return a ``QuantumCircuit``; a global phase is a diagonal matrix on qubit 0.

    Barriers, which Qulacs does not have, are left out, and so are clbits after the last one that is measured.

    Raises:
        CircuitInvalidError: a parameter has no value.
        UnsupportedError: the circuit has a reset, a condition, a loop, an assignment, a measurement into a hidden
            clbit, or a phase without qubits.
    """
    if circuit.parameters:
        raise unbound(circuit.parameters)
    for index, op in enumerate(circuit.operations):
        _check(op, index, circuit)
    return build(circuit.num_qubits, lower(circuit.operations, frozenset(GATES)), _append_measurement)


def _check(op: Operation, index: int, circuit: Circuit) -> None:
    if op.name in {"set", "while"}:
        raise refused(index, op.name, "Qulacs has neither assignments to outcomes nor loops")
    if op.condition:
        raise refused(index, "condition", "Qulacs has conditions only as Python functions, which cannot be read back")
    if op.name == "reset":
        raise refused(index, "reset", "Qulacs has none")
    if any(clbit >= circuit.num_clbits for clbit in op.clbits):
        raise refused(index, op.name, "Qulacs has no hidden clbits")
    if op.name == "gphase" and not circuit.num_qubits:
        raise refused(index, "gphase", "Qulacs has no phase without a qubit")


def _append_measurement(target: Any, op: Operation) -> None:  # noqa: ANN401 - a QuantumCircuit of Qulacs
    if op.name == "measure":
        target.add_gate(gate.Measurement(op.qubits[0], op.clbits[0]))
