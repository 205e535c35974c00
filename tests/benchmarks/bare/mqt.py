"""MQT Core and DDSIM without the gateway: bound methods of the circuit."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from mqt.core.ir import QuantumComputation
from mqt.ddsim import CircuitSimulator
from workloads import Gate

NAMES = ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "cx", "cz", "swap", "rx", "ry", "rz", "p", "cp")


def build(gates: Sequence[Gate], num_qubits: int) -> QuantumComputation:
    """Build a circuit with its own methods."""
    circuit = QuantumComputation(num_qubits, num_qubits)
    add = {name: getattr(circuit, name) for name in NAMES}
    for name, qubits, params in gates:
        add[name](*params, *qubits)
    return circuit


def sampler(gates: Sequence[Gate], num_qubits: int) -> Callable[[int], dict[str, int]]:
    """Return a function that evolves and samples; DDSIM counts by itself."""
    circuit = build(gates, num_qubits)
    circuit.measure(range(num_qubits), range(num_qubits))

    def sample(shots: int) -> dict[str, int]:
        return CircuitSimulator(circuit, seed=1).simulate(shots)

    return sample
