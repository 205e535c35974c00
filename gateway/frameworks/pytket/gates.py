"""The gate table of pytket, checked against 2.18.5: angles are in half-turns there."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from pytket.circuit import Op, OpType

from gateway.circuit.gates import GATES as TABLE

ROWS: Mapping[Any, str] = {
    OpType.Phase: "gphase", OpType.noop: "id", OpType.X: "x", OpType.Y: "y", OpType.Z: "z", OpType.H: "h",
    OpType.S: "s", OpType.Sdg: "sdg", OpType.T: "t", OpType.Tdg: "tdg", OpType.SX: "sx", OpType.SXdg: "sxdg",
    OpType.U1: "p", OpType.U2: "u2", OpType.U3: "u", OpType.Rx: "rx", OpType.Ry: "ry", OpType.Rz: "rz",
    OpType.CX: "cx", OpType.CY: "cy", OpType.CZ: "cz", OpType.CH: "ch", OpType.CS: "cs", OpType.CSdg: "csdg",
    OpType.CSX: "csx", OpType.CU1: "cp", OpType.CRx: "crx", OpType.CRy: "cry", OpType.CRz: "crz", OpType.CU3: "cu3",
    OpType.SWAP: "swap", OpType.ECR: "ecr", OpType.XXPhase: "rxx", OpType.YYPhase: "ryy", OpType.ZZPhase: "rzz",
    OpType.CCX: "ccx", OpType.CSWAP: "cswap",
}  # fmt: skip
"""Type of an operation -> the same gate of the table; its angles are multiplied by pi."""

_TYPES: Mapping[str, Any] = {row: kind for kind, row in ROWS.items() if row != "gphase"} | {
    "u1": OpType.U1, "u3": OpType.U3, "U": OpType.U3, "CX": OpType.CX, "cu1": OpType.CU1, "ms": OpType.XXPhase,
    "iswap": OpType.ISWAPMax,
}  # fmt: skip

MANY: Mapping[str, Any] = {"ccz": OpType.CnZ, "c3x": OpType.CnX, "c4x": OpType.CnX}
"""Gate of the table -> type of pytket that is the same gate, for any number of qubits."""

Entry = Any
"""An ``Op``, or a function from its angles in half-turns to it."""


def _entry(row: str, kind: Any) -> Entry:  # noqa: ANN401 - an OpType
    number = TABLE[row].num_params
    if number == 0:
        return Op.create(kind)
    return partial(Op.create, kind) if number == 1 else lambda *turns: Op.create(kind, list(turns))


GATES: Mapping[str, Entry] = {row: _entry(row, kind) for row, kind in _TYPES.items()}
"""Gate of the table -> the same operation of pytket, made once if it has no angles."""

NATIVE = frozenset({"gphase", *MANY, *GATES})
"""The gates that pytket has; a global phase is a property of its circuit."""
