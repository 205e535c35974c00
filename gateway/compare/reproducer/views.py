"""Measures all qubits of a circuit, in several bases: a phase shows in none of the outcomes of a single basis."""

from __future__ import annotations

from gateway.circuit import Circuit, Operation

WIDEST_VIEWED = 12
"""Circuits that measure something are looked at in further bases up to so many qubits: there is an outcome for each
basis state of these."""

_BASES: tuple[tuple[str, ...], ...] = ((), ("h",), ("sdg", "h"))
"""The gates before a measurement along Z, X and Y."""


def measures(circuit: Circuit) -> bool:
    """Return whether a circuit measures anything, so that there are counts of it."""
    return any(op.name == "measure" for op in circuit.operations)


def has_state(circuit: Circuit) -> bool:
    """Return whether a circuit consists of gates alone, so that it ends in a single state."""
    return not any(op.condition or op.name in {"measure", "reset", "set", "while"} for op in circuit.operations)


def views(circuit: Circuit) -> list[Circuit]:
    """Return the circuits on which simulators are compared: the circuit itself, and it with measurements in each basis.

    A wide circuit that measures something is looked at only as it is.
    """
    is_too_wide = measures(circuit) and circuit.num_qubits > WIDEST_VIEWED
    return [circuit] if is_too_wide else [circuit, *all_measured(circuit)]


def unmeasured(circuit: Circuit) -> Circuit:
    """Return a circuit without its measurements and its clbits; nothing in it may depend on them."""
    return Circuit(circuit.num_qubits, 0, [op for op in circuit.operations if op.name != "measure"])


def all_measured(circuit: Circuit) -> list[Circuit]:
    """Return the circuit in which all qubits are then measured into new clbits, once for each basis."""
    return [_measured(circuit, gates) for gates in _BASES]


def _measured(circuit: Circuit, gates: tuple[str, ...]) -> Circuit:
    qubits = range(circuit.num_qubits)
    changes = [Operation(gate, (qubit,)) for qubit in qubits for gate in gates]
    measurements = [Operation("measure", (qubit,), (), (circuit.num_clbits + qubit,)) for qubit in qubits]
    num_clbits = circuit.num_clbits + circuit.num_qubits
    return Circuit(circuit.num_qubits, num_clbits, [*circuit.operations, *changes, *measurements])
