"""Qulacs (https://docs.qulacs.org), checked against 0.6.14.

Qulacs is little-endian throughout, as we are. Its ``RX RY RZ`` and ``PauliRotation`` turn by
``exp(+i t/2 P)``, the opposite of everyone's sign: the table uses ``RotX RotY RotZ`` and negates
the angle of ``PauliRotation``. OMP_NUM_THREADS must be set before the import; the server does.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import qulacs
from qulacs import QuantumCircuit, QuantumState, gate

from adapters.base import matrix, measured_clbits
from adapters.shared.dense import DenseAdapter, counts_of_indices
from adapters.shared.states import State
from gateway.circuit import Circuit
from gateway.counts import Counts
from gateway.simulators import SIMULATORS

Build = Callable[..., object]
"""Appends one gate: ``(circuit, *qubits, *params)``."""


@dataclass(frozen=True, slots=True)
class Program:
    """A Qulacs circuit of gates, and which qubit each clbit shows."""

    circuit: QuantumCircuit
    measured: dict[int, int]
    num_clbits: int


def _pauli_rotation(*paulis: int) -> Build:
    """Append ``exp(-i t/2 PP)``; 1 is X, 2 is Y, 3 is Z."""
    return lambda c, a, b, t: c.add_multi_Pauli_rotation_gate([a, b], list(paulis), -t)


def _diagonal(entries: Callable[..., list[complex]]) -> Build:
    return lambda c, a, b, *params: c.add_gate(gate.DiagonalMatrix([a, b], entries(*params)))


def _dense(name: str, num_qubits: int) -> Build:
    """Append the matrix of a row of the gate table (the same qubit order as ours)."""

    def build(c: Any, *args: Any) -> None:
        c.add_gate(gate.DenseMatrix(list(args[:num_qubits]), matrix(name, *args[num_qubits:])))

    return build


def _controlled(name: str) -> Build:
    """Append a one-qubit row with every qubit before the last as control."""

    def build(c: Any, *qubits: int) -> None:
        inner = gate.DenseMatrix(qubits[-1], matrix(name))
        for control in qubits[:-1]:
            inner.add_control_qubit(control, 1)
        c.add_gate(inner)

    return build


def _controlled_rotation(name: str) -> Build:
    def build(c: Any, control: int, target: int, *params: float) -> None:
        inner = gate.DenseMatrix(target, matrix(name, *params))
        inner.add_control_qubit(control, 1)
        c.add_gate(inner)

    return build


def _phase(c: Any, gamma: float) -> None:
    phase = cmath.exp(1j * gamma)
    c.add_gate(gate.DiagonalMatrix([0], [phase, phase]))


def _exp(angle: float) -> complex:
    return cmath.exp(1j * angle)


_CP = _diagonal(lambda t: [1, 1, 1, _exp(t)])


class QulacsAdapter(DenseAdapter[Program]):
    """Qulacs' state-vector simulator."""

    name = "qulacs"
    capabilities = SIMULATORS["qulacs"].capabilities
    native_gates: ClassVar[Mapping[str, Build]] = {
        "gphase": _phase,
        "id": lambda c, q: c.add_gate(gate.Identity(q)),
        "x": QuantumCircuit.add_X_gate,
        "y": QuantumCircuit.add_Y_gate,
        "z": QuantumCircuit.add_Z_gate,
        "h": QuantumCircuit.add_H_gate,
        "s": QuantumCircuit.add_S_gate,
        "sdg": QuantumCircuit.add_Sdag_gate,
        "t": QuantumCircuit.add_T_gate,
        "tdg": QuantumCircuit.add_Tdag_gate,
        "sx": QuantumCircuit.add_sqrtX_gate,
        "sxdg": QuantumCircuit.add_sqrtXdag_gate,
        "p": QuantumCircuit.add_U1_gate,
        "u1": QuantumCircuit.add_U1_gate,
        "u2": QuantumCircuit.add_U2_gate,
        "u3": QuantumCircuit.add_U3_gate,
        "u": QuantumCircuit.add_U3_gate,
        "U": QuantumCircuit.add_U3_gate,
        "rx": QuantumCircuit.add_RotX_gate,
        "ry": QuantumCircuit.add_RotY_gate,
        "rz": QuantumCircuit.add_RotZ_gate,
        "cx": QuantumCircuit.add_CNOT_gate,
        "CX": QuantumCircuit.add_CNOT_gate,
        "cz": QuantumCircuit.add_CZ_gate,
        "swap": QuantumCircuit.add_SWAP_gate,
        "cy": _controlled("y"),
        "ch": _controlled("h"),
        "csx": _controlled("sx"),
        "crx": _controlled_rotation("rx"),
        "cry": _controlled_rotation("ry"),
        "crz": _diagonal(lambda t: [1, _exp(-t / 2), 1, _exp(t / 2)]),
        "cs": _diagonal(lambda: [1, 1, 1, 1j]),
        "csdg": _diagonal(lambda: [1, 1, 1, -1j]),
        "cp": _CP,
        "cu1": _CP,
        "cu3": _controlled_rotation("u3"),
        "cu": _dense("cu", 2),
        "iswap": _dense("iswap", 2),
        "dcx": _dense("dcx", 2),
        "ecr": _dense("ecr", 2),
        "rxx": _pauli_rotation(1, 1),
        "ms": _pauli_rotation(1, 1),
        "ryy": _pauli_rotation(2, 2),
        "rzz": _pauli_rotation(3, 3),
        "rzx": _pauli_rotation(3, 1),
        "xx_plus_yy": _dense("xx_plus_yy", 2),
        "xx_minus_yy": _dense("xx_minus_yy", 2),
        "ccx": lambda c, a, b, t: c.add_gate(gate.TOFFOLI(a, b, t)),
        "ccz": _controlled("z"),
        "cswap": lambda c, a, b, t: c.add_gate(gate.FREDKIN(a, b, t)),
        "rccx": _dense("rccx", 3),
        "c3x": _controlled("x"),
        "c3sqrtx": _controlled("sx"),
        "c4x": _controlled("x"),
    }

    def version(self) -> str:
        """Return Qulacs' version."""
        return str(qulacs.__version__)

    def build(self, circuit: Circuit) -> Program:
        """Convert to a Qulacs circuit; measurements, which it does not need, become a map."""
        target = QuantumCircuit(circuit.num_qubits)
        table = self.native_gates
        for op in circuit.operations:
            if op.name in table:
                table[op.name](target, *op.qubits, *op.params)
        return Program(target, measured_clbits(circuit.operations), circuit.num_clbits)

    def evolve(self, native: Program, state: State | None = None) -> State:
        """Return the state after the circuit."""
        vector = QuantumState(native.circuit.get_qubit_count())
        if state is not None:
            vector.load(state)
        native.circuit.update_quantum_state(vector)
        return np.asarray(vector.get_vector())

    def sample(self, native: Program, *, shots: int, seed: int) -> Counts:
        """Draw shots with ``QuantumState.sampling``."""
        vector = QuantumState(native.circuit.get_qubit_count())
        native.circuit.update_quantum_state(vector)
        indices = np.array(vector.sampling(shots, seed), dtype=np.int64)
        return counts_of_indices(indices, native.measured, native.num_clbits)
