"""The gate table of Qrisp 0.9, checked against 0.9.10."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from qrisp.circuit import (
    GPhaseGate,
    HGate,
    IDGate,
    PGate,
    RXGate,
    RXXGate,
    RYGate,
    RYYGate,
    RZGate,
    RZZGate,
    SGate,
    SwapGate,
    TGate,
    U3Gate,
    XGate,
    XXYYGate,
    YGate,
    ZGate,
)  # fmt: skip

HIDDEN = "gateway_hidden"
"""The beginning of the name of a clbit that is not part of the outcome."""

GATES: Mapping[str, Callable[..., Any]] = {
    "id": IDGate, "x": XGate, "y": YGate, "z": ZGate, "h": HGate, "s": SGate, "t": TGate,
    "sdg": lambda: SGate().inverse(), "tdg": lambda: TGate().inverse(),
    "p": PGate, "rx": RXGate, "ry": RYGate, "rz": RZGate, "u": U3Gate, "gphase": GPhaseGate,
    "cx": lambda: XGate().control(), "cy": lambda: YGate().control(), "cz": lambda: ZGate().control(),
    "ch": lambda: HGate().control(), "cp": lambda angle: PGate(angle).control(),
    "crx": lambda angle: RXGate(angle).control(), "cry": lambda angle: RYGate(angle).control(),
    "crz": lambda angle: RZGate(angle).control(), "swap": SwapGate,
    "rxx": RXXGate, "ryy": RYYGate, "rzz": RZZGate, "xx_plus_yy": XXYYGate,
    "ccx": lambda: XGate().control(2), "c3x": lambda: XGate().control(3), "c4x": lambda: XGate().control(4),
    "ccz": lambda: ZGate().control(2), "cswap": lambda: SwapGate().control(),
}  # fmt: skip
"""Gate of the table -> function from the angles to Qrisp's operation of the same gate."""
