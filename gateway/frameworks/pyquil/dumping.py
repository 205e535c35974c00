"""The shared circuit -> pyQuil (https://pyquil-docs.rigetti.com), checked against pyQuil 4.22.0.

Qubit ``k`` is Quil's qubit ``k``. Clbits are the bits of a region ``ro``. Barriers are fences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import pi
from typing import Any

from pyquil import Program
from pyquil.gates import FENCE, MEASURE, RESET
from pyquil.quilatom import MemoryReference
from pyquil.quilbase import (
    Gate,
)

from gateway.circuit import Circuit, Operation
from gateway.circuit.conditions import assignments
from gateway.circuit.lowering import lower
from gateway.frameworks.pyquil.gates import PLAIN
from gateway.frameworks.shared.operations import grouped
from gateway.frameworks.shared.refusals import refused

_STEPS: Mapping[str, Callable[..., list[tuple[str, tuple[float, ...]]]]] = {
    "sdg": lambda: [("PHASE", (-pi / 2,))],
    "tdg": lambda: [("PHASE", (-pi / 4,))],
    "sx": lambda: [("H", ()), ("PHASE", (pi / 2,)), ("H", ())],
    "sxdg": lambda: [("H", ()), ("PHASE", (-pi / 2,)), ("H", ())],
    "u2": lambda phi, lam: [("PHASE", (lam,)), ("RY", (pi / 2,)), ("PHASE", (phi,))],
    "u": lambda theta, phi, lam: [("PHASE", (lam,)), ("RY", (theta,)), ("PHASE", (phi,))],
    "gphase": lambda angle: [("PHASE", (angle,)), ("X", ())] * 2,
}
"""One-qubit gate or phase -> function from the angles to gates of Quil's standard.

There are no modifiers among them, because pyQuil's simulators ignore modifiers.
"""

_NATIVE = frozenset(PLAIN) | frozenset(_STEPS)


def dump(circuit: Circuit) -> Any:  # noqa: ANN401 - a Program
    """Return a ``Program`` in standard gates, with a region ``ro`` if there are clbits.

    Conditions become ``if_then``. A global phase becomes phases on both states of qubit 0. An idle last qubit gets
    an identity, since a Quil program does not declare its number of qubits.

    Raises:
        UnsupportedError: a circuit without qubits has a global phase.
    """
    program = Program()
    if circuit.num_clbits:
        program.declare("ro", "BIT", circuit.num_clbits)
    for index, op in enumerate(circuit.operations):
        if op.name == "gphase" and not circuit.num_qubits:
            raise refused(index, "gphase", "Quil has no phase without a qubit")
    for condition, operations in grouped(lower(circuit.operations, _NATIVE)):
        alternatives = assignments(condition)
        # Blocks that test several assignments in turn must not change what the next one tests.
        blocks = [operations] if len(alternatives) == 1 else [[op] for op in operations]
        for block in blocks:
            for assignment in alternatives:
                program += _conditional(_instructions(block), assignment)
    last = circuit.num_qubits - 1
    if last >= 0 and last not in program.get_qubit_indices():
        program += Gate("I", [], [last])
    return program


def _conditional(instructions: Iterable[Any], assignment: dict[int, int]) -> Any:  # noqa: ANN401 - a Program
    """Return instructions as a program, inside one ``if_then`` for each clbit of an assignment."""
    block = Program(list(instructions))
    for clbit, bit in reversed(assignment.items()):
        outer = Program()
        outer.if_then(MemoryReference("ro", clbit), *((block, Program()) if bit else (Program(), block)))
        block = outer
    return block


def _instructions(operations: Iterable[Operation]) -> Iterable[Any]:
    for op in operations:
        if op.name == "measure":
            yield MEASURE(op.qubits[0], ("ro", op.clbits[0]))
        elif op.name == "reset":
            yield RESET(op.qubits[0])
        elif op.name == "barrier":
            yield FENCE(*op.qubits)
        elif op.name in PLAIN:
            yield Gate(PLAIN[op.name], list(op.params), list(op.qubits))
        else:
            for name, params in _STEPS[op.name](*op.params):
                yield Gate(name, list(params), list(op.qubits or (0,)))
