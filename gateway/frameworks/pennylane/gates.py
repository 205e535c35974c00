"""The gate table of PennyLane, checked against 0.45.1."""

from __future__ import annotations

import pennylane as qml
from pennylane.operation import Operator

GATES: dict[str, type[Operator]] = {
    "id": qml.Identity, "x": qml.X, "y": qml.Y, "z": qml.Z, "h": qml.Hadamard, "s": qml.S, "t": qml.T, "sx": qml.SX,
    "rx": qml.RX, "ry": qml.RY, "rz": qml.RZ, "p": qml.PhaseShift, "u1": qml.U1, "u2": qml.U2, "u": qml.U3,
    "cx": qml.CNOT, "cy": qml.CY, "cz": qml.CZ, "ch": qml.CH, "swap": qml.SWAP, "iswap": qml.ISWAP, "ecr": qml.ECR,
    "cp": qml.ControlledPhaseShift, "crx": qml.CRX, "cry": qml.CRY, "crz": qml.CRZ,
    "xy": qml.IsingXY, "pswap": qml.PSWAP, "cphaseshift00": qml.CPhaseShift00, "cphaseshift01": qml.CPhaseShift01,
    "cphaseshift10": qml.CPhaseShift10, "rxx": qml.IsingXX, "ryy": qml.IsingYY, "rzz": qml.IsingZZ,
    "ccx": qml.Toffoli, "ccz": qml.CCZ, "cswap": qml.CSWAP,
}  # fmt: skip
"""Gate of the table -> PennyLane's class of the same gate."""
