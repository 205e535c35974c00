"""Circuits as OpenQASM 3 with Amazon Braket's names of gates, and seeds for its simulators."""

import numpy as np

_default_rng = np.random.default_rng

NAMES = {
    "id": "i", "x": "x", "y": "y", "z": "z", "h": "h", "s": "s", "sdg": "si", "t": "t", "tdg": "ti", "sx": "v",
    "rx": "rx", "ry": "ry", "rz": "rz", "p": "phaseshift", "cx": "cnot", "cy": "cy", "cz": "cz", "swap": "swap",
    "cp": "cphaseshift", "rxx": "xx", "ryy": "yy", "rzz": "zz", "ccx": "ccnot",
}  # fmt: skip
"""Gate of the table -> the name in Braket's OpenQASM."""


def text(gates, num_qubits, names):
    """Return the text; each qubit appears in it, so that Braket measures all of them in their order."""
    lines = ["OPENQASM 3.0;", f"qubit[{num_qubits}] q;"]
    lines += [f"i q[{qubit}];" for qubit in range(num_qubits)]
    for name, qubits, params in gates:
        angles = "({})".format(", ".join(map(repr, params))) if params else ""
        lines.append("{}{} {};".format(names[name], angles, ", ".join(f"q[{qubit}]" for qubit in qubits)))
    return "\n".join(lines) + "\n"


def seed_all(seed):
    """Seed the simulators made from now on, which take no seed and make their generators by NumPy's function."""
    np.random.default_rng = lambda: _default_rng(seed)
