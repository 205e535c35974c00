"""The gate table of Amazon Braket, checked against amazon-braket-sdk 1.127.5."""

from __future__ import annotations

from collections.abc import Mapping

from braket.circuits import Gate

GATES: Mapping[str, type[Gate]] = {
    "gphase": Gate.GPhase, "id": Gate.I, "x": Gate.X, "y": Gate.Y, "z": Gate.Z, "h": Gate.H, "s": Gate.S,
    "sdg": Gate.Si, "t": Gate.T, "tdg": Gate.Ti, "sx": Gate.V, "sxdg": Gate.Vi, "p": Gate.PhaseShift, "u": Gate.U,
    "rx": Gate.Rx, "ry": Gate.Ry, "rz": Gate.Rz, "cx": Gate.CNot, "cy": Gate.CY, "cz": Gate.CZ, "csx": Gate.CV,
    "cp": Gate.CPhaseShift, "swap": Gate.Swap, "iswap": Gate.ISwap, "ecr": Gate.ECR, "rxx": Gate.XX, "ryy": Gate.YY,
    "rzz": Gate.ZZ, "r": Gate.PRx, "gpi": Gate.GPi, "gpi2": Gate.GPi2, "ms3": Gate.MS, "xy": Gate.XY,
    "pswap": Gate.PSwap, "cphaseshift00": Gate.CPhaseShift00, "cphaseshift01": Gate.CPhaseShift01,
    "cphaseshift10": Gate.CPhaseShift10, "ccx": Gate.CCNot, "cswap": Gate.CSwap,
}  # fmt: skip
"""Gate of the table -> Braket's class of the same gate."""
