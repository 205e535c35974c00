"""Cirq without the gateway.

``Circuit(operations)`` packs with measurement keys in mind and takes 8.3 us a gate in all; packing
by hand and handing over finished moments, which is public too, takes 4.8.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi

import cirq
import numpy as np
import sympy
from bare.counting import count_rows
from workloads import Gate

GATES = {
    "h": cirq.H,
    "x": cirq.X,
    "y": cirq.Y,
    "z": cirq.Z,
    "s": cirq.S,
    "sdg": cirq.ZPowGate(exponent=-0.5),
    "t": cirq.T,
    "tdg": cirq.ZPowGate(exponent=-0.25),
    "cx": cirq.CNOT,
    "cz": cirq.CZ,
    "swap": cirq.SWAP,
}
ROTATIONS = {
    "rx": cirq.rx,
    "ry": cirq.ry,
    "rz": cirq.rz,
    "p": lambda angle: cirq.ZPowGate(exponent=angle / pi),
    "cp": lambda angle: cirq.CZPowGate(exponent=angle / pi),
}


def build(gates: Sequence[Gate], num_qubits: int) -> cirq.Circuit:
    """Build a circuit from moments packed here."""
    line = cirq.LineQubit.range(num_qubits)
    free = [0] * num_qubits
    moments: list[list[cirq.Operation]] = []
    for name, qubits, params in gates:
        gate = ROTATIONS[name](*params) if params else GATES[name]
        level = max([free[qubit] for qubit in qubits])
        if level == len(moments):
            moments.append([])
        moments[level].append(cirq.GateOperation(gate, [line[qubit] for qubit in qubits]))
        for qubit in qubits:
            free[qubit] = level + 1
    return cirq.Circuit([cirq.Moment.from_ops(*moment) for moment in moments])


def sampler(gates: Sequence[Gate], num_qubits: int) -> Callable[[int], dict[str, int]]:
    """Return a function that evolves and samples.

    ``sample_state_vector`` takes three quarters of the time of ``Simulator.run``.
    """
    circuit = build(gates, num_qubits)
    order = cirq.LineQubit.range(num_qubits)[::-1]

    def sample(shots: int) -> dict[str, int]:
        state = cirq.Simulator(split_untangled_states=False).simulate(circuit, qubit_order=order).final_state_vector
        drawn = cirq.sample_state_vector(state, range(num_qubits), repetitions=shots, seed=np.random.RandomState(1))
        return count_rows(drawn)

    return sample


def _parametric(gates: Sequence[Gate], num_qubits: int) -> cirq.Circuit:
    return build([(name, qubits, tuple(map(_symbol, params))) for name, qubits, params in gates], num_qubits)


def _symbol(number: float) -> sympy.Symbol:
    return sympy.Symbol(f"theta_{number}")


def _points(values: Sequence[Sequence[float]]) -> list[cirq.ParamResolver]:
    return [cirq.ParamResolver({f"theta_{place}": angle for place, angle in enumerate(row)}) for row in values]


def sweep(
    gates: Sequence[Gate], num_qubits: int, values: Sequence[Sequence[float]], shots: int
) -> Callable[[], list[dict[str, int]]]:
    """Return a function that counts shots at each point."""
    circuit = _parametric(gates, num_qubits)
    circuit.append(cirq.measure(*cirq.LineQubit.range(num_qubits)[::-1], key="all"))
    simulator = cirq.Simulator(split_untangled_states=False, seed=1)
    return lambda: [
        count_rows(result.measurements["all"])
        for result in simulator.run_sweep(circuit, _points(values), repetitions=shots)
    ]


def estimate(
    gates: Sequence[Gate], num_qubits: int, values: Sequence[Sequence[float]], terms: Sequence[tuple[str, float]]
) -> Callable[[], list[float]]:
    """Return a function that computes the exact value of a sum of Pauli strings at each point."""
    circuit, line = _parametric(gates, num_qubits), cirq.LineQubit.range(num_qubits)
    total = sum(number * cirq.DensePauliString(text).on(*line) for text, number in terms)
    simulator = cirq.Simulator(split_untangled_states=False)

    def run() -> list[float]:
        found = simulator.simulate_expectation_values_sweep(circuit, [total], _points(values))
        return [one.real for (one,) in found]

    return run
