"""Circuits to begin with, in the order in which the page offers them; the first one is there when it opens."""

from __future__ import annotations

from functools import cache
from importlib import resources

from gateway.protocol.door import NamedText

_NAMES = {
    "phase_estimation": "Phase estimation",
    "bell_pair": "Bell pair",
    "ghz": "GHZ state",
    "teleportation": "Teleportation",
    "grover": "Grover's search",
    "fourier_transform": "Fourier transform",
    "random_circuit": "Random circuit",
    "error_correction": "Error correction",
    "repeat_until_success": "Repeat until success",
    "ghz_60_qubits": "GHZ state of 60 qubits",
}
"""File -> name."""


@cache
def examples() -> tuple[NamedText, ...]:
    """Return the examples, each of which says in its first comment what it is."""
    folder = resources.files(__package__)
    return tuple(
        NamedText(name=name, openqasm=folder.joinpath(f"{file}.qasm").read_text(encoding="utf-8"))
        for file, name in _NAMES.items()
    )
