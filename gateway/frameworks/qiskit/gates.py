"""The gate table of Qiskit 2, checked against 2.6.2: for circuits and for Aer.

Qiskit is little-endian, as we are, and its angles are ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qiskit.circuit import (
    library,
)

GATES: dict[str, Any] = {
    "gphase": library.GlobalPhaseGate, "id": library.IGate, "x": library.XGate, "y": library.YGate, "z": library.ZGate,
    "h": library.HGate, "s": library.SGate, "sdg": library.SdgGate, "t": library.TGate, "tdg": library.TdgGate,
    "sx": library.SXGate, "sxdg": library.SXdgGate, "p": library.PhaseGate, "u1": library.U1Gate, "u2": library.U2Gate,
    "u3": library.U3Gate, "u": library.UGate, "U": library.UGate, "rx": library.RXGate, "ry": library.RYGate,
    "rz": library.RZGate, "cx": library.CXGate, "CX": library.CXGate, "cy": library.CYGate, "cz": library.CZGate,
    "ch": library.CHGate, "cs": library.CSGate, "csdg": library.CSdgGate, "csx": library.CSXGate,
    "cp": library.CPhaseGate, "cu1": library.CU1Gate, "crx": library.CRXGate, "cry": library.CRYGate,
    "crz": library.CRZGate, "cu3": library.CU3Gate, "cu": library.CUGate, "swap": library.SwapGate,
    "iswap": library.iSwapGate, "dcx": library.DCXGate, "ecr": library.ECRGate, "rxx": library.RXXGate,
    "ms": library.RXXGate, "ryy": library.RYYGate, "rzz": library.RZZGate, "rzx": library.RZXGate,
    "xx_plus_yy": library.XXPlusYYGate, "xx_minus_yy": library.XXMinusYYGate, "ccx": library.CCXGate,
    "ccz": library.CCZGate, "cswap": library.CSwapGate, "rccx": library.RCCXGate, "rc3x": library.RC3XGate,
    "c3x": library.C3XGate, "c3sqrtx": library.C3SXGate, "c4x": library.C4XGate,
}  # fmt: skip
"""Gate of the table -> Qiskit's class of the same gate."""

STANDARD: Mapping[str, Any] = {
    row: gate._standard_gate  # noqa: SLF001 - private, see build
    for row, gate in GATES.items()
    if row != "gphase" and getattr(gate, "_standard_gate", None) is not None
}
"""Row -> Qiskit's number of a standard gate, which spares the object of the gate; empty in versions without numbers."""

HIDDEN = "gateway_hidden"
"""The name of the register for clbits that are not part of the outcome."""
