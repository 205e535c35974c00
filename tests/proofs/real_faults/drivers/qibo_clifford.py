"""Qibo's stabilizer simulator."""

import numpy as np
from lines import counts, serve, split
from qibo import Circuit, gates
from qibo.backends import CliffordBackend

GATES = {
    "x": gates.X, "y": gates.Y, "z": gates.Z, "h": gates.H, "s": gates.S, "sdg": gates.SDG, "sx": gates.SX,
    "cx": gates.CNOT, "cy": gates.CY, "cz": gates.CZ, "swap": gates.SWAP, "iswap": gates.iSWAP,
}  # fmt: skip


def run(request):
    operations, measured = split(request)
    circuit = Circuit(request["num_qubits"])
    circuit.add([GATES[name](*qubits) for name, qubits, _ in operations])
    circuit.add(gates.M(*range(request["num_qubits"])))
    np.random.seed(request["seed"])  # noqa: NPY002 - what Qibo draws from
    result = CliffordBackend("numpy").execute_circuit(circuit, nshots=request["shots"])
    return counts(result.samples(), measured, request["num_clbits"])


serve(run)
