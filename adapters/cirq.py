"""Cirq's state-vector simulator (https://quantumai.google/cirq), checked against cirq-core 1.7.0.

The first qubit of a Cirq matrix or state is the most significant bit, so we give Cirq big-endian
matrices and the reversed order of qubits, which makes its states little-endian. The simulator works in
complex128, because users get its amplitudes; Cirq's default is complex64.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import cirq
import numpy as np

from adapters.shared.costs import Costs
from adapters.shared.dense import DenseAdapter, counts_of_columns
from adapters.shared.mixed import Mixed
from adapters.shared.states import State
from gateway.circuit import Circuit
from gateway.counts import Counts
from gateway.errors import UnsupportedError
from gateway.frameworks.cirq.dumping import build
from gateway.frameworks.cirq.gates import GATES
from gateway.frameworks.shared.matrices import big_endian_matrix
from gateway.noise import Channel
from gateway.simulators import SIMULATORS


@dataclass(frozen=True, slots=True)
class NativeCircuit:
    """A Cirq circuit, its qubits in our order, and the measurement key whose outcome each clbit takes."""

    circuit: Any
    qubits: list[Any]
    keys: dict[int, str]
    num_clbits: int


def _matrix(name: str) -> Callable[..., Any]:
    """Return the constructor of a gate as one matrix, which the simulator applies in one step."""
    return lambda *params: cirq.MatrixGate(big_endian_matrix(name, *params), unitary_check=False)


_U = _matrix("u")
_MATRICES: Mapping[str, Any] = {
    "u": _U,
    "U": _U,
    "u2": _matrix("u2"),
    "u3": _U,
    "cu": _matrix("cu"),
    "cu3": _matrix("cu3"),
    "dcx": _matrix("dcx")(),
    "ecr": _matrix("ecr")(),
    "rccx": _matrix("rccx")(),
    "rc3x": _matrix("rc3x")(),
    "rzx": _matrix("rzx"),
    "xx_plus_yy": _matrix("xx_plus_yy"),
    "xx_minus_yy": _matrix("xx_minus_yy"),
}
"""The gates that Cirq lacks, or applies in several steps."""


class CirqAdapter(DenseAdapter[NativeCircuit]):
    """Cirq's state-vector simulator."""

    name = "cirq"
    capabilities = SIMULATORS["cirq"].capabilities
    costs = Costs(
        from_state=96, operation=2_300, native_operation=4_000, conditional=5_200, shot=120, shot_bit=50,
        keeps_overwritten=True,
    )  # fmt: skip
    shares_points = True
    native_gates: ClassVar[Mapping[str, Any]] = {**GATES, **_MATRICES}
    channels: ClassVar[Mapping[str, Any]] = {
        Channel.DEPOLARIZING: cirq.depolarize,
        Channel.BIT_FLIP: cirq.bit_flip,
        Channel.PHASE_FLIP: cirq.phase_flip,
        Channel.AMPLITUDE_DAMPING: cirq.amplitude_damp,
        Channel.PHASE_DAMPING: cirq.phase_damp,
        Channel.DEPOLARIZING2: partial(cirq.depolarize, n_qubits=2),
    }
    _table: ClassVar[Mapping[str, Any]] = {**native_gates, **channels}

    def version(self) -> str:
        """Return Cirq's version."""
        return str(cirq.__version__)

    def build(self, circuit: Circuit) -> NativeCircuit:
        """Convert to a Cirq circuit, with one measurement key for each measurement."""
        for index, op in enumerate(circuit.operations):
            if op.name == "measure" and op.condition:
                raise _refusal(index)
        cirq_circuit = build(circuit.num_qubits, circuit.num_clbits, circuit.operations, self._table)
        return NativeCircuit(cirq_circuit.circuit, cirq_circuit.qubits, cirq_circuit.keys, circuit.num_clbits)

    def evolve(self, native: NativeCircuit, state: State | None = None) -> State:
        """Return the state after the circuit.

        The method takes the same steps as ``cirq.Simulator.simulate`` but makes no result object for each
        moment, so it needs 60 % of the time.
        """
        simulation = cirq.StateVectorSimulationState(
            qubits=native.qubits[::-1],
            initial_state=0 if state is None else state.astype(np.complex128),
            dtype=np.complex128,
        )
        for operation in native.circuit.all_operations():
            cirq.act_on(operation, simulation)
        return np.ascontiguousarray(simulation.target_tensor).reshape(-1)

    def evolve_mixed(self, native: NativeCircuit, rho: Mixed | None = None) -> Mixed:
        """Return the density matrix after the circuit, in the same steps as :meth:`evolve`."""
        size = 2 ** len(native.qubits)
        simulation = cirq.DensityMatrixSimulationState(
            qubits=native.qubits[::-1], initial_state=0 if rho is None else rho.copy(), dtype=np.complex128
        )
        for operation in native.circuit.all_operations():
            cirq.act_on(operation, simulation)
        return np.ascontiguousarray(simulation.target_tensor).reshape(size, size)

    def sample(self, native: NativeCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``Simulator.run``, from a new simulator that starts with the seed."""
        simulator = cirq.Simulator(dtype=np.complex128, seed=seed, split_untangled_states=False)
        records = simulator.run(native.circuit, repetitions=shots).records
        columns = {clbit: records[key][:, 0, 0] for clbit, key in native.keys.items()}
        return counts_of_columns(columns, native.num_clbits)


def _refusal(index: int) -> UnsupportedError:
    return UnsupportedError(
        f"operation {index}: Cirq's own sampler has no conditional measurement: leave sampling at 'auto'",
        feature="native conditional measurement",
        simulator=CirqAdapter.name,
    )
