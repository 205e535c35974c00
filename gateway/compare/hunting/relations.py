"""Changes of a circuit that leave its distribution as it is.

A simulator that gives another distribution for the changed circuit is wrong for one of the two (MorphQ, Paltenghi and
Pradel, ICSE 2023). They are needed where nothing else knows what is right: one simulator, and a circuit that is too
large for an exact reference.
"""

from __future__ import annotations

from random import Random

import msgspec

from gateway.circuit import Circuit, Operation
from gateway.circuit.conditions import clbits_of
from gateway.circuit.expressions import clbits_read
from gateway.circuit.gates import GATES
from gateway.circuit.modifiers import inverse
from gateway.compare.hunting.scope import Scope


def changed(circuit: Circuit, random: Random, scope: Scope | None = None) -> Circuit:
    """Return a circuit with the same distribution: with gates and their inverses, in another order, on other qubits.

    Args:
        circuit: a circuit that measures.
        random: where all draws come from.
        scope: the gates that may be inserted; all by default.
    """
    return relabelled(reordered(with_inverses(circuit, random, scope or Scope()), random), random)


def with_inverses(circuit: Circuit, random: Random, scope: Scope, number: int = 3) -> Circuit:
    """Return a circuit with some gates inserted before its first measurement, each with its inverse right after it."""
    operations = list(circuit.operations)
    start = next((k for k, op in enumerate(operations) if op.name not in GATES), len(operations))
    names = [name for name in scope.gates if 0 < GATES[name].num_qubits <= circuit.num_qubits]
    for _ in range(number if names else 0):
        name = random.choice(names)
        qubits = tuple(random.sample(range(circuit.num_qubits), GATES[name].num_qubits))
        step = (name, qubits, tuple(random.uniform(-3, 3) for _ in range(GATES[name].num_params)))
        pair = [Operation(*each) for each in (step, *inverse([step]))]
        place = random.randint(0, start)
        operations[place:place] = pair
        start += len(pair)
    return circuit.with_operations(operations)


def reordered(circuit: Circuit, random: Random) -> Circuit:
    """Return a circuit in which neighbours that share no qubit and no clbit may have changed places."""
    operations = list(circuit.operations)
    for _ in range(4 * len(operations)):
        place = random.randrange(len(operations) - 1) if len(operations) > 1 else 0
        pair = operations[place : place + 2]
        is_fenced = any(op.name in {"while", "end"} for op in pair)
        if len(pair) > 1 and not is_fenced and _wires(pair[0]).isdisjoint(_wires(pair[1])):
            operations[place : place + 2] = reversed(pair)
    return circuit.with_operations(operations)


def relabelled(circuit: Circuit, random: Random) -> Circuit:
    """Return a circuit in which every qubit has moved, around in a circle; the clbits stay as they are."""
    size = circuit.num_qubits
    steps = random.randrange(1, size) if size > 1 else 0
    operations = [
        msgspec.structs.replace(op, qubits=tuple([(qubit + steps) % size for qubit in op.qubits]))
        for op in circuit.operations
    ]
    return circuit.with_operations(operations)


def _wires(operation: Operation) -> set[tuple[str, int]]:
    clbits = [*operation.clbits, *clbits_of(operation.condition)]
    if operation.name == "set":
        clbits += clbits_read(operation.params[0])
    return {*(("qubit", qubit) for qubit in operation.qubits), *(("clbit", clbit) for clbit in clbits)}
