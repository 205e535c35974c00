"""Makes circuits for tests: random ones from a seed, and well-known ones."""

from __future__ import annotations

from math import pi
from random import Random

from gateway.circuit import Circuit, Comparison, Condition, Expression, bits
from gateway.circuit.expressions import CLASSICAL
from gateway.circuit.gates import GATES, Gate

ANGLE = 7.0
"""The largest random angle: beyond a whole turn, where conventions begin to differ."""


def angles(random: Random, gate: Gate) -> list[float]:
    """Return random parameters of a gate."""
    return [random.uniform(-ANGLE, ANGLE) for _ in range(gate.num_params)]


def add_random_gate(circuit: Circuit, random: Random, when: Condition = ()) -> None:
    """Append any gate of the table that fits, on random qubits."""
    gate = random.choice([gate for gate in GATES.values() if gate.num_qubits <= circuit.num_qubits])
    circuit.gate(gate.name, random.sample(range(circuit.num_qubits), gate.num_qubits), angles(random, gate), when)


def random_circuit(seed: int, num_qubits: int, num_gates: int) -> Circuit:
    """Return gates drawn evenly from the whole table."""
    random, circuit = Random(seed), Circuit(num_qubits)
    for _ in range(num_gates):
        add_random_gate(circuit, random)
    return circuit


def random_dynamic_circuit(seed: int, num_qubits: int = 4, num_clbits: int = 4, num_operations: int = 24) -> Circuit:
    """Return gates, measurements and resets in any order, some of them conditional; measurements come last."""
    random, circuit = Random(seed), Circuit(num_qubits, num_clbits)
    for qubit in range(num_qubits):
        circuit.u(*angles(random, GATES["u"]), qubit)
    for _ in range(num_operations):
        when = random_condition(random, num_clbits) if random.random() < 0.4 else ()
        kind = random.random()
        if kind < 0.15:
            circuit.measure(random.randrange(num_qubits), random.randrange(num_clbits), when)
        elif kind < 0.22:
            circuit.reset(random.randrange(num_qubits), when)
        else:
            add_random_gate(circuit, random, when)
    for clbit in random.sample(range(num_clbits), num_clbits - 1):
        circuit.measure(random.randrange(num_qubits), clbit)
    return circuit


def random_program(seed: int, num_qubits: int = 3, num_clbits: int = 3, num_hidden: int = 2) -> Circuit:
    """Return a circuit with loops, assignments, hidden clbits, resets and conditions; every loop ends sooner or later.

    A loop ends when a clbit that each of its turns writes last, by a measurement of a qubit that is 0 or 1 by half, is
    0, or when a counter of two hidden clbits has come round to 0.
    """
    random, circuit = Random(seed), Circuit(num_qubits, num_clbits, num_hidden=num_hidden + 2)
    for qubit in range(num_qubits):
        circuit.u(*angles(random, GATES["u"]), qubit)
    _add_block(circuit, random, num_clbits + num_hidden, 8, loops=2)
    for clbit in random.sample(range(num_clbits), num_clbits - 1):
        circuit.measure(random.randrange(num_qubits), clbit)
    return circuit


def _add_block(circuit: Circuit, random: Random, num_clbits: int, length: int, loops: int) -> None:
    """Append steps of any kind; the last two hidden clbits are left to loops, of which so many may be nested."""
    for _ in range(length):
        when = random_condition(random, num_clbits) if random.random() < 0.4 else ()
        kind = random.random()
        if kind < 0.2:
            circuit.measure(random.randrange(circuit.num_qubits), random.randrange(num_clbits), when)
        elif kind < 0.27:
            circuit.reset(random.randrange(circuit.num_qubits), when)
        elif kind < 0.45:
            clbits = random.sample(range(num_clbits), random.randint(1, 3))
            circuit.set(clbits, random_value(random, num_clbits), when)
        elif kind < 0.6 and loops:
            _add_loop(circuit, random, num_clbits, loops)
        else:
            add_random_gate(circuit, random, when)


def _add_loop(circuit: Circuit, random: Random, num_clbits: int, loops: int) -> None:
    if loops > 1 and random.random() < 0.5:
        counter = (num_clbits, num_clbits + 1)
        circuit.set(counter, random.randrange(1, 4)).while_(Comparison(counter, 0, equal=False))
        _add_block(circuit, random, num_clbits, 3, loops=1)
        circuit.set(counter, bits(*counter) + 1).end()
        return
    clbit, qubit = random.randrange(num_clbits), random.randrange(circuit.num_qubits)
    circuit.while_((Comparison((clbit,), 1), *random_condition(random, num_clbits)[: random.randrange(2)]))
    _add_block(circuit, random, num_clbits, 3, loops=0)
    circuit.reset(qubit).h(qubit).measure(qubit, clbit).end()


