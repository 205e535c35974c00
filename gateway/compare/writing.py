"""Writes a circuit as OpenQASM 3 that brings exactly the same operations back."""

from __future__ import annotations

from gateway.circuit import Circuit, parse
from gateway.look.numbers import listing


def openqasm_of(circuit: Circuit) -> str:
    """Return OpenQASM 3 text in which every gate is called by its name and none is defined.

    A definition in the text would take the place of the gate: a simulator would never see a ``c3x``, but what it
    consists of, and a fault of its ``c3x`` would not show. The gateway knows all these gates by their names.
    """
    lines = circuit.to_openqasm3().splitlines()
    defined = [line.split("(")[0].split()[1] for line in lines if line.startswith("gate ")]
    used = [name for name in defined if any(op.name == name for op in circuit.operations)]
    if used:
        verb = "is a gate" if len(used) == 1 else "are gates"
        lines.insert(1, f"// {listing(used)} {verb} that the gateway knows; other tools may need a definition.")
    return "\n".join([line for line in lines if not line.startswith("gate ")]) + "\n"


def as_written(circuit: Circuit) -> Circuit:
    """Return the circuit that its text describes: conditions may be put in another way, all else is the same."""
    conditional = any(op.condition for op in circuit.operations)
    return parse(openqasm_of(circuit)) if conditional else circuit
