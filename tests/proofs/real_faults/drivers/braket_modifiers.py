"""Amazon Braket's density matrices, with controlled gates as OpenQASM 3 writes them: ``ctrl @ x``."""

import logging

from braket.default_simulator import DensityMatrixSimulator
from braket.ir.openqasm import Program
from braket_text import NAMES, seed_all, text
from lines import counts, serve, split

CONTROLLED = {"cx": "ctrl @ x", "cz": "ctrl @ z", "cp": "ctrl @ phaseshift", "ccx": "ctrl(2) @ x"}


def run(request):
    gates, measured = split(request)
    program = Program(source=text(gates, request["num_qubits"], dict(NAMES, **CONTROLLED)))
    seed_all(request["seed"])
    result = DensityMatrixSimulator().run(program, shots=request["shots"])
    return counts(result.measurements, measured, request["num_clbits"])


logging.disable(logging.CRITICAL)
serve(run)
