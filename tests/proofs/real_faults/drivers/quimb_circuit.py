"""quimb's circuits as tensor networks, sampled from the whole state."""

import numpy as np
import quimb.tensor as qtn
from lines import counts, serve, split


def run(request):
    gates, measured = split(request)
    size, shots = request["num_qubits"], request["shots"]
    circuit = qtn.Circuit(size)
    for name, qubits, params in gates:
        circuit.apply_gate(name.upper(), *params, *qubits)
    probabilities = np.abs(circuit.to_dense().ravel()) ** 2
    drawn = np.random.default_rng(request["seed"]).choice(2**size, size=shots, p=probabilities / probabilities.sum())
    return counts([format(number, f"0{size}b") for number in drawn], measured, request["num_clbits"])


serve(run)
