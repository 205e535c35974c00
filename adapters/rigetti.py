"""pyQuil's NumpyWavefunctionSimulator (https://pyquil-docs.rigetti.com), checked against 4.22.0.

The simulator needs neither QVM nor compiler. The first qubit of a pyQuil matrix, and of the wavefunction,
is the most significant bit. The adapter uses neither ``Program`` nor ``Gate``, because the simulator
silently ignores a gate's modifiers (``S(0).dagger()`` runs as ``S``). It gives the simulator matrices:
pyQuil's own where pyQuil has the gate.

pyQuil 4.22 deprecates its simulators, announces private ones for version 5 and recommends the present ones
until then. Every call of ``targeted_tensordot`` goes through a wrapper that warns of this and takes as long
as applying the gate at 12 qubits, so the adapter calls the wrapped function. That function is private, so the
version is pinned and a test compares it with the public one.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar

import numpy as np
import pyquil
from numpy.typing import NDArray
from pyquil.simulation import NumpyWavefunctionSimulator, targeted_tensordot
from pyquil.simulation.matrices import QUANTUM_GATES

from adapters.base import measured_clbits
from adapters.shared.costs import Costs
from adapters.shared.dense import DenseAdapter, counts_of_columns
from adapters.shared.states import State
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.counts import Counts
from gateway.frameworks.pyquil.gates import NAMES
from gateway.frameworks.shared.matrices import big_endian_matrix
from gateway.simulators import SIMULATORS

Tensor = NDArray[Any]
"""A gate on k qubits, ``[2] * 2k``: the axes of the outgoing qubits, then those of the incoming ones, in order."""

_DEPRECATED = "Call to deprecated class NumpyWavefunctionSimulator"
"""The beginning of the warning that pyQuil gives for its simulators."""

_apply: Callable[[Tensor, Tensor, tuple[int, ...]], Tensor] = targeted_tensordot.__wrapped__


@dataclass(frozen=True, slots=True)
class NativeCircuit:
    """The gates of a circuit as tensors, and the qubit whose outcome each clbit takes."""

    steps: list[tuple[Tensor, tuple[int, ...]]]
    num_qubits: int
    qubit_of_clbit: dict[int, int]
    num_clbits: int


def _simulator(native: NativeCircuit, *, seed: int = 0, state: State | None = None) -> Any:
    """Return pyQuil's simulator after the gates of a circuit; ``state``, where it starts, is little-endian."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _DEPRECATED, FutureWarning)
        simulator = NumpyWavefunctionSimulator(native.num_qubits, np.random.RandomState(seed))
    wf = simulator.wf
    if state is not None:
        wf = state.astype(np.complex128).reshape(wf.shape).transpose()
    for tensor, qubits in native.steps:
        wf = _apply(tensor, wf, qubits)
    simulator.wf = wf
    return simulator


def _tensor(matrix: Tensor) -> Tensor:
    """Return a matrix as a tensor with two axes for each qubit."""
    return np.asarray(matrix, dtype=np.complex128).reshape((2,) * (2 * (len(matrix).bit_length() - 1)))


def _gate(row: str) -> Any:
    """Return a gate of the table as a tensor or, if it has angles, as a function from the angles to the tensor.

    The matrix is pyQuil's own where pyQuil has the gate.
    """
    own = QUANTUM_GATES[NAMES[row]] if row in NAMES else partial(big_endian_matrix, row)
    if not callable(own):
        return _tensor(own)
    return (lambda *params: _tensor(own(*params))) if GATES[row].num_params else _tensor(own())


class RigettiAdapter(DenseAdapter[NativeCircuit]):
    """pyQuil's numpy wavefunction simulator."""

    name = "rigetti"
    capabilities = SIMULATORS["rigetti"].capabilities
    costs = Costs(from_state=96, operation=1_200, shot=40, shot_bit=8)
    shares_points = True
    native_gates: ClassVar[Mapping[str, Any]] = {row: _gate(row) for row in GATES}

    def version(self) -> str:
        """Return pyQuil's version."""
        return str(pyquil.__version__)

    def build(self, circuit: Circuit) -> NativeCircuit:
        """Convert the gates to tensors; the measurements become a map from clbit to qubit."""
        table = self.native_gates
        steps = [
            (table[op.name](*op.params) if op.params else table[op.name], op.qubits)
            for op in circuit.operations
            if op.name in table
        ]
        return NativeCircuit(steps, circuit.num_qubits, measured_clbits(circuit.operations), circuit.num_clbits)

    def evolve(self, native: NativeCircuit, state: State | None = None) -> State:
        """Return the state after the circuit."""
        return np.ascontiguousarray(_simulator(native, state=state).wf.transpose()).reshape(-1)

    def sample(self, native: NativeCircuit, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``sample_bitstrings``."""
        outcomes = _simulator(native, seed=seed).sample_bitstrings(shots)
        columns = {clbit: outcomes[:, qubit] for clbit, qubit in native.qubit_of_clbit.items()}
        return counts_of_columns(columns, native.num_clbits)
