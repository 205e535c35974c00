"""Adapters of simulators that do not exist, to test the machinery around the real ones."""

from __future__ import annotations

from functools import reduce

import numpy as np

from adapters.base import Adapter
from adapters.shared.dense import DenseAdapter, counts_of_indices
from adapters.shared.states import State
from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.counts import Counts
from gateway.frameworks.shared.matrices import matrix
from gateway.results import Capabilities, ResultType


class ZeroAdapter(Adapter[Circuit]):
    """Measures every bit as 0, whatever the circuit is; each subclass does one thing wrong."""

    name = "zero"
    capabilities = Capabilities(result_types=(ResultType.COUNTS,), native_dynamic=True)
    native_gates = dict.fromkeys(("u", "cx", "gphase"))

    def __init__(self) -> None:
        self.built: list[Circuit] = []

    def version(self) -> str:
        return "1.0"

    def build(self, circuit: Circuit) -> Circuit:
        self.built.append(circuit)
        return circuit

    def sample(self, native: Circuit, *, shots: int, seed: int) -> Counts:
        return Counts({"0" * native.num_clbits: shots}, width=native.num_clbits)


class NumpyAdapter(DenseAdapter[Circuit]):
    """A correct state-vector simulator, as small as can be."""

    name = "numpy"
    capabilities = Capabilities(
        result_types=(ResultType.COUNTS, ResultType.PROBABILITIES, ResultType.STATEVECTOR),
        assignment=True,
        loops=True,
        bytes_per_amplitude=64,
    )
    native_gates = dict.fromkeys(GATES)

    def __init__(self) -> None:
        self.evolved = 0
        self.builds = 0

    def version(self) -> str:
        return np.__version__

    def build(self, circuit: Circuit) -> Circuit:
        self.builds += 1
        return circuit

    def evolve(self, native: Circuit, state: State | None = None) -> State:
        self.evolved += 1
        n = native.num_qubits
        if state is None:
            state = np.eye(1, 2**n, dtype=complex)[0]
        gates = [op for op in native.operations if op.name in GATES]
        return reduce(lambda psi, op: _apply(psi, n, op), gates, state.copy())

    def sample(self, native: Circuit, *, shots: int, seed: int) -> Counts:
        psi = np.abs(self.evolve(native)) ** 2
        indices = np.random.default_rng(seed).choice(len(psi), size=shots, p=psi / psi.sum())
        measured = {op.clbits[0]: op.qubits[0] for op in native.operations if op.name == "measure"}
        return counts_of_indices(indices, measured, native.num_clbits)


def _apply(state, n, op):
    """Apply a gate by the indices whose bits at the gate's qubits are those of a row."""
    entries = matrix(op.name, *op.params)
    index = np.arange(2**n)
    row = sum(((index >> q & 1) << place for place, q in enumerate(op.qubits)), np.zeros_like(index))
    rest = index & ~sum(1 << q for q in op.qubits)
    after = np.zeros_like(state)
    for column in range(len(entries)):
        source = rest | sum((column >> place & 1) << q for place, q in enumerate(op.qubits))
        after += entries[row, column] * state[source]
    return after
