"""pyQuil's simulator in NumPy, with the inverse gates as pyQuil writes them: ``S(0).dagger()``."""

import numpy as np
from lines import counts, serve, split
from pyquil import Program, gates
from pyquil.simulation import NumpyWavefunctionSimulator

GATES = {
    "x": gates.X, "y": gates.Y, "z": gates.Z, "h": gates.H, "s": gates.S, "t": gates.T, "cx": gates.CNOT,
    "cz": gates.CZ, "ccx": gates.CCNOT, "swap": gates.SWAP, "rx": gates.RX, "ry": gates.RY, "rz": gates.RZ,
    "p": gates.PHASE, "cp": gates.CPHASE, "sdg": lambda qubit: gates.S(qubit).dagger(),
    "tdg": lambda qubit: gates.T(qubit).dagger(),
}  # fmt: skip


def run(request):
    operations, measured = split(request)
    simulator = NumpyWavefunctionSimulator(request["num_qubits"], rs=np.random.RandomState(request["seed"]))
    simulator.do_program(Program([GATES[name](*params, *qubits) for name, qubits, params in operations]))
    return counts(simulator.sample_bitstrings(request["shots"]), measured, request["num_clbits"])


serve(run)
