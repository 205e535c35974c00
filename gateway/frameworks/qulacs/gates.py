"""The gate table of Qulacs (https://docs.qulacs.org), checked against 0.6.14: for our circuits and for its simulator.

Qulacs is little-endian, as we are. Its ``RX RY RZ`` and ``PauliRotation`` turn by ``exp(+i angle/2 P)``,
the opposite of everyone's sign: the table uses ``RotX RotY RotZ`` and negates the angle of a
``PauliRotation``. Gates are appended by methods of the circuit where there is one, which spares the object.
"""

from __future__ import annotations

import cmath
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from qulacs import ParametricQuantumCircuit, QuantumCircuit, gate

from gateway.circuit import Operation
from gateway.frameworks.shared.matrices import matrix

Append = Callable[..., object]
"""Appends one gate: ``(circuit, *qubits, *params)``."""


def _pauli_rotation(*paulis: int) -> Append:
    """Append ``exp(-i t/2 PP)``; 1 is X, 2 is Y, 3 is Z."""
    return lambda c, a, b, t: c.add_multi_Pauli_rotation_gate([a, b], list(paulis), -t)


def _diagonal(entries: Callable[..., list[complex]]) -> Append:
    return lambda c, a, b, *params: c.add_gate(gate.DiagonalMatrix([a, b], entries(*params)))


def _dense(name: str, num_qubits: int) -> Append:
    """Append the matrix of a gate of the table; Qulacs' qubit order is ours."""

    def append(c: Any, *args: Any) -> None:  # noqa: ANN401
        c.add_gate(gate.DenseMatrix(list(args[:num_qubits]), matrix(name, *args[num_qubits:])))

    return append


def _controlled(name: str) -> Append:
    """Append a one-qubit gate without angles; every qubit before the last one is a control."""

    def append(c: Any, *qubits: int) -> None:  # noqa: ANN401
        inner = gate.DenseMatrix(qubits[-1], matrix(name))
        for control in qubits[:-1]:
            inner.add_control_qubit(control, 1)
        c.add_gate(inner)

    return append


def _controlled_rotation(name: str) -> Append:
    def append(c: Any, control: int, target: int, *params: float) -> None:  # noqa: ANN401
        inner = gate.DenseMatrix(target, matrix(name, *params))
        inner.add_control_qubit(control, 1)
        c.add_gate(inner)

    return append


def _phase(c: Any, gamma: float) -> None:  # noqa: ANN401
    """Append a global phase as a diagonal matrix on qubit 0."""
    c.add_gate(gate.DiagonalMatrix([0], [_exp(gamma)] * 2))


def _exp(angle: float) -> complex:
    return cmath.exp(1j * angle)


_CP = _diagonal(lambda t: [1, 1, 1, _exp(t)])

GATES: Mapping[str, Append] = {
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
    "rc3x": _dense("rc3x", 4),
    "c3x": _controlled("x"),
    "c3sqrtx": _controlled("sx"),
    "c4x": _controlled("x"),
}
"""Gate of the table -> function that appends it."""


_RX, _RY, _RZ = (getattr(ParametricQuantumCircuit, f"add_parametric_R{axis}_gate") for axis in "XYZ")


def _parametric_rotation(*paulis: int) -> Append:
    return lambda c, a, b, t: c.add_parametric_multi_Pauli_rotation_gate([a, b], list(paulis), -t)


PARAMETRIC: Mapping[str, Append] = {
    "rx": lambda c, q, t: _RX(c, q, -t),
    "ry": lambda c, q, t: _RY(c, q, -t),
    "rz": lambda c, q, t: _RZ(c, q, -t),
    "rxx": _parametric_rotation(1, 1),
    "ms": _parametric_rotation(1, 1),
    "ryy": _parametric_rotation(2, 2),
    "rzz": _parametric_rotation(3, 3),
    "rzx": _parametric_rotation(3, 1),
}
"""Gate of the table whose angle Qulacs can change -> function that appends it to a ``ParametricQuantumCircuit``.

The parameter of Qulacs is the negative angle.
"""


def build(
    num_qubits: int,
    operations: Sequence[Operation],
    other: Callable[[QuantumCircuit, Operation], None],
    parametric: Collection[int] = (),
) -> QuantumCircuit:
    """Return operations as a circuit of Qulacs.

    Args:
        num_qubits: the number of qubits; at least one if there is a global phase.
        operations: the operations, in gates of the table and without conditions.
        other: called for each measurement, reset and barrier.
        parametric: the indices of operations whose angle can be changed afterwards; they are in :data:`PARAMETRIC`, and
            the first one has Qulacs' parameter 0.
    """
    target = ParametricQuantumCircuit(num_qubits) if parametric else QuantumCircuit(num_qubits)
    for index, op in enumerate(operations):
        append = GATES.get(op.name) if index not in parametric else PARAMETRIC[op.name]
        if append is None:
            other(target, op)
        else:
            append(target, *op.qubits, *op.params)
    return target
