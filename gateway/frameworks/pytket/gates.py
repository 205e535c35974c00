"""The gate table of pytket, checked against 2.18.5: angles are in half-turns there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytket.circuit import OpType

ROWS: Mapping[Any, str] = {
    OpType.Phase: "gphase", OpType.noop: "id", OpType.X: "x", OpType.Y: "y", OpType.Z: "z", OpType.H: "h",
    OpType.S: "s", OpType.Sdg: "sdg", OpType.T: "t", OpType.Tdg: "tdg", OpType.SX: "sx", OpType.SXdg: "sxdg",
    OpType.U1: "p", OpType.U2: "u2", OpType.U3: "u", OpType.Rx: "rx", OpType.Ry: "ry", OpType.Rz: "rz",
    OpType.CX: "cx", OpType.CY: "cy", OpType.CZ: "cz", OpType.CH: "ch", OpType.CS: "cs", OpType.CSdg: "csdg",
    OpType.CSX: "csx", OpType.CU1: "cp", OpType.CRx: "crx", OpType.CRy: "cry", OpType.CRz: "crz", OpType.CU3: "cu3",
    OpType.SWAP: "swap", OpType.ECR: "ecr", OpType.XXPhase: "rxx", OpType.YYPhase: "ryy", OpType.ZZPhase: "rzz",
    OpType.CCX: "ccx", OpType.CSWAP: "cswap",
}  # fmt: skip
"""Type of an operation -> the row that is just that, angles times pi."""

TYPES: Mapping[str, Any] = {row: kind for kind, row in ROWS.items()} | {
    "u1": OpType.U1, "u3": OpType.U3, "U": OpType.U3, "CX": OpType.CX, "cu1": OpType.CU1, "ms": OpType.XXPhase,
    "ccz": OpType.CnZ, "c3x": OpType.CnX, "c4x": OpType.CnX, "iswap": OpType.ISWAPMax,
    "measure": OpType.Measure, "reset": OpType.Reset,
}  # fmt: skip
"""Row of the gate table -> the type that is just that."""
