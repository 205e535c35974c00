"""Qulacs' state-vector simulator (https://docs.qulacs.org), checked against 0.6.14.

The gates are those of :mod:`gateway.frameworks.qulacs.gates`. ``OMP_NUM_THREADS`` must be set before Qulacs
is imported; the server sets it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import qulacs
from numpy.typing import NDArray
from qulacs import Observable, QuantumCircuit, QuantumState

from adapters.base import Run, measured_clbits
from adapters.shared.costs import Costs
from adapters.shared.dense import DenseAdapter, counts_of_indices
from adapters.shared.pauli import PauliSums, String, Values, ones
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

    def values_of(self, circuit: Circuit, sums: PauliSums, run: Run) -> list[float]:
        """Return the exact value of each observable, with ``Observable.get_expectation_value`` where it is faster.

        Many strings that flip the same qubits share most of their work in our own sums, and none in Qulacs'.
        """
        if len(sums.strings) > _MOST_ALIKE * len({string.x for string in sums.strings}):
            return super().values_of(circuit, sums, run)
        self.take_final_state(circuit.num_qubits, run)
        with run.building():
            target = self.build(circuit).circuit
            texts = [_text(string) for string in sums.strings]
            observables = [_observable(circuit.num_qubits, texts, part) for part in sums.parts]
        with run.running():
            vector = QuantumState(circuit.num_qubits)
            target.update_quantum_state(vector)
            return [float(observable.get_expectation_value(vector)) for observable in observables]

    def sample(self, native: NativeCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``QuantumState.sampling``."""
        vector = QuantumState(native.circuit.get_qubit_count())
        native.circuit.update_quantum_state(vector)
        indices = np.array(vector.sampling(shots, seed), dtype=np.int64)
        return counts_of_indices(indices, native.qubit_of_clbit, native.num_clbits)


_MOST_ALIKE = 4
"""So many strings that flip the same qubits are faster one by one."""


_LETTERS = {(1, 0): "X", (1, 1): "Y", (0, 1): "Z"}


def _text(string: String) -> str:
    """Return a Pauli string as Qulacs writes it, such as ``X 0 Z 3``."""
    x, z = string
    return " ".join([f"{_LETTERS[x >> qubit & 1, z >> qubit & 1]} {qubit}" for qubit in ones(x | z)])


def _observable(num_qubits: int, texts: Sequence[str], part: tuple[NDArray[np.int64], Values]) -> Observable:
    """Return a sum of some of these strings as an observable of Qulacs'."""
    observable = Observable(num_qubits)
    for position, coefficient in zip(part[0].tolist(), part[1].tolist(), strict=True):
        observable.add_operator(coefficient, texts[position])
    return observable


def _leave_out(circuit: QuantumCircuit, op: Operation) -> None:
    """Leave out a measurement or a barrier, since the shots are drawn from the state before it."""
