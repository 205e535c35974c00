"""The diagnosis of circuits with 12 qubits and 200 operations: every hypothesis is tried, and none of them holds."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from time import process_time

import numpy as np
from measuring import Row, compared, freeze
from workloads import NUM_QUBITS, circuit_of, dynamic, mixed_gates

from gateway.circuit import Circuit, Comparison
from gateway.circuit.gates import GATES
from gateway.compare import exact
from gateway.compare.diagnosis import Observations, diagnose
from gateway.compare.statistics.outcomes import Sample

NAME = "diagnosis"
SECONDS = 10.0
SHOTS = 100_000
OPERATIONS = 200
QELIB1 = (
    "u3", "u2", "u1", "cx", "x", "y", "z", "h", "s", "sdg", "t", "tdg", "rx", "ry", "rz", "sx", "cz", "cy", "swap",
    "ch", "ccx", "cswap", "crx", "cry", "crz", "cu1", "cu3", "rxx", "rzz",
)  # fmt: skip


def measure(_: str, *, quick: bool) -> list[Row]:
    """Diagnose counts that are drawn from none of the predictions."""
    cases: dict[str, Callable[[], Circuit]] = {"gates": _static, "teleportation": dynamic, "all kinds": _all_kinds}
    return [_timed(what, make(), 1 if quick else 3) for what, make in cases.items()]


def _timed(what: str, circuit: Circuit, rounds: int) -> Row:
    reference = exact.distribution(circuit)
    shares = np.random.default_rng(1).dirichlet(np.ones(len(reference.codes)))
    counts = np.random.default_rng(2).multinomial(SHOTS, shares)
    sample = Sample(circuit.num_clbits, reference.codes[counts > 0], counts[counts > 0])
    freeze()
    times = []
    for _ in range(rounds):
        began = process_time()
        causes = diagnose(circuit, Observations(sample=sample), seconds=np.inf)
        times.append(process_time() - began)
        assert not causes
    return compared(NAME, f"12 qubits, 200 operations, {what} : {SECONDS:g} s", min(times), SECONDS, 1.0)


def _static() -> Circuit:
    return circuit_of(mixed_gates(OPERATIONS - NUM_QUBITS), NUM_QUBITS).measure_all()


def _all_kinds() -> Circuit:
    """Return most gates of ``qelib1.inc``, an idle qubit, clbits that are written twice, resets and conditions."""
    random = Random(3)
    circuit = Circuit(NUM_QUBITS, NUM_QUBITS)
    qubits = range(NUM_QUBITS - 1)
    for qubit in qubits:
        circuit.ry(random.uniform(0.3, 2.8), qubit)
    for number in range(OPERATIONS - 2 * NUM_QUBITS + 1):
        if number % 60 == 30:
            first, second = random.sample(qubits, 2)
            circuit.measure(first, first).measure(second, second).reset(first)
        gate = GATES[random.choice(QELIB1)]
        angles = [random.uniform(-7, 7) for _ in range(gate.num_params)]
        when = Comparison((first, second), 1) if number > 30 and number % 10 == 5 else None
        circuit.gate(gate.name, random.sample(qubits, gate.num_qubits), angles, when)
    return circuit.measure_all()
