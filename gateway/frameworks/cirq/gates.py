"""The gate table of Cirq, checked against cirq-core 1.7.0: for our circuits and for its simulator.

``QasmUGate`` is not used: it takes theta modulo ``2 pi``, which is wrong by a sign as soon as the gate is
controlled.
"""

from __future__ import annotations

import cmath
from collections.abc import Mapping
from math import pi
from typing import Any

import cirq


def _controlled(gate: Any, controls: int = 1) -> Any:  # noqa: ANN401 - a cirq.Gate
    return cirq.ControlledGate(gate, num_controls=controls)


def _interaction(gate: Any) -> Any:  # noqa: ANN401 - makes gates
    """Return the maker of ``exp(-i t/2 PP)``; without the shift Cirq's has another phase."""
    return lambda angle: gate(exponent=angle / pi, global_shift=-0.5)


def _p(angle: float) -> Any:  # noqa: ANN401 - a cirq.Gate
    return cirq.ZPowGate(exponent=angle / pi)


def _cp(angle: float) -> Any:  # noqa: ANN401 - a cirq.Gate
    return cirq.CZPowGate(exponent=angle / pi)


_SX = cirq.XPowGate(exponent=0.5)
GATES: Mapping[str, Any] = {
    "gphase": lambda angle: cirq.GlobalPhaseGate(cmath.exp(1j * angle)),
    "id": cirq.I, "x": cirq.X, "y": cirq.Y, "z": cirq.Z, "h": cirq.H, "s": cirq.S,
    "sdg": cirq.ZPowGate(exponent=-0.5), "t": cirq.T, "tdg": cirq.ZPowGate(exponent=-0.25), "sx": _SX,
    "sxdg": cirq.XPowGate(exponent=-0.5), "p": _p, "u1": _p, "rx": cirq.rx, "ry": cirq.ry, "rz": cirq.rz,
    "cx": cirq.CNOT, "CX": cirq.CNOT, "cy": _controlled(cirq.Y), "cz": cirq.CZ, "ch": _controlled(cirq.H),
    "cs": cirq.CZPowGate(exponent=0.5), "csdg": cirq.CZPowGate(exponent=-0.5), "csx": _controlled(_SX), "cp": _cp,
    "cu1": _cp, "crx": lambda angle: _controlled(cirq.rx(angle)), "cry": lambda angle: _controlled(cirq.ry(angle)),
    "crz": lambda angle: _controlled(cirq.rz(angle)), "swap": cirq.SWAP, "iswap": cirq.ISWAP,
    "rxx": _interaction(cirq.XXPowGate), "ms": _interaction(cirq.XXPowGate), "ryy": _interaction(cirq.YYPowGate),
    "rzz": _interaction(cirq.ZZPowGate),
    "xx_plus_yy": lambda theta, beta: cirq.PhasedISwapPowGate(phase_exponent=beta / (2 * pi), exponent=-theta / pi),
    "ccx": cirq.CCX, "ccz": cirq.CCZ, "cswap": cirq.CSWAP, "c3x": _controlled(cirq.X, 3),
    "c3sqrtx": _controlled(_SX, 3), "c4x": _controlled(cirq.X, 4),
}  # fmt: skip
"""Row of the gate table -> the gate, or what makes it of the angles."""
