"""Rewrite a circuit into the gates a simulator has, by the definitions of the gate table."""

from __future__ import annotations

from functools import lru_cache

from gateway.circuit.gates import GATES, Step
from gateway.circuit.operations import NON_GATES, Operation
from gateway.errors import UnsupportedError


def lower(operations: list[Operation], native_gates: frozenset[str]) -> list[Operation]:
    """Return the operations with every gate that is not native replaced by its definition.

    Measurements, resets and barriers pass as they are; the list itself is returned when nothing
    has to change. The result equals the circuit exactly, global phase included. Each operation of
    a definition carries the condition of the gate it replaces.

    Args:
        operations: validated operations.
        native_gates: names the simulator has; must let every definition end, which
            ``u``, ``cx`` and ``gphase`` guarantee.

    Raises:
        UnsupportedError: a gate comes down to something that is not native.
    """
    names = {operation.name for operation in operations}
    if all(name in native_gates or name in NON_GATES for name in names):
        return operations
    lowered: list[Operation] = []
    for op in operations:
        if op.name in native_gates or op.name in NON_GATES:
            lowered.append(op)
            continue
        for name, places, params in _expanded(op.name, op.params, native_gates):
            qubits = tuple([op.qubits[place] for place in places])
            lowered.append(Operation(name, qubits, params, (), op.condition))
    return lowered


@lru_cache(maxsize=4096)
def _expanded(name: str, params: tuple[float, ...], native_gates: frozenset[str]) -> tuple[Step, ...]:
    """Return the native steps of one gate; positions are those of its own qubits."""
    definition = GATES[name].definition
    if definition is None:
        msg = f"the gate {name!r} comes down to nothing this simulator has"
        raise UnsupportedError(msg, feature=name)
    steps: list[Step] = []
    for inner, places, inner_params in definition(*params):
        if inner in native_gates:
            steps.append((inner, places, inner_params))
            continue
        for name_, inner_places, params_ in _expanded(inner, inner_params, native_gates):
            steps.append((name_, tuple([places[place] for place in inner_places]), params_))
    return tuple(steps)
