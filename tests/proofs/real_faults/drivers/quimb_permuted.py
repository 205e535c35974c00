"""quimb's matrix product states that move the qubits and remember where they are."""

import quimb.tensor as qtn
from lines import counts, serve, split


def run(request):
    gates, measured = split(request)
    circuit = qtn.CircuitPermMPS(request["num_qubits"])
    for name, qubits, params in gates:
        circuit.apply_gate(name.upper(), *params, *qubits)
    return counts(circuit.sample(request["shots"], seed=request["seed"]), measured, request["num_clbits"])


serve(run)
