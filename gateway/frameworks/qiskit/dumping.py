"""The shared circuit -> Qiskit (https://www.ibm.com/quantum/qiskit) 2, checked against 2.6.2.

Qiskit is little-endian, as we are: qubit ``k`` is ``QuantumCircuit.qubits[k]``, and clbits likewise.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import reduce
from typing import Any

from qiskit.circuit import (
    Barrier,
    CircuitInstruction,
    Measure,
    QuantumCircuit,
    Reset,
)
from qiskit.circuit.classical import expr

from gateway.circuit import Circuit, Comparison, Condition, Operation
from gateway.circuit.lowering import lower
from gateway.frameworks.qiskit.gates import GATES
from gateway.frameworks.shared.common import bits_of, grouped


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a QuantumCircuit
    """Return a ``QuantumCircuit`` with a register ``q`` and, if there are clbits, a register ``c``.

    Conditions become ``if_test`` blocks, one for operations in a row under the same condition.
    """
    target = QuantumCircuit(circuit.num_qubits, circuit.num_clbits)
    for condition, operations in grouped(lower(circuit.operations, frozenset(GATES))):
        if not condition:
            _append(target, operations)
            continue
        with target.if_test(_test(target, condition)):
            for op in operations:
                target.append(_native(op), op.qubits, op.clbits)
    return target


_STANDARD = {row: getattr(made, "_standard_gate", None) for row, made in GATES.items()}
"""Row -> Qiskit's number of a standard gate, which spares the object of the gate: 0.6 us a gate instead of 2.3.

Private; a version without it gets the objects.
"""


def _append(target: Any, operations: Iterable[Operation]) -> None:  # noqa: ANN401
    """Append without the checks of ``QuantumCircuit.append``, which take three quarters of its time."""
    qubits, clbits, add = target.qubits, target.clbits, target._append  # noqa: SLF001 - documented for this use
    for op in operations:
        where = [qubits[qubit] for qubit in op.qubits]
        standard = _STANDARD.get(op.name)
        if op.name == "gphase":
            target.global_phase += op.params[0]
        elif standard is not None:
            add(CircuitInstruction.from_standard(standard, where, op.params))
        else:
            add(CircuitInstruction(_native(op), where, [clbits[clbit] for clbit in op.clbits]))


def _native(op: Operation) -> Any:  # noqa: ANN401 - qiskit.circuit.Instruction
    if op.name == "measure":
        return Measure()
    if op.name == "reset":
        return Reset()
    return Barrier(len(op.qubits)) if op.name == "barrier" else GATES[op.name](*op.params)


def _test(target: Any, condition: Condition) -> Any:  # noqa: ANN401 - a condition of if_test
    """Return a condition: a pair where one bit or the whole register is tested, else an expression."""
    first = condition[0]
    if len(condition) == 1:
        if len(first.clbits) == 1:
            return target.clbits[first.clbits[0]], first.value if first.equal else 1 - first.value
        if first.equal and first.clbits == tuple(range(target.num_clbits)):
            return target.cregs[0], first.value
    return reduce(expr.logic_and, [_expression(target, comparison) for comparison in condition])


def _expression(target: Any, comparison: Comparison) -> Any:  # noqa: ANN401 - an Expr
    bits = [(target.clbits[clbit], bit) for clbit, bit in bits_of(comparison.clbits, comparison.value)]
    equal = reduce(expr.logic_and, [expr.lift(clbit) if bit else expr.logic_not(clbit) for clbit, bit in bits])
    return equal if comparison.equal else expr.logic_not(equal)
