"""Qiskit and Aer without the gateway.

The named methods take 4.7 us a gate, ``QuantumCircuit.from_instructions`` 6.4, filling ``data`` 9.6.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qiskit import QuantumCircuit, qasm2
from qiskit.circuit import Parameter
from qiskit.quantum_info import SparsePauliOp
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


def _parametric(gates: Sequence[Gate], num_qubits: int) -> tuple[QuantumCircuit, list[Parameter]]:
    circuit, parameters = QuantumCircuit(num_qubits), []
    for name, qubits, params in gates:
        parameters += [Parameter(f"theta_{number:03}") for number in params]
        getattr(circuit, name)(*parameters[len(parameters) - len(params) :], *qubits)
    return circuit, parameters


def _binds(parameters: Sequence[Parameter], values: Sequence[Sequence[float]]) -> list[dict[Parameter, list[float]]]:
    return [{one: [row[place] for row in values] for place, one in enumerate(parameters)}]


def sweep(
    gates: Sequence[Gate], num_qubits: int, values: Sequence[Sequence[float]], shots: int
) -> Callable[[], list[dict[str, int]]]:
    """Return a function that counts shots at each point, with Aer's own binding of parameters."""
    circuit, parameters = _parametric(gates, num_qubits)
    circuit.measure_all()
    simulator = AerSimulator(method="statevector", max_parallel_threads=1)

    def run() -> list[dict[str, int]]:
        binds = _binds(parameters, values)
        result = simulator.run(circuit, parameter_binds=binds, shots=shots, seed_simulator=1).result()
        found = [one.data.counts for one in result.results]
        return [{f"{int(key, 16):0{num_qubits}b}": times for key, times in counts.items()} for counts in found]

    return run


def estimate(
    gates: Sequence[Gate], num_qubits: int, values: Sequence[Sequence[float]], terms: Sequence[tuple[str, float]]
) -> Callable[[], list[float]]:
    """Return a function that computes the exact value of a sum of Pauli strings at each point."""
    circuit, parameters = _parametric(gates, num_qubits)
    operator = SparsePauliOp.from_list([(text[::-1], number) for text, number in terms])
    circuit.save_expectation_value(operator, range(num_qubits))
    simulator = AerSimulator(method="statevector", max_parallel_threads=1)

    def run() -> list[float]:
        result = simulator.run(circuit, parameter_binds=_binds(parameters, values)).result()
        return [result.data(index)["expectation_value"] for index in range(len(values))]

    return run
