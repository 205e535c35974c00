"""QX, the simulator of Quantum Inspire, whose language is cQASM 3."""

import qxelarator
from lines import counts, serve, split

NAMES = {
    "x": "X", "y": "Y", "z": "Z", "h": "H", "s": "S", "sdg": "Sdag", "t": "T", "tdg": "Tdag", "sx": "X90",
    "sxdg": "mX90", "rx": "Rx", "ry": "Ry", "rz": "Rz", "cx": "CNOT", "cz": "CZ", "csx": "ctrl.X90",
}  # fmt: skip


def text(gates, num_qubits):
    """Return the circuit in cQASM 3, every qubit measured into the bit of its number."""
    lines = ["version 3.0", f"qubit[{num_qubits}] q", f"bit[{num_qubits}] b"]
    for name, qubits, params in gates:
        angles = "({})".format(", ".join(map(repr, params))) if params else ""
        lines.append("{}{} {}".format(NAMES[name], angles, ", ".join(f"q[{qubit}]" for qubit in qubits)))
    return "\n".join([*lines, "b = measure q"]) + "\n"


def run(request):
    gates, measured = split(request)
    result = qxelarator.execute_string(
        text(gates, request["num_qubits"]), iterations=request["shots"], seed=request["seed"]
    )
    if not hasattr(result, "results"):
        raise ValueError(str(result))
    samples = [key[::-1] for key, times in result.results.items() for _ in range(times)]
    return counts(samples, measured, request["num_clbits"])


serve(run)
