"""pyQuil's numpy simulator without the gateway.

It takes matrices as well as a ``Program``: making a list of matrices takes 1.7 us a gate, a
``Program`` 7.0.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from bare.counting import count_rows
from pyquil.simulation import NumpyWavefunctionSimulator
from pyquil.simulation.matrices import QUANTUM_GATES
from workloads import Gate

GATES = {
    "h": QUANTUM_GATES["H"],
    "x": QUANTUM_GATES["X"],
    "y": QUANTUM_GATES["Y"],
    "z": QUANTUM_GATES["Z"],
    "s": QUANTUM_GATES["S"],
    "sdg": QUANTUM_GATES["S"].conj(),
    "t": QUANTUM_GATES["T"],
    "tdg": QUANTUM_GATES["T"].conj(),
    "cx": QUANTUM_GATES["CNOT"],
    "cz": QUANTUM_GATES["CZ"],
    "swap": QUANTUM_GATES["SWAP"],
    "rx": QUANTUM_GATES["RX"],
    "ry": QUANTUM_GATES["RY"],
    "rz": QUANTUM_GATES["RZ"],
    "p": QUANTUM_GATES["PHASE"],
    "cp": QUANTUM_GATES["CPHASE"],
}


def build(gates: Sequence[Gate], num_qubits: int) -> list[tuple[Any, tuple[int, ...]]]:
    """Return what ``do_gate_matrix`` takes: matrices and their qubits."""
    return [(GATES[name](*params) if params else GATES[name], qubits) for name, qubits, params in gates]


def sampler(gates: Sequence[Gate], num_qubits: int) -> Callable[[int], dict[str, int]]:
    """Return a function that evolves and samples."""
    steps = build(gates, num_qubits)

    def sample(shots: int) -> dict[str, int]:
        simulator = NumpyWavefunctionSimulator(num_qubits, np.random.RandomState(1))
        for matrix, qubits in steps:
            simulator.do_gate_matrix(matrix, qubits)
        return count_rows(simulator.sample_bitstrings(shots)[:, ::-1])

    return sample