def random_condition(random: Random, num_clbits: int) -> Condition:
    """Return one or two comparisons of one to three clbits."""

    def comparison() -> Comparison:
        clbits = tuple(random.sample(range(num_clbits), random.randint(1, min(3, num_clbits))))
        return Comparison(clbits, random.randrange(1 << len(clbits)), random.random() < 0.6)

    return tuple(comparison() for _ in range(random.randint(1, 2)))


def teleportation() -> Circuit:
    """Return a state on qubit 0 brought to qubit 2 and measured into clbit 2."""
    circuit = Circuit(3, 3).u(1.1, 0.4, 0.7, 0).h(1).cx(1, 2).cx(0, 1).h(0)
    return circuit.measure(0, 0).measure(1, 1).x(2, when={1: 1}).z(2, when={0: 1}).measure(2, 2)


def bell() -> Circuit:
    """Return a Bell pair, whose two qubits are always measured equal."""
    return Circuit(2).h(0).cx(0, 1).measure_all()


def wide() -> Circuit:
    """Return a circuit with so many outcomes that two seeds practically never give the same counts."""
    circuit = Circuit(8)
    for qubit in range(8):
        circuit.ry(pi / 2 - 0.1 * qubit, qubit)
    return circuit.cx(0, 4).cx(3, 7).measure_all()


def handed() -> Circuit:
    """Return a circuit whose outcomes tell the sense of each rotation."""
    circuit = Circuit(3).h(0).h(1).h(2).rz(0.7, 0).cx(0, 1).rz(1.1, 1).cx(1, 2)
    return circuit.u(0.5, 0.3, 0.2, 0).u(0.9, 0.1, 0.4, 1).ry(0.5, 2).measure_all()


def random_classical_circuit(seed: int) -> Circuit:
    """Return two qubits, two clbits and two hidden ones under gates, measurements, assignments and loops."""
    random, circuit = Random(seed), Circuit(2, 2, num_hidden=2)
    for qubit in range(2):
        circuit.u(*angles(random, GATES["u"]), qubit)
    for _ in range(8):
        _add_random_step(circuit, random)
        if random.random() < 0.15:
            _add_random_loop(circuit, random)
    return circuit.measure(0, 0)


def _add_random_step(circuit: Circuit, random: Random) -> None:
    total = circuit.num_clbits + circuit.num_hidden
    when = random_condition(random, total) if random.random() < 0.4 else ()
    kind = random.random()
    if kind < 0.3:
        circuit.measure(random.randrange(2), random.randrange(total), when)
    elif kind < 0.4:
        circuit.reset(random.randrange(2), when)
    elif kind < 0.7:
        clbits = random.sample(range(total), random.randint(1, 3))
        circuit.set(clbits, random_value(random, total), when)
    else:
        add_random_gate(circuit, random, when)


def _add_random_loop(circuit: Circuit, random: Random) -> None:
    """Append a loop that ends: its condition tests a clbit that each turn may set to 0, and never to 1."""
    total = circuit.num_clbits + circuit.num_hidden
    first, other = random.sample(range(total), 2)
    circuit.while_((Comparison((first,), 1), *random_condition(random, total)[:1]))
    add_random_gate(circuit, random)
    circuit.u(1.1, 0.3, 0.2, 0).measure(0, other)
    circuit.set([first], Expression("and", (bits(first), bits(other)))).end()


def random_value(random: Random, num_clbits: int, depth: int = 2) -> int | Expression:
    """Return a random classical value, without divisions."""
    if depth == 0 or random.random() < 0.25:
        if random.random() < 0.2:
            return random.randrange(4)
        return bits(*random.sample(range(num_clbits), random.randint(1, 2)))
    op = random.choice([op for op in CLASSICAL if op not in {"/", "%"}])
    args = [random_value(random, num_clbits, depth - 1) for _ in range(random.choice(CLASSICAL[op][0]))]
    if op in {"wrap", "signed"}:
        args[1] = random.randint(1, 4)
    if op in {"<<", ">>"}:
        args[1] = random.randint(0, 2)
    return Expression(op, tuple(args))
