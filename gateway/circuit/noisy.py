"""Circuits with noise: a model of noise becomes operations between those of the circuit, for an adapter.

A channel is an operation that has its name, and its probability as its parameter. A measurement whose outcome may be
wrong has two parameters: the probability that 0 is written as 1, and that 1 is written as 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from gateway.circuit.emitter import too_large
from gateway.circuit.gates import GATES
from gateway.circuit.operations import DEFAULT_LIMITS, NON_GATES, Operation
from gateway.errors import RequestError
from gateway.noise import Channel, GateNoise, NoiseModel

MOST_OPERATIONS = 10 * DEFAULT_LIMITS.operations
"""A circuit has at most so many operations together with its noise."""


def check_gates(noise: NoiseModel) -> None:
    """Check the names of the gates that noise follows.

    Raises:
        RequestError: there is no gate of that name.
    """
    for rule in noise.channels:
        for name in rule.gates or ():
            if name not in GATES:
                raise RequestError(f"noise follows gates, and there is no gate named {name[:40]!r}", field="noise")


def noisy(operations: Sequence[Operation], noise: NoiseModel) -> list[Operation]:
    """Return operations with their noise among them; what a rule means for a gate is found once.

    Raises:
        LimitError: these would be too many operations.
    """
    result: list[Operation] = []
    channels: dict[tuple[object, ...], list[Operation]] = {}
    misread: dict[int, tuple[float, ...]] = {}
    for op in operations:
        if op.name == "measure":
            (qubit,) = op.qubits
            if qubit not in misread:
                misread[qubit] = _misread(qubit, noise)
            result.append(Operation(op.name, op.qubits, misread[qubit], op.clbits, op.condition))
            continue
        result.append(op)
        if op.name not in NON_GATES:
            key = op.name, op.qubits, op.condition
            if key not in channels:
                channels[key] = [each for rule in noise.channels for each in _after(op, rule)]
            result += channels[key]
            if len(result) > MOST_OPERATIONS:
                raise too_large("operations with its noise", len(result), MOST_OPERATIONS)
    return result


def _after(op: Operation, rule: GateNoise) -> list[Operation]:
    """Return a channel as operations after a gate."""
    if rule.gates is not None and op.name not in rule.gates:
        return []
    chosen = [qubit for qubit in op.qubits if rule.qubits is None or qubit in rule.qubits]
    where: Iterable[tuple[int, ...]] = [(qubit,) for qubit in chosen]
    if rule.channel is Channel.DEPOLARIZING2:
        is_meant = len(chosen) == len(op.qubits) == rule.channel.num_qubits
        where = [op.qubits] if is_meant else []
    return [Operation(rule.channel, qubits, (rule.probability,), (), op.condition) for qubits in where]


def _misread(qubit: int, noise: NoiseModel) -> tuple[float, ...]:
    """Return how the outcome of a qubit may be wrong."""
    errors = [error for error in noise.readout if error.qubits is None or qubit in error.qubits]
    return (errors[-1].zero_as_one, errors[-1].one_as_zero) if errors else ()
