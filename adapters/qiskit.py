"""Qiskit Aer's state-vector simulator (https://qiskit.github.io/qiskit-aer), checked against 0.18.2 on Qiskit 2.6.2.

Qiskit is little-endian throughout, as we are. The gates of Qiskit that Aer lacks become matrices, which is
exact and needs no transpiler.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import Kraus
from qiskit_aer import AerSimulator

from adapters.shared.aer import Aer, ParametricCircuit, run_in_calling_thread
from adapters.shared.channels import kraus_operators
from adapters.shared.costs import Costs
from adapters.shared.dense import DenseAdapter
from adapters.shared.mixed import Mixed
from adapters.shared.seeds import spread
from adapters.shared.states import State
from gateway.circuit import Circuit, Operation
from gateway.circuit.gates import GATES
from gateway.counts import Counts
from gateway.frameworks.qiskit import gates
from gateway.frameworks.qiskit.dumping import build, native
from gateway.frameworks.shared.matrices import matrix
from gateway.noise import CHANNELS
from gateway.resources import Resources
from gateway.simulators import SIMULATORS

AS_MATRICES = frozenset({"c3sqrtx", "ch", "cs", "csdg", "dcx", "iswap", "rc3x", "rccx", "xx_minus_yy", "xx_plus_yy"})
"""The gates of Qiskit that Aer does not have."""

LEFT_OUT = frozenset({"barrier", "gphase"})
"""What becomes no instruction."""

STANDARD = {name: number for name, number in gates.STANDARD.items() if name not in AS_MATRICES}


@dataclass(slots=True)
class Rebound:
    """A circuit whose angles have changed.

    Args:
        circuit: the circuit, in our form, with the present angles.
        changed: the indices of its operations whose angles change.
        parametric: the same circuit as Aer has it.
    """

    circuit: Circuit
    changed: Sequence[int]
    parametric: ParametricCircuit

    def state(self) -> State:
        """Return the state after the circuit."""
        operations = self.circuit.operations
        return self.parametric.state_at(chain.from_iterable([operations[index].params for index in self.changed]))


class QiskitAdapter(DenseAdapter[QuantumCircuit | Rebound]):
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
    shares_points = True
    native_gates = gates.GATES

    def __init__(self) -> None:
        run_in_calling_thread()
        self._aer = Aer(
            AerSimulator(method="statevector"),
            AerSimulator(method="density_matrix"),
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

    def rebind(
        self, native: QuantumCircuit | Rebound, circuit: Circuit, changed: Sequence[int]
    ) -> QuantumCircuit | Rebound:
        """Hand over new angles, if all gates are Aer's own and nothing is measured."""
        if isinstance(native, Rebound):
            native.circuit = circuit
            return native
        if circuit.num_clbits or any(circuit.operations[index].name not in STANDARD for index in changed):
            return self.build(circuit)
        instructions = [index for index, op in enumerate(circuit.operations) if op.name not in LEFT_OUT]
        number = {index: place for place, index in enumerate(instructions)}
        places = [(number[i], angle) for i in changed for angle in range(len(circuit.operations[i].params))]
        return Rebound(circuit, changed, self._aer.parametric(self.build(circuit), places))

    def evolve(self, native: QuantumCircuit | Rebound, state: State | None = None) -> State:
        """Return the state after the circuit."""
        if isinstance(native, Rebound):
            if state is None:
                return native.state()
            native = self.build(native.circuit)
        return self._aer.state_after(native, state)

    def evolve_mixed(self, native: QuantumCircuit, rho: Mixed | None = None) -> Mixed:
        """Return the density matrix after the circuit."""
        return self._aer.density_after(native, rho)

    def sample(self, native: QuantumCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``AerSimulator.run``, dynamic circuits branch by branch where Aer can."""
        counts = self._aer.counts(native, shots=shots, seed_simulator=spread(seed), shot_branching_enable=True)
        return Counts.trusted(counts, native.num_clbits)


def _instruction(op: Operation) -> Any:
    """Return an instruction that Aer has; for a gate it lacks that is the matrix, in the same qubit order as ours."""
    if op.name in LEFT_OUT:
        return None
    if op.name in CHANNELS:
        return Kraus(list(kraus_operators(op.name, *op.params))).to_instruction()
    return UnitaryGate(matrix(op.name, *op.params), check_input=False) if op.name in AS_MATRICES else native(op)
