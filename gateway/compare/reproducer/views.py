"""Measures all qubits of a circuit, in several bases: a phase shows in none of the outcomes of a single basis."""

from __future__ import annotations

from gateway.circuit import Circuit, Operation

_BASES: tuple[tuple[str, ...], ...] = ((), ("h",), ("sdg", "h"))
"""The gates before a measurement along Z, X and Y."""


def measures(circuit: Circuit) -> bool:
    """Return whether a circuit measures anything, so that there are counts of it."""
    return any(op.name == "measure" for op in circuit.operations)


def has_state(circuit: Circuit) -> bool:
    """Return whether a circuit consists of gates alone, so that it ends in a single state."""
    return not any(op.condition or op.name in {"measure", "reset"} for op in circuit.operations)


def views(circuit: Circuit) -> list[Circuit]:
    """Return the circuit if it measures anything, and otherwise the circuit with measurements in each basis."""
    return [circuit] if measures(circuit) else all_measured(circuit)


def all_measured(circuit: Circuit) -> list[Circuit]:
    """Return the circuit in which all qubits are then measured into new clbits, once for each basis."""
    return [_measured(circuit, gates) for gates in _BASES]


def _measured(circuit: Circuit, gates: tuple[str, ...]) -> Circuit:
    qubits = range(circuit.num_qubits)
    changes = [Operation(gate, (qubit,)) for qubit in qubits for gate in gates]
    measurements = [Operation("measure", (qubit,), (), (circuit.num_clbits + qubit,)) for qubit in qubits]
    num_clbits = circuit.num_clbits + circuit.num_qubits
    return Circuit(circuit.num_qubits, num_clbits, [*circuit.operations, *changes, *measurements])
