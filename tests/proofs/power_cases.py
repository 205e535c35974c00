"""Makes mutants: a circuit of the corpus, or a random one, in which one operation is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import msgspec
from support.circuits import add_random_gate, angles, random_circuit, random_dynamic_circuit

from gateway.circuit import Circuit, Operation
from gateway.circuit.gates import GATES

CORPUS = sorted((Path(__file__).parents[1] / "circuits").glob("openqasm[23]/*.qasm"))


@dataclass(frozen=True, slots=True)
class Original:
    """A circuit, and where it comes from: ``corpus``, ``static`` or ``dynamic``."""

    source: str
    circuit: Circuit


def originals(seed: int, *, random_ones: int, corpus: list[Path] = CORPUS) -> Iterator[Original]:
    """Yield circuits of the corpus, and as many random ones of each sort."""
    random = Random(f"power {seed}")
    for path in corpus:
        yield Original("corpus", Circuit.from_openqasm(path.read_text()))
    for _ in range(random_ones):
        static = random_circuit(random.randrange(2**32), random.randint(1, 8), random.randint(4, 40))
        yield Original("static", static.measure_all())
    for _ in range(random_ones):
        size = random.randint(2, 5)
        yield Original("dynamic", random_dynamic_circuit(random.randrange(2**32), size, random.randint(2, 5)))


def mutant(kind: str, random: Random, circuit: Circuit) -> Circuit | None:
    """Return the circuit with one operation that is wrong; nothing if it has none that can be wrong in this way."""
    fits, edit = KINDS[kind]
    places = [index for index, op in enumerate(circuit.operations) if fits(op)]
    if not places:
        return None
    place = random.choice(places)
    operations = list(circuit.operations)
    operations[place : place + 1] = edit(random, circuit, operations[place])
    return Circuit(circuit.num_qubits, circuit.num_clbits, operations)


def _is_gate(op: Operation) -> bool:
    return op.name in GATES and len(op.qubits) > 0


def _replaced(random: Random, _circuit: Circuit, op: Operation) -> list[Operation]:
    gates = [gate for gate in GATES.values() if gate.num_qubits == len(op.qubits) and gate.name != op.name]
    gate = random.choice(gates) if gates else GATES[op.name]
    return [msgspec.structs.replace(op, name=gate.name, params=tuple(angles(random, gate)))]


def _added(random: Random, circuit: Circuit, op: Operation) -> list[Operation]:
    added = Circuit(circuit.num_qubits, circuit.num_clbits)
    add_random_gate(added, random)
    return [*added.operations, op]


def _turned(random: Random, _circuit: Circuit, op: Operation) -> list[Operation]:
    """Change one angle, by 0.001 to 3 radians."""
    params, place = list(op.params), random.randrange(len(op.params))
    params[place] += random.choice([-1, 1]) * 10 ** random.uniform(-3, 0.5)
    return [msgspec.structs.replace(op, params=tuple(params))]


def _exchanged(random: Random, _circuit: Circuit, op: Operation) -> list[Operation]:
    qubits, (first, second) = list(op.qubits), random.sample(range(len(op.qubits)), 2)
    qubits[first], qubits[second] = qubits[second], qubits[first]
    return [msgspec.structs.replace(op, qubits=tuple(qubits))]


KINDS: dict[str, tuple[Callable[[Operation], bool], Callable[[Random, Circuit, Operation], list[Operation]]]] = {
    "gate replaced": (_is_gate, _replaced),
    "gate removed": (_is_gate, lambda _random, _circuit, _op: []),
    "gate added": (lambda _: True, _added),
    "angle changed": (lambda op: bool(op.params), _turned),
    "qubits exchanged": (lambda op: _is_gate(op) and len(op.qubits) > 1, _exchanged),
    "condition dropped": (
        lambda op: bool(op.condition),
        lambda _random, _circuit, op: [msgspec.structs.replace(op, condition=())],
    ),
}
"""Kind of mutant -> which operations can be wrong in this way, and what is run in place of one."""
