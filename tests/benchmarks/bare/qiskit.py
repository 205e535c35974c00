"""Qiskit and Aer without the gateway.

The named methods take 4.7 us a gate, ``QuantumCircuit.from_instructions`` 6.4, filling ``data`` 9.6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qiskit import QuantumCircuit, qasm2
from qiskit_aer import AerSimulator
from workloads import Gate

NAMES = ("h", "x", "y", "z", "s", "sdg", "t", "tdg", "cx", "cz", "swap", "rx", "ry", "rz", "p", "cp")

parse = qasm2.loads
"""The parser of OpenQASM 2 that is written in Rust."""


def build(gates: Sequence[Gate], num_qubits: int) -> QuantumCircuit:
    """Build a circuit with its own methods."""
    circuit = QuantumCircuit(num_qubits)
    add = {name: getattr(circuit, name) for name in NAMES}
    for name, qubits, params in gates:
        add[name](*params, *qubits)
    return circuit


def sampler(gates: Sequence[Gate], num_qubits: int) -> Callable[[int], dict[str, int]]:
    """Return a function that evolves and samples; the raw counts are read, as ``get_counts`` takes longer."""
    circuit = build(gates, num_qubits)
    circuit.measure_all()
    simulator = AerSimulator(method="statevector", max_parallel_threads=1)

    def sample(shots: int) -> dict[str, int]:
        found = simulator.run(circuit, shots=shots, seed_simulator=1).result().data()["counts"]
        return {f"{int(key, 16):0{num_qubits}b}": times for key, times in found.items()}

    return sample
