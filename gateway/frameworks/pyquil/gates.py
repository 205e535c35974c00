"""The gate table of pyQuil, checked against 4.22.0."""

from __future__ import annotations

from collections.abc import Mapping

ROWS: Mapping[str, str] = {
    "I": "id", "X": "x", "Y": "y", "Z": "z", "H": "h", "S": "s", "T": "t", "RX": "rx", "RY": "ry", "RZ": "rz",
    "PHASE": "p", "CNOT": "cx", "CZ": "cz", "CPHASE": "cp", "CCNOT": "ccx", "SWAP": "swap", "CSWAP": "cswap",
    "ISWAP": "iswap", "RXX": "rxx", "RYY": "ryy", "RZZ": "rzz", "U": "u",
}  # fmt: skip
"""Name of a gate -> the row that is just that."""

PLAIN: Mapping[str, str] = {
    "id": "I", "x": "X", "y": "Y", "z": "Z", "h": "H", "s": "S", "t": "T", "p": "PHASE", "u1": "PHASE", "rx": "RX",
    "ry": "RY", "rz": "RZ", "cx": "CNOT", "CX": "CNOT", "cz": "CZ", "cp": "CPHASE", "cu1": "CPHASE", "swap": "SWAP",
    "iswap": "ISWAP", "ccx": "CCNOT", "cswap": "CSWAP",
}  # fmt: skip
"""Row of the gate table -> the standard gate of Quil that is just that."""
