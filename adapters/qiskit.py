"""Qiskit Aer's state-vector simulator (https://qiskit.github.io/qiskit-aer), checked against 0.18.2 on Qiskit 2.6.2.

Qiskit is little-endian throughout, as we are. The gates of Qiskit that Aer lacks become matrices, which is
exact and needs no transpiler.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain
from typing import Any

import numpy as np
import qiskit_aer
from qiskit import QuantumCircuit
from qiskit.circuit.library import UnitaryGate
from qiskit.quantum_info import Kraus, SparsePauliOp
from qiskit_aer import AerSimulator

from adapters.base import Run
from adapters.shared.aer import Aer, ParametricCircuit, run_in_calling_thread
from adapters.shared.channels import kraus_operators
from adapters.shared.costs import Costs
from adapters.shared.dense import DenseAdapter
from adapters.shared.mixed import Mixed
from adapters.shared.pauli import PauliSums
from adapters.shared.preparing import Prepared
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

    def saved(self) -> Mapping[str, Any]:
        """Run the circuit, and return what it saves."""
        operations = self.circuit.operations
        return self.parametric.saved_at(chain.from_iterable([operations[index].params for index in self.changed]))


@dataclass(frozen=True, slots=True)
class _Saving:
    """Builds circuits that save something at their end, and changes their angles.

    Args:
        aer: runs them.
        save: appends to a ``QuantumCircuit`` what is saved.
    """

    aer: Aer
    save: Callable[[Any], None]

    def build(self, circuit: Circuit) -> Rebound:
        """Return a circuit of gates."""
        return self._with_angles(circuit, (), ())

    def rebind(self, native: Rebound, circuit: Circuit, changed: Sequence[int]) -> Rebound:
        """Return a circuit that differs in some angles, which Aer is handed if all these gates are its own."""
        if native.changed == changed:
            native.circuit = circuit
            return native
        operations = circuit.operations
        if any(operations[index].name not in STANDARD for index in changed):
            return self.build(circuit)
        instructions = [index for index, op in enumerate(operations) if op.name not in LEFT_OUT]
        number = {index: place for place, index in enumerate(instructions)}
        places = [(number[index], angle) for index in changed for angle in range(len(operations[index].params))]
        return self._with_angles(circuit, changed, places)

    def _with_angles(self, circuit: Circuit, changed: Sequence[int], places: Sequence[tuple[int, int]]) -> Rebound:
        target = _built(circuit)
        self.save(target)
        return Rebound(circuit, changed, self.aer.parametric(target, places))


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
        self._states = _Saving(self._aer, lambda circuit: circuit.save_statevector())

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
        return _built(circuit)

    def rebind(
        self, native: QuantumCircuit | Rebound, circuit: Circuit, changed: Sequence[int]
    ) -> QuantumCircuit | Rebound:
        """Hand over new angles, if all gates are Aer's own and nothing is measured."""
        if isinstance(native, Rebound):
            return self._states.rebind(native, circuit, changed)
        if circuit.num_clbits or any(circuit.operations[index].name not in STANDARD for index in changed):
            return self.build(circuit)
        return self._states.rebind(self._states.build(circuit), circuit, changed)

    def evolve(self, native: QuantumCircuit | Rebound, state: State | None = None) -> State:
        """Return the state after the circuit."""
        if isinstance(native, Rebound):
            if state is None:
                return np.asarray(native.saved()["statevector"])
            native = self.build(native.circuit)
        return self._aer.state_after(native, state)

    def values_of(self, circuit: Circuit, sums: PauliSums, run: Run) -> list[float]:
        """Return the exact value of each observable, with Aer's own instruction where it is faster.

        Many strings that flip the same qubits share most of their work in our own sums, and none in Aer's.
        """
        if len(sums.strings) > _MOST_ALIKE * len({string.x for string in sums.strings}):
            return super().values_of(circuit, sums, run)
        self.take_final_state(circuit.num_qubits, run)
        with run.building():
            saving = _Saving(self._aer, partial(_save_values, sums))
            native = run.kept("saving values", lambda: Prepared(saving, circuit, run.preparation)).native()
        with run.running():
            saved = native.saved()
            return [float(saved[str(number)]) for number in range(len(sums.parts))]

    def evolve_mixed(self, native: QuantumCircuit, rho: Mixed | None = None) -> Mixed:
        """Return the density matrix after the circuit."""
        return self._aer.density_after(native, rho)

    def sample(self, native: QuantumCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``AerSimulator.run``, dynamic circuits branch by branch where Aer can."""
        counts = self._aer.counts(native, shots=shots, seed_simulator=spread(seed), shot_branching_enable=True)
        return Counts.trusted(counts, native.num_clbits)


_MOST_ALIKE = 4
"""So many strings that flip the same qubits are faster one by one."""


def _save_values(sums: PauliSums, circuit: Any) -> None:
    """Let a ``QuantumCircuit`` save the value of each observable under its number."""
    letters = [string.letters for string in sums.strings]
    for number, (positions, coefficients) in enumerate(sums.parts):
        terms = [
            ("".join(letters[position].values()), list(letters[position]), coefficient)
            for position, coefficient in zip(positions.tolist(), coefficients.tolist(), strict=True)
        ]
        operator = SparsePauliOp.from_sparse_list(terms, circuit.num_qubits)
        circuit.save_expectation_value(operator, circuit.qubits, label=str(number))


def _built(circuit: Circuit) -> QuantumCircuit:
    return build(circuit.num_qubits, circuit.num_clbits, circuit.operations, STANDARD, _instruction)


def _instruction(op: Operation) -> Any:
    """Return an instruction that Aer has; for a gate it lacks that is the matrix, in the same qubit order as ours."""
    if op.name in LEFT_OUT:
        return None
    if op.name in CHANNELS:
        return Kraus(list(kraus_operators(op.name, *op.params))).to_instruction()
    return UnitaryGate(matrix(op.name, *op.params), check_input=False) if op.name in AS_MATRICES else native(op)
