"""Qulacs without the gateway: the methods of its circuit."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from bare.counting import count_indices
from qulacs import Observable, ParametricQuantumCircuit, QuantumCircuit, QuantumState
from qulacs.gate import DiagonalMatrix
from workloads import Gate


def _cp(circuit: QuantumCircuit, control: int, target: int, angle: float) -> None:
    circuit.add_gate(DiagonalMatrix([control, target], [1, 1, 1, cmath.exp(1j * angle)]))


ADD = {
    "h": QuantumCircuit.add_H_gate,
    "x": QuantumCircuit.add_X_gate,
    "y": QuantumCircuit.add_Y_gate,
    "z": QuantumCircuit.add_Z_gate,
    "s": QuantumCircuit.add_S_gate,
    "sdg": QuantumCircuit.add_Sdag_gate,
    "t": QuantumCircuit.add_T_gate,
    "tdg": QuantumCircuit.add_Tdag_gate,
    "cx": QuantumCircuit.add_CNOT_gate,
    "cz": QuantumCircuit.add_CZ_gate,
    "swap": QuantumCircuit.add_SWAP_gate,
    "rx": QuantumCircuit.add_RotX_gate,
    "ry": QuantumCircuit.add_RotY_gate,
    "rz": QuantumCircuit.add_RotZ_gate,
    "p": QuantumCircuit.add_U1_gate,
    "cp": _cp,
}


def build(gates: Sequence[Gate], num_qubits: int) -> QuantumCircuit:
    """Build a circuit with its own methods."""
    circuit = QuantumCircuit(num_qubits)
    for name, qubits, params in gates:
        ADD[name](circuit, *qubits, *params)
    return circuit


def sampler(gates: Sequence[Gate], num_qubits: int) -> Callable[[int], dict[str, int]]:
    """Return a function that evolves and samples."""
    circuit = build(gates, num_qubits)

    def sample(shots: int) -> dict[str, int]:
        state = QuantumState(num_qubits)
        circuit.update_quantum_state(state)
        return count_indices(np.array(state.sampling(shots, 1), dtype=np.int64), num_qubits)

    return sample


PARAMETRIC = {
    "ry": ParametricQuantumCircuit.add_parametric_RY_gate,
    "rz": ParametricQuantumCircuit.add_parametric_RZ_gate,
}


def _states(gates: Sequence[Gate], num_qubits: int, values: Sequence[Sequence[float]]) -> Iterator[QuantumState]:
    """Yield the state at each point, the same object each time."""
    circuit = ParametricQuantumCircuit(num_qubits)
    for name, qubits, params in gates:
        if params:
            PARAMETRIC[name](circuit, *qubits, 0.0)
        else:
            ADD[name](circuit, *qubits)
    state = QuantumState(num_qubits)
    for row in values:
        for number, angle in enumerate(row):
            circuit.set_parameter(number, -angle)  # Qulacs turns the other way
        state.set_zero_state()
        circuit.update_quantum_state(state)
        yield state


def sweep(
    gates: Sequence[Gate], num_qubits: int, values: Sequence[Sequence[float]], shots: int
) -> Callable[[], list[dict[str, int]]]:
    """Return a function that counts shots at each point."""
    return lambda: [
        count_indices(np.array(state.sampling(shots, point), dtype=np.int64), num_qubits)
        for point, state in enumerate(_states(gates, num_qubits, values))
    ]


def estimate(
    gates: Sequence[Gate], num_qubits: int, values: Sequence[Sequence[float]], terms: Sequence[tuple[str, float]]
) -> Callable[[], list[float]]:
    """Return a function that computes the exact value of a sum of Pauli strings at each point."""
    observable = Observable(num_qubits)
    for text, number in terms:
        observable.add_operator(number, " ".join(f"{letter} {q}" for q, letter in enumerate(text) if letter != "I"))
    return lambda: [observable.get_expectation_value(state) for state in _states(gates, num_qubits, values)]
