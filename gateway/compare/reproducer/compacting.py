"""Renumbers the qubits and clbits of circuits, and tells final measurements from other operations."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from gateway.circuit import Circuit, Comparison, Operation
from gateway.circuit.conditions import clbits_of
from gateway.compare.exact.control_flow import has_control_flow
from gateway.errors import UnsupportedError


def refuse_control_flow(circuit: Circuit, what: str) -> None:
    """Refuse a circuit that means something else, or nothing, once some of its operations are left out.

    Args:
        circuit: the circuit.
        what: what cannot be done with it.

    Raises:
        UnsupportedError: it has loops, assignments or hidden clbits.
    """
    if has_control_flow(circuit):
        names = ("set", "while")
        index = next((index for index, op in enumerate(circuit.operations) if op.name in names), None)
        msg = f"a circuit with loops, assignments or hidden clbits cannot be {what}"
        raise UnsupportedError(msg, feature="control flow", operation=index)


def used_qubits(operations: Iterable[Operation]) -> set[int]:
    """Return the qubits that operations act on."""
    return {qubit for op in operations for qubit in op.qubits}


def used_clbits(operations: Iterable[Operation]) -> set[int]:
    """Return the clbits that operations write or test."""
    return {clbit for op in operations for clbit in (*op.clbits, *clbits_of(op.condition))}


def keep_only(circuit: Circuit, qubits: Iterable[int], clbits: Iterable[int]) -> Circuit:
    """Return the circuit with only these qubits and clbits, in their order; they must include all that are used."""
    new_qubits = {qubit: place for place, qubit in enumerate(sorted(qubits))}
    new_clbits = {clbit: place for place, clbit in enumerate(sorted(clbits))}
    operations = [renumbered(op, new_qubits, new_clbits) for op in circuit.operations]
    return Circuit(len(new_qubits), len(new_clbits), operations)


def renumbered(op: Operation, qubits: Mapping[int, int], clbits: Mapping[int, int]) -> Operation:
    """Return an operation on other qubits and clbits."""
    condition = tuple(
        Comparison(tuple([clbits[clbit] for clbit in part.clbits]), part.value, part.equal) for part in op.condition
    )
    return Operation(
        op.name,
        tuple([qubits[qubit] for qubit in op.qubits]),
        op.params,
        tuple([clbits[clbit] for clbit in op.clbits]),
        condition,
    )


def final_measurements(operations: Sequence[Operation]) -> set[int]:
    """Return the indices of the measurements after which nothing happens to the qubit and nothing reads the clbit."""
    qubits: set[int] = set()
    clbits: set[int] = set()
    final = set()
    for index in range(len(operations) - 1, -1, -1):
        op = operations[index]
        if op.name == "barrier":
            continue
        if op.name == "measure" and not op.condition and op.qubits[0] not in qubits and op.clbits[0] not in clbits:
            final.add(index)
        else:
            qubits.update(op.qubits)
            clbits |= clbits_of(op.condition)
    return final


def num_operations(circuit: Circuit) -> int:
    """Return the number of operations that are no final measurements and no barriers."""
    barriers = sum(op.name == "barrier" for op in circuit.operations)
    return len(circuit.operations) - barriers - len(final_measurements(circuit.operations))
