"""Amazon Braket's state vectors, with controlled gates by Braket's own names."""

import logging

from braket.default_simulator import StateVectorSimulator
from braket.ir.openqasm import Program
from braket_text import NAMES, seed_all, text
from lines import counts, serve, split


def run(request):
    gates, measured = split(request)
    program = Program(source=text(gates, request["num_qubits"], NAMES))
    seed_all(request["seed"])
    result = StateVectorSimulator().run(program, shots=request["shots"])
    return counts(result.measurements, measured, request["num_clbits"])


logging.disable(logging.CRITICAL)
serve(run)
