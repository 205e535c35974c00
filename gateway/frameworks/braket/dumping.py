"""The shared circuit -> Amazon Braket, checked against amazon-braket-sdk 1.127.5.

Qubit ``k`` is Braket's qubit ``k``. Braket's circuits have no reset, no conditions and no loops, and nothing happens
to a qubit after its measurement. A parameter is a ``FreeParameter`` of its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from braket.circuits import Circuit as BraketCircuit
from braket.circuits import FreeParameter, Instruction
from braket.parametric import FreeParameterExpression
from sympy import Symbol

from gateway.circuit import Circuit, Operation
from gateway.circuit.expressions import Angle, Expression
from gateway.circuit.lowering import lower
from gateway.errors import UnsupportedError
from gateway.frameworks.braket.gates import GATES
from gateway.frameworks.shared.parameters import translated
from gateway.frameworks.shared.refusals import refuse_control_flow
from gateway.frameworks.shared.symbols import SYMPY

_NATIVE = frozenset(GATES)


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a braket.circuits.Circuit
    """Return a ``braket.circuits.Circuit`` on the same qubits, where an idle qubit gets an ``I``.

    Its measure instructions come last, in the order of the clbits. A clbit that nothing is measured into, and
    which is always 0, does not appear, and neither does a hidden one, which nothing can read there.

    Raises:
        UnsupportedError: a reset, a condition, a loop, a qubit used after its measurement, a clbit measured twice, a
            parameter that Braket cannot name.
    """
    refuse_control_flow(circuit, "Braket")
    operations = lower(circuit.operations, _NATIVE)
    target = BraketCircuit()
    qubit_of_clbit: dict[int, int] = {}
    for index, op in enumerate(operations):
        _refuse(index, op, qubit_of_clbit)
        if op.name == "measure":
            qubit_of_clbit[op.clbits[0]] = op.qubits[0]
        elif op.name == "barrier":
            target.barrier(op.qubits)
        else:
            target.add_instruction(Instruction(GATES[op.name](*map(_native_angle, op.params)), op.qubits))
    appearing = (op.qubits for op in operations if not op.clbits or op.clbits[0] < circuit.num_clbits)
    for qubit in set(range(circuit.num_qubits)).difference(*appearing):
        target.i(qubit)
    visible = [qubit_of_clbit[clbit] for clbit in sorted(qubit_of_clbit) if clbit < circuit.num_clbits]
    return target.measure(visible) if visible else target


def _native_angle(angle: Angle) -> Any:  # noqa: ANN401 - a number or a FreeParameterExpression
    if not isinstance(angle, Expression):
        return angle
    return FreeParameterExpression(translated(angle, _symbol, SYMPY))


def _symbol(name: str) -> Symbol:
    """Return the symbol that Braket makes of a parameter.

    Raises:
        UnsupportedError: Braket has another meaning for the name.
    """
    try:
        return FreeParameter(name).expression
    except ValueError as exc:
        raise UnsupportedError(f"Braket has no parameter {name}: {exc}", feature=f"parameter {name}") from exc


def _refuse(index: int, op: Operation, qubit_of_clbit: Mapping[int, int]) -> None:
    """Refuse what Braket's circuits do not have."""
    what = None
    if op.condition:
        what = f"{op.name} under a condition"
    elif op.name == "reset":
        what = "reset"
    elif op.name != "barrier" and not set(qubit_of_clbit.values()).isdisjoint(op.qubits):
        what = f"{op.name} after a measurement of its qubit"
    elif not qubit_of_clbit.keys().isdisjoint(op.clbits):
        what = "second measurement into a clbit"
    if what is not None:
        raise UnsupportedError(f"operation {index}: Braket has no {what}", feature=what)
