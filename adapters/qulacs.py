"""Qulacs' state-vector simulator (https://docs.qulacs.org), checked against 0.6.14.

The gates are those of :mod:`gateway.frameworks.qulacs.gates`. ``OMP_NUM_THREADS`` must be set before Qulacs
is imported; the server sets it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import qulacs
from qulacs import QuantumCircuit, QuantumState

from adapters.base import measured_clbits
from adapters.shared.costs import Costs
from adapters.shared.dense import DenseAdapter, counts_of_indices
from adapters.shared.states import State
from gateway.circuit import Circuit, Operation
from gateway.counts import Counts
from gateway.frameworks.qulacs.gates import GATES, build
from gateway.simulators import SIMULATORS


@dataclass(frozen=True, slots=True)
class NativeCircuit:
    """A Qulacs circuit of gates, and the qubit whose outcome each clbit takes."""

    circuit: QuantumCircuit
    qubit_of_clbit: dict[int, int]
    num_clbits: int


class QulacsAdapter(DenseAdapter[NativeCircuit]):
    """Qulacs' state-vector simulator."""

    name = "qulacs"
    capabilities = SIMULATORS["qulacs"].capabilities
    costs = Costs(native_state=32, operation=1_000, by_gate={"rccx": 2_200, "rc3x": 5_200}, shot=80, shot_bit=0)
    native_gates = GATES

    def version(self) -> str:
        """Return Qulacs' version."""
        return str(qulacs.__version__)

    def build(self, circuit: Circuit) -> NativeCircuit:
        """Convert to a Qulacs circuit of gates; the measurements become a map from clbit to qubit."""
        target = build(circuit.num_qubits, circuit.operations, _leave_out)
        return NativeCircuit(target, measured_clbits(circuit.operations), circuit.num_clbits)

    def evolve(self, native: NativeCircuit, state: State | None = None) -> State:
        """Return the state after the circuit."""
        vector = QuantumState(native.circuit.get_qubit_count())
        if state is not None:
            vector.load(state)
        native.circuit.update_quantum_state(vector)
        return np.asarray(vector.get_vector())

    def sample(self, native: NativeCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``QuantumState.sampling``."""
        vector = QuantumState(native.circuit.get_qubit_count())
        native.circuit.update_quantum_state(vector)
        indices = np.array(vector.sampling(shots, seed), dtype=np.int64)
        return counts_of_indices(indices, native.qubit_of_clbit, native.num_clbits)


def _leave_out(circuit: QuantumCircuit, op: Operation) -> None:
    """Leave out a measurement or a barrier, since the shots are drawn from the state before it."""
