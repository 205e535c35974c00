"""Qulacs' state-vector simulator (https://docs.qulacs.org), checked against 0.6.14.

The gates are those of :mod:`gateway.frameworks.qulacs.gates`. ``OMP_NUM_THREADS`` must be set before Qulacs
is imported; the server sets it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from math import sqrt
from typing import Any

import numpy as np
import qulacs
from numpy.typing import NDArray
from qulacs import DensityMatrix, Observable, QuantumCircuit, QuantumState, gate

from adapters.base import Run, measured_clbits
from adapters.shared.costs import Costs
from adapters.shared.dense import DenseAdapter, counts_of_indices
from adapters.shared.mixed import Mixed
from adapters.shared.pauli import PauliSums, String, Values
from adapters.shared.states import State
from gateway.circuit import Circuit, Operation
from gateway.counts import Counts
from gateway.frameworks.qulacs.gates import GATES, PARAMETRIC, build
from gateway.noise import Channel
from gateway.simulators import SIMULATORS


@dataclass(frozen=True, slots=True)
class NativeCircuit:
    """A Qulacs circuit of gates, and the qubit whose outcome each clbit takes."""

    circuit: QuantumCircuit
    qubit_of_clbit: dict[int, int]
    num_clbits: int
    vector: QuantumState | None = None
    """For a circuit that has parameters of its own, one for each operation that changes, in order: the state that is
    used again at each point."""

    def zeros(self) -> QuantumState:
        """Return a state whose qubits are all 0."""
        if self.vector is None:
            return QuantumState(self.circuit.get_qubit_count())
        self.vector.set_zero_state()
        return self.vector


class QulacsAdapter(DenseAdapter[NativeCircuit]):
    """Qulacs' state-vector simulator."""

    name = "qulacs"
    capabilities = SIMULATORS["qulacs"].capabilities
    costs = Costs(native_state=32, operation=1_000, by_gate={"rccx": 2_200, "rc3x": 5_200}, shot=80, shot_bit=0)
    shares_points = True
    native_gates = GATES

    def version(self) -> str:
        """Return Qulacs' version."""
        return str(qulacs.__version__)

    def build(self, circuit: Circuit) -> NativeCircuit:
        """Convert to a Qulacs circuit of gates; the measurements become a map from clbit to qubit."""
        target = build(circuit.num_qubits, circuit.operations, _append_channel)
        return NativeCircuit(target, measured_clbits(circuit.operations), circuit.num_clbits)

    def rebind(self, native: NativeCircuit, circuit: Circuit, changed: Sequence[int]) -> NativeCircuit:
        """Set the parameters of a parametric circuit, if all gates whose angles change can be parametric."""
        operations = circuit.operations
        if native.vector is not None:
            set_parameter = native.circuit.set_parameter
            for number, index in enumerate(changed):
                set_parameter(number, -operations[index].params[0])
            return native
        if any(operations[index].name not in PARAMETRIC for index in changed):
            return self.build(circuit)
        target = build(circuit.num_qubits, operations, _append_channel, frozenset(changed))
        return replace(native, circuit=target, vector=QuantumState(circuit.num_qubits))

    def evolve(self, native: NativeCircuit, state: State | None = None) -> State:
        """Return the state after the circuit."""
        vector = native.zeros()
        if state is not None:
            vector.load(state)
        native.circuit.update_quantum_state(vector)
        return np.asarray(vector.get_vector())

    def values_of(self, circuit: Circuit, sums: PauliSums, run: Run) -> list[float]:
        """Return the exact value of each observable, with ``Observable.get_expectation_value`` where it is faster.

        Many strings that flip the same qubits share most of their work in our own sums, and none in Qulacs'.
        """
        if len(sums.strings) > _MOST_ALIKE * len({string.x for string in sums.strings}):
            return super().values_of(circuit, sums, run)
        self.take_final_state(circuit.num_qubits, run)
        with run.building():
            native = run.kept("state", lambda: self.prepare(circuit, run)).native()
            observables = run.kept("observables", lambda: _observables(circuit.num_qubits, sums))
        with run.running():
            vector = native.zeros()
            native.circuit.update_quantum_state(vector)
            return [float(observable.get_expectation_value(vector)) for observable in observables]

    def evolve_mixed(self, native: NativeCircuit, rho: Mixed | None = None) -> Mixed:
        """Return the density matrix after the circuit."""
        matrix = DensityMatrix(native.circuit.get_qubit_count())
        if rho is not None:
            matrix.load(rho)
        _without_diagonals(native.circuit).update_quantum_state(matrix)
        return np.asarray(matrix.get_matrix())

    def sample(self, native: NativeCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``QuantumState.sampling``."""
        vector = native.zeros()
        native.circuit.update_quantum_state(vector)
        indices = np.array(vector.sampling(shots, seed), dtype=np.int64)
        return counts_of_indices(indices, native.qubit_of_clbit, native.num_clbits)


_MOST_ALIKE = 4
"""So many strings that flip the same qubits are faster one by one."""


def _text(string: String) -> str:
    """Return a Pauli string as Qulacs writes it, such as ``X 0 Z 3``."""
    return " ".join([f"{letter} {qubit}" for qubit, letter in string.letters.items()])


def _observables(num_qubits: int, sums: PauliSums) -> list[Observable]:
    """Return each sum of strings as an observable of Qulacs'."""
    texts = [_text(string) for string in sums.strings]
    return [_observable(num_qubits, texts, part) for part in sums.parts]


def _observable(num_qubits: int, texts: Sequence[str], part: tuple[NDArray[np.int64], Values]) -> Observable:
    """Return a sum of some of these strings as an observable of Qulacs'."""
    observable = Observable(num_qubits)
    for position, coefficient in zip(part[0].tolist(), part[1].tolist(), strict=True):
        observable.add_operator(coefficient, texts[position])
    return observable


_CHANNELS: Mapping[str, Callable[..., Any]] = {
    Channel.DEPOLARIZING: gate.DepolarizingNoise,
    Channel.BIT_FLIP: gate.BitFlipNoise,
    Channel.PHASE_FLIP: gate.DephasingNoise,
    Channel.AMPLITUDE_DAMPING: gate.AmplitudeDampingNoise,
    Channel.PHASE_DAMPING: lambda qubit, probability: gate.DephasingNoise(qubit, (1 - sqrt(1 - probability)) / 2),
    Channel.DEPOLARIZING2: gate.TwoQubitDepolarizingNoise,
}
"""Channel -> function from qubits and probability to Qulacs' gate, which a density matrix takes as a whole.

Phase damping is a phase flip of another probability.
"""


def _without_diagonals(circuit: QuantumCircuit) -> QuantumCircuit:
    """Return a circuit without diagonal matrices, which Qulacs 0.6.14 cannot apply to density matrices."""
    target = QuantumCircuit(circuit.get_qubit_count())
    for number in range(circuit.get_gate_count()):
        each = circuit.get_gate(number)
        if each.get_name() == "DiagonalMatrix":
            each = gate.DenseMatrix(each.get_target_index_list(), each.get_matrix())
        target.add_gate(each)
    return target


def _append_channel(circuit: QuantumCircuit, op: Operation) -> None:
    """Append a channel; leave out a measurement or a barrier, since the shots are drawn from the state before it."""
    if op.name in _CHANNELS:
        circuit.add_gate(_CHANNELS[op.name](*op.qubits, *op.params))
