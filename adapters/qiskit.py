"""Qiskit Aer's state-vector simulator (https://qiskit.github.io/qiskit-aer), checked against 0.18.2 on Qiskit 2.6.2.

Qiskit is little-endian throughout, as we are. Aer lacks some of Qiskit's gates; they go in as their
matrices, which is exact and needs no transpiler. Aer reports a failure in the result and raises
nothing: :meth:`QiskitAdapter._run` raises.
"""

from __future__ import annotations

import cmath
from typing import Any

import numpy as np
import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit_aer import AerSimulator

from adapters.base import ALWAYS_FITS
from adapters.shared.aer_jobs import run_in_calling_thread
from adapters.shared.dense import DenseAdapter
from adapters.shared.memory import available_bytes
from adapters.shared.seeds import spread
from adapters.shared.states import State
from gateway.circuit import Circuit, Operation
from gateway.counts import Counts
from gateway.errors import SimulatorError
from gateway.frameworks.qiskit import gates
from gateway.frameworks.qiskit.dumping import build, native
from gateway.frameworks.shared.matrices import matrix
from gateway.simulators import SIMULATORS

AS_MATRICES = frozenset({"c3sqrtx", "ch", "cs", "csdg", "dcx", "iswap", "rc3x", "rccx", "xx_minus_yy", "xx_plus_yy"})
"""The gates of Qiskit that Aer does not have."""

STANDARD = {name: number for name, number in gates.STANDARD.items() if name not in AS_MATRICES}


class QiskitAdapter(DenseAdapter[QuantumCircuit]):
    """Qiskit Aer with ``method="statevector"``."""

    name = "qiskit"
    capabilities = SIMULATORS["qiskit"].capabilities
    native_gates = gates.GATES

    def __init__(self) -> None:
        run_in_calling_thread()
        # One thread: the server runs as many processes as there are cores.
        self._simulator = AerSimulator(method="statevector", max_parallel_threads=1)

    def version(self) -> str:
        """Return Aer's version."""
        return str(qiskit_aer.__version__)

    def build(self, circuit: Circuit) -> QuantumCircuit:
        """Convert to a Qiskit circuit; :func:`gateway.frameworks.qiskit.dumping.build` says how.

        Barriers are left out, since Aer optimises nothing across operations, and so is a conditional phase,
        which Aer does not have: it is one of a branch against the others, and no outcome shows it.
        """
        return build(circuit.num_qubits, circuit.num_clbits, circuit.operations, STANDARD, _instruction)

    def evolve(self, native: QuantumCircuit, state: State | None = None) -> State:
        """Return the state after the circuit."""
        if state is None:
            circuit = native.copy()
        else:
            circuit = native.copy_empty_like()
            # Aer applies the global phase to the initial state, and forgets it when a state is set.
            circuit.set_statevector(state * cmath.exp(1j * native.global_phase))
            circuit.compose(native, inplace=True, copy=False)
        circuit.save_statevector()
        data = self._run(circuit, shots=1).data.statevector
        return np.asarray(data)

    def sample(self, native: QuantumCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``AerSimulator.run``, dynamic circuits branch by branch where Aer can."""
        found = self._run(native, shots=shots, seed_simulator=spread(seed), shot_branching_enable=True).data.counts
        width = native.num_clbits
        # Aer's keys are the classical memory in hexadecimal, clbit 0 the least significant bit.
        return Counts.trusted({f"{int(key, 16):0{width}b}": times for key, times in found.items()}, width)

    def _run(self, circuit: QuantumCircuit, **options: Any) -> Any:
        """Return the only result of a run.

        Raises:
            SimulatorError: with Aer's own text.
        """
        if circuit.num_qubits > ALWAYS_FITS:
            # Aer compares with the machine's memory unless told; a container may have less.
            options["max_memory_mb"] = max(available_bytes() // 2**20, 1)
        outcome = self._simulator.run(circuit, **options).result()
        if not outcome.success:
            status = outcome.results[0].status if outcome.results else outcome.status
            raise SimulatorError(
                f"Aer failed: {status}", simulator=self.name, version=self.version(), detail=str(status)
            )
        return outcome.results[0]


def _instruction(op: Operation) -> Any:
    """Return an instruction that Aer has: a matrix, in the same qubit order as ours, where it lacks the gate."""
    if op.name in {"barrier", "gphase"}:
        return None
    return UnitaryGate(matrix(op.name, *op.params), check_input=False) if op.name in AS_MATRICES else native(op)
