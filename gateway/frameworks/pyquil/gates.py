"""The gate table of pyQuil, checked against 4.22.0: for our programs and for its simulator.

The simulator ignores a gate's modifiers and takes its arguments apart for each run, so its adapter hands it
matrices and no ``Program``: two things that are made of the same names.
"""

from __future__ import annotations

from collections.abc import Mapping

ROWS: Mapping[str, str] = {
    "I": "id", "X": "x", "Y": "y", "Z": "z", "H": "h", "S": "s", "T": "t", "RX": "rx", "RY": "ry", "RZ": "rz",
    "PHASE": "p", "CNOT": "cx", "CZ": "cz", "CPHASE": "cp", "CCNOT": "ccx", "SWAP": "swap", "CSWAP": "cswap",
    "ISWAP": "iswap", "XY": "xy", "PSWAP": "pswap", "CPHASE00": "cphaseshift00", "CPHASE01": "cphaseshift01",
    "CPHASE10": "cphaseshift10", "RXX": "rxx", "RYY": "ryy", "RZZ": "rzz", "U": "u",
}  # fmt: skip
"""Name of pyQuil's gate -> the same gate of the table."""

NAMES: Mapping[str, str] = {row: name for name, row in ROWS.items()} | {
    "u1": "PHASE", "u3": "U", "U": "U", "CX": "CNOT", "cu1": "CPHASE", "ms": "RXX",
}  # fmt: skip
"""Gate of the table -> name of pyQuil's same gate."""

_BEYOND_QUIL = frozenset({"RXX", "RYY", "RZZ", "U"})

PLAIN: Mapping[str, str] = {row: name for row, name in NAMES.items() if name not in _BEYOND_QUIL}
"""The same for the gates of Quil's standard, which other tools than pyQuil know too."""
