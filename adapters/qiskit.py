"""Qiskit Aer's state-vector simulator (https://qiskit.github.io/qiskit-aer), checked against 0.18.2 on Qiskit 2.6.2.

Qiskit is little-endian throughout, as we are. The gates of Qiskit that Aer lacks become matrices, which is
exact and needs no transpiler.
"""

from __future__ import annotations

from typing import Any

import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit_aer import AerSimulator

from adapters.shared.aer import Aer, run_in_calling_thread
from adapters.shared.costs import Costs
from adapters.shared.dense import DenseAdapter
from adapters.shared.seeds import spread
from adapters.shared.states import State
from gateway.circuit import Circuit, Operation
from gateway.circuit.gates import GATES
from gateway.counts import Counts
from gateway.frameworks.qiskit import gates
from gateway.frameworks.qiskit.dumping import build, native
from gateway.frameworks.shared.matrices import matrix
from gateway.resources import Resources
from gateway.simulators import SIMULATORS

AS_MATRICES = frozenset({"c3sqrtx", "ch", "cs", "csdg", "dcx", "iswap", "rc3x", "rccx", "xx_minus_yy", "xx_plus_yy"})
"""The gates of Qiskit that Aer does not have."""

STANDARD = {name: number for name, number in gates.STANDARD.items() if name not in AS_MATRICES}


class QiskitAdapter(DenseAdapter[QuantumCircuit]):
    """Qiskit Aer with ``method="statevector"``."""

    name = "qiskit"
    capabilities = SIMULATORS["qiskit"].capabilities
    costs = Costs(
        native_state=24,
        from_state=128,
        operation=4_200,
        conditional=8_200,
        by_gate={name: 9_500 + 165 * 4 ** GATES[name].num_qubits for name in AS_MATRICES},
        shot=130,
        shot_bit=1,
        own_counts=True,
    )
    native_gates = gates.GATES

    def __init__(self) -> None:
        run_in_calling_thread()
        self._aer = Aer(
            AerSimulator(method="statevector"),
            simulator=self.name,
            version=self.version(),
            available_bytes=self.available_bytes,
        )

    def use(self, resources: Resources) -> None:
        """Tell Aer how many threads it may use."""
        super().use(resources)
        self._aer.use_threads(resources.threads)

    def version(self) -> str:
        """Return Aer's version."""
        return str(qiskit_aer.__version__)

    def build(self, circuit: Circuit) -> QuantumCircuit:
        """Convert to a Qiskit circuit; :func:`gateway.frameworks.qiskit.dumping.build` says how.

        Barriers are left out, since Aer optimises nothing across operations. So is a conditional phase, which
        Aer does not have: it is a phase of one branch against the others, and no outcome shows it.
        """
        return build(circuit.num_qubits, circuit.num_clbits, circuit.operations, STANDARD, _instruction)

    def evolve(self, native: QuantumCircuit, state: State | None = None) -> State:
        """Return the state after the circuit."""
        return self._aer.state_after(native, state)

    def sample(self, native: QuantumCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``AerSimulator.run``, dynamic circuits branch by branch where Aer can."""
        counts = self._aer.counts(native, shots=shots, seed_simulator=spread(seed), shot_branching_enable=True)
        return Counts.trusted(counts, native.num_clbits)


def _instruction(op: Operation) -> Any:
    """Return an instruction that Aer has; for a gate it lacks that is the matrix, in the same qubit order as ours."""
    if op.name in {"barrier", "gphase"}:
        return None
    return UnitaryGate(matrix(op.name, *op.params), check_input=False) if op.name in AS_MATRICES else native(op)
