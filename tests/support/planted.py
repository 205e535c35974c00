"""Faults that show only in a combination, and long circuits to plant faults in."""

from __future__ import annotations

from random import Random

from support.circuits import add_random_gate, random_circuit
from support.faulty import Right

from gateway.circuit import Circuit, Comparison, Operation
from gateway.errors import SimulatorError


class Combination(Right):
    """Drops every gate of one name that directly follows one of another name on one of its qubits."""

    def __init__(self, *, first: str, then: str, **options) -> None:
        super().__init__(**{"name": f"{then} after {first}"} | options)
        self.first, self.then = first, then

    def operations(self, circuit):
        last: dict[int, str] = {}
        kept = []
        for op in circuit.operations:
            if op.name != self.then or self.first not in {last.get(qubit) for qubit in op.qubits}:
                kept.append(op)
            last.update(dict.fromkeys(op.qubits, op.name))
        return kept


class Descending(Right):
    """Exchanges the first and the last qubit of a gate where they do not ascend."""

    def __init__(self, *, gate: str, **options) -> None:
        super().__init__(**{"name": f"descending {gate}"} | options)
        self.gate = gate

    def operations(self, circuit):
        return [self._ascending(op) if op.name == self.gate else op for op in circuit.operations]

    @staticmethod
    def _ascending(op: Operation) -> Operation:
        first, *between, last = op.qubits
        return op if first < last else Operation(op.name, (last, *between, first), op.params, (), op.condition)


class Raising(Right):
    """Raises an error at a gate, if it has met another gate before."""

    def __init__(self, *, gate: str, after: str = "", message: str = "no kernel for it", **options) -> None:
        super().__init__(**{"name": f"raises at {gate}"} | options)
        self.gate, self.after, self.message = gate, after, message

    def operations(self, circuit):
        names = [op.name for op in circuit.operations]
        start = names.index(self.after) if self.after in names else 0 if not self.after else len(names)
        if self.gate in names[start:]:
            raise SimulatorError(f"{self.name}: {self.message} (operation {names.index(self.gate, start)})")
        return circuit.operations


def long_circuit(
    seed: int, num_qubits: int = 6, num_operations: int = 200, *, planted: Circuit | None = None
) -> Circuit:
    """Return gates of the whole table, with some operations planted in the middle, measured at the end."""
    circuit = random_circuit(seed, num_qubits, num_operations)
    middle = num_operations // 2
    circuit.operations[middle:middle] = planted.operations if planted else []
    return circuit.measure_all()


def long_dynamic_circuit(seed: int, num_qubits: int = 5, num_operations: int = 200) -> Circuit:
    """Return mostly gates, among them some that depend on clbits, and a few measurements and resets."""
    random = Random(seed)
    circuit = Circuit(num_qubits, num_qubits)
    events = dict.fromkeys(random.sample(range(num_operations), 6), "measure")
    events.update(dict.fromkeys(random.sample(range(num_operations), 3), "reset"))
    for index in range(num_operations):
        if events.get(index) == "measure":
            circuit.measure(random.randrange(num_qubits), random.randrange(num_qubits))
        elif events.get(index) == "reset":
            circuit.reset(random.randrange(num_qubits))
        else:
            clbits = tuple(random.sample(range(num_qubits), 2))
            when = (Comparison(clbits, random.randrange(4)),) if random.random() < 0.1 else ()
            add_random_gate(circuit, random, when)
    return circuit.measure_all()
