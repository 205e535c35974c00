"""pyQuil's NumpyWavefunctionSimulator (https://pyquil-docs.rigetti.com), checked against 4.22.0.

It needs neither QVM nor compiler. The first qubit of a pyQuil matrix, and of the wavefunction, is
the most significant bit. ``Program`` and ``Gate`` are left out: the simulator ignores a gate's
modifiers without a word (``S(0).dagger()`` runs as ``S``), so it gets matrices, pyQuil's own where
there is one.

pyQuil 4.22 deprecates its simulators for private ones to come in version 5 and recommends to use
these until then. Every call of ``targeted_tensordot`` passes through the wrapper that warns of it,
which costs as much as applying the gate does at 12 qubits, so the function inside is called. That
is private: the version is pinned and a test holds it equal to the public way.
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
from adapters.shared.dense import DenseAdapter, counts_of_columns
from adapters.shared.states import State
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.counts import Counts
from gateway.frameworks.pyquil.gates import NAMES
from gateway.frameworks.shared.matrices import big_endian_matrix
from gateway.simulators import SIMULATORS

Tensor = NDArray[Any]
"""A gate: ``[2] * 2k``, first the outgoing qubits, then the incoming ones, each in the order listed."""

_DEPRECATED = "Call to deprecated class NumpyWavefunctionSimulator"
"""How the one warning begins that is expected, see above."""

_apply: Callable[[Tensor, Tensor, tuple[int, ...]], Tensor] = targeted_tensordot.__wrapped__


@dataclass(frozen=True, slots=True)
class Program:
    """The steps of a circuit, and which qubit each clbit shows."""

    steps: list[tuple[Tensor, tuple[int, ...]]]
    num_qubits: int
    measured: dict[int, int]
    num_clbits: int


def _simulator(program: Program, *, seed: int = 0, state: State | None = None) -> Any:
    """Return pyQuil's simulator after the steps of a program; ``state`` is little-endian."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", _DEPRECATED, FutureWarning)
        simulator = NumpyWavefunctionSimulator(program.num_qubits, np.random.RandomState(seed))
    wf = simulator.wf
    if state is not None:
        wf = state.astype(np.complex128).reshape(wf.shape).transpose()
    for tensor, qubits in program.steps:
        wf = _apply(tensor, wf, qubits)
    simulator.wf = wf
    return simulator


def _tensor(matrix: Tensor) -> Tensor:
    """Return a matrix as a tensor with two axes for each qubit."""
    return np.asarray(matrix, dtype=np.complex128).reshape((2,) * (2 * (len(matrix).bit_length() - 1)))


def _gate(row: str) -> Any:
    """Return a row of the gate table as a tensor or, where it has angles, as what makes it of them.

    The matrix is pyQuil's own where it has the gate.
    """
    own = QUANTUM_GATES[NAMES[row]] if row in NAMES else partial(big_endian_matrix, row)
    if not callable(own):
        return _tensor(own)
    return (lambda *params: _tensor(own(*params))) if GATES[row].num_params else _tensor(own())


class RigettiAdapter(DenseAdapter[Program]):
    """pyQuil's numpy wavefunction simulator."""

    name = "rigetti"
    capabilities = SIMULATORS["rigetti"].capabilities
    native_gates: ClassVar[Mapping[str, Any]] = {row: _gate(row) for row in GATES}

    def version(self) -> str:
        """Return pyQuil's version."""
        return str(pyquil.__version__)

    def build(self, circuit: Circuit) -> Program:
        """Convert to tensors; measurements, which they do not need, become a map."""
        table = self.native_gates
        steps = [
            (table[op.name](*op.params) if op.params else table[op.name], op.qubits)
            for op in circuit.operations
            if op.name in table
        ]
        return Program(steps, circuit.num_qubits, measured_clbits(circuit.operations), circuit.num_clbits)

    def evolve(self, native: Program, state: State | None = None) -> State:
        """Return the state after the circuit."""
        return np.ascontiguousarray(_simulator(native, state=state).wf.transpose()).reshape(-1)

    def sample(self, native: Program, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``sample_bitstrings``."""
        drawn = _simulator(native, seed=seed).sample_bitstrings(shots)
        columns = {clbit: drawn[:, qubit] for clbit, qubit in native.measured.items()}
        return counts_of_columns(columns, native.num_clbits)
