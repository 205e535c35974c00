"""pytket and its AerBackend without the gateway.

``add_gate`` with operations takes 4.0 us a gate, with types and angles 4.1, the named methods 4.5.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import pi

from bare.counting import count_rows
from pytket.circuit import Circuit, Op, OpType
from pytket.extensions.qiskit import AerBackend
from workloads import Gate

GATES = {
    "h": Op.create(OpType.H),
    "x": Op.create(OpType.X),
    "y": Op.create(OpType.Y),
    "z": Op.create(OpType.Z),
    "s": Op.create(OpType.S),
    "sdg": Op.create(OpType.Sdg),
    "t": Op.create(OpType.T),
    "tdg": Op.create(OpType.Tdg),
    "cx": Op.create(OpType.CX),
    "cz": Op.create(OpType.CZ),
    "swap": Op.create(OpType.SWAP),
}
ROTATIONS = {"rx": OpType.Rx, "ry": OpType.Ry, "rz": OpType.Rz, "p": OpType.U1, "cp": OpType.CU1}


def build(gates: Sequence[Gate], num_qubits: int) -> Circuit:
    """Build a circuit from operations; those without angles are made once."""
    circuit = Circuit(num_qubits)
    add, create = circuit.add_gate, Op.create
    for name, qubits, params in gates:
        add(create(ROTATIONS[name], params[0] / pi) if params else GATES[name], qubits)
    return circuit


def sampler(gates: Sequence[Gate], num_qubits: int) -> Callable[[int], dict[str, int]]:
    """Return a function that evolves and samples.

    The table of shots is counted here, as ``get_counts`` takes ten times as long.
    """
    circuit = build(gates, num_qubits)
    circuit.measure_all()
    backend = AerBackend(simulation_method="statevector")

    def sample(shots: int) -> dict[str, int]:
        return count_rows(backend.run_circuit(circuit, shots, seed=1).get_shots()[:, ::-1])

    return sample
