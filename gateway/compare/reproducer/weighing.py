"""How simple a circuit is: what a search for the simplest one goes by."""

from __future__ import annotations

import math
from collections.abc import Iterable

from gateway.circuit import Circuit, Operation
from gateway.circuit.gates import GATES

_KNOWN = (
    "x", "h", "sx", "s", "z", "t", "sdg", "tdg", "sxdg", "y", "rz", "rx", "ry", "p", "u",
    "cx", "cz", "swap", "cp", "crz", "crx", "rzz", "cu3", "ccx", "ccz", "cswap",
)  # fmt: skip
"""Gates that everybody knows, from the simplest on among those of as many qubits and angles."""


def weight(name: str) -> float:
    """Return how complicated a gate is: two plain gates weigh less than one of two qubits that few people know."""
    gate = GATES[name]
    unknown = name not in _KNOWN
    basic = 1.0 + gate.num_qubits + gate.num_params / 2 + 2 * (unknown and gate.num_qubits > 1)
    return basic + (len(_KNOWN) if unknown else _KNOWN.index(name)) / 100


def total_weight(operations: Iterable[Operation]) -> float:
    """Return what operations weigh together; measurements and resets weigh as much as the simplest gates."""
    return sum(weight(op.name) if op.name in GATES else weight("x") for op in operations)


SIMPLE_ANGLES = (0.0, math.pi / 2, math.pi, math.pi / 4, 1.0, -math.pi / 2, -1.0, 2 * math.pi, 3 * math.pi)
"""Angles from the simplest on; all others come after them, by the length of their decimals."""


def complexity(angle: float) -> int:
    """Return how much there is to read of an angle."""
    return SIMPLE_ANGLES.index(angle) if angle in SIMPLE_ANGLES else len(SIMPLE_ANGLES) + len(repr(angle))


def measure_of(circuit: Circuit) -> tuple[float, int, int, int, int]:
    """Return a measure of a circuit that is smaller, in the order of tuples, if the circuit is simpler.

    Operations count most, then what conditions test, angles, qubits and clbits.
    """
    operations = circuit.operations
    tests = sum(2 * len(part.clbits) + (not part.equal) for op in operations for part in op.condition)
    angles = sum(complexity(angle) for op in operations for angle in op.params)
    return round(total_weight(operations), 6), tests, angles, circuit.num_qubits, circuit.num_clbits
