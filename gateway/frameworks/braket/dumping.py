"""The shared circuit -> Amazon Braket, checked against amazon-braket-sdk 1.127.5.

Qubit ``k`` is Braket's qubit ``k``. A circuit of Braket's has no mid-circuit measurement, no reset and
no conditions.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from braket.circuits import Circuit as BraketCircuit
from braket.circuits import Instruction

from gateway.circuit import Circuit, Operation
from gateway.circuit.lowering import lower
from gateway.errors import UnsupportedError
from gateway.frameworks.braket.gates import GATES

_NATIVE = frozenset(GATES)


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a braket.circuits.Circuit
    """Return a ``braket.circuits.Circuit`` on the same qubits; an ``I`` keeps an idle one.

    Its measure instructions come last, in the order of the clbits. A clbit that nothing measures,
    always 0, has no place there.

    Raises:
        UnsupportedError: a reset, a condition, a qubit used after its measurement, a clbit measured twice.
    """
    operations = lower(circuit.operations, _NATIVE)
    target = BraketCircuit()
    measured: dict[int, int] = {}
    for index, op in enumerate(operations):
        _refuse(index, op, measured)
        if op.name == "measure":
            measured[op.clbits[0]] = op.qubits[0]
        elif op.name == "barrier":
            target.barrier(op.qubits)
        else:
            target.add_instruction(Instruction(GATES[op.name](*op.params), op.qubits))
    for qubit in set(range(circuit.num_qubits)).difference(*(op.qubits for op in operations)):
        target.i(qubit)
    return target.measure([measured[clbit] for clbit in sorted(measured)]) if measured else target


def _refuse(index: int, op: Operation, measured: Mapping[int, int]) -> None:
    """Refuse what Braket's circuits do not have."""
    what = None
    if op.condition:
        what = f"{op.name} under a condition"
    elif op.name == "reset":
        what = "reset"
    elif op.name != "barrier" and not set(measured.values()).isdisjoint(op.qubits):
        what = f"{op.name} after a measurement of its qubit"
    elif not measured.keys().isdisjoint(op.clbits):
        what = "second measurement into a clbit"
    if what is not None:
        raise UnsupportedError(f"operation {index}: Braket has no {what}", feature=what)
