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
from gateway.counts import Counts
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


def _own(name: str) -> Any:
    """Return pyQuil's own gate: its tensor, or a function of the angles that returns it."""
    gate = QUANTUM_GATES[name]
    return (lambda *params: _tensor(gate(*params))) if callable(gate) else _tensor(gate)


def _ours(name: str) -> Callable[..., Tensor]:
    """Return the tensor of a row of the gate table as a function of the angles."""
    return lambda *params: _tensor(big_endian_matrix(name, *params))


_HALF_PI = np.pi / 2


class RigettiAdapter(DenseAdapter[Program]):
    """pyQuil's numpy wavefunction simulator."""

    name = "rigetti"
    capabilities = SIMULATORS["rigetti"].capabilities
    native_gates: ClassVar[Mapping[str, Any]] = {
        "gphase": _ours("gphase"),
        "id": _own("I"),
        "x": _own("X"),
        "y": _own("Y"),
        "z": _own("Z"),
        "h": _own("H"),
        "s": _own("S"),
        "sdg": _own("PHASE")(-_HALF_PI),
        "t": _own("T"),
        "tdg": _own("PHASE")(-_HALF_PI / 2),
        "sx": _ours("sx")(),
        "sxdg": _ours("sxdg")(),
        "p": _own("PHASE"),
        "u1": _own("PHASE"),
        "u2": lambda phi, lam: _own("U")(_HALF_PI, phi, lam),
        "u3": _own("U"),
        "u": _own("U"),
        "U": _own("U"),
        "rx": _own("RX"),
        "ry": _own("RY"),
        "rz": _own("RZ"),
        "cx": _own("CNOT"),
        "CX": _own("CNOT"),
        "cy": _ours("cy")(),
        "cz": _own("CZ"),
        "ch": _ours("ch")(),
        "cs": _own("CPHASE")(_HALF_PI),
        "csdg": _own("CPHASE")(-_HALF_PI),
        "csx": _ours("csx")(),
        "cp": _own("CPHASE"),
        "cu1": _own("CPHASE"),
        "crx": _ours("crx"),
        "cry": _ours("cry"),
        "crz": _ours("crz"),
        "cu3": _ours("cu3"),
        "cu": _ours("cu"),
        "swap": _own("SWAP"),
        "iswap": _own("ISWAP"),
        "dcx": _ours("dcx")(),
        "ecr": _ours("ecr")(),
        "rxx": _own("RXX"),
        "ms": _own("RXX"),
        "ryy": _own("RYY"),
        "rzz": _own("RZZ"),
        "rzx": _ours("rzx"),
        "xx_plus_yy": _ours("xx_plus_yy"),
        "xx_minus_yy": _ours("xx_minus_yy"),
        "ccx": _own("CCNOT"),
        "ccz": _ours("ccz")(),
        "cswap": _own("CSWAP"),
        "rccx": _ours("rccx")(),
        "rc3x": _ours("rc3x")(),
        "c3x": _ours("c3x")(),
        "c3sqrtx": _ours("c3sqrtx")(),
        "c4x": _ours("c4x")(),
    }

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
