"""Requests and answers of a driver, one JSON text a line; for the Pythons of old simulators, from 3.7 on.

A driver is a program that runs in an environment of its own and knows one simulator. ``serve(run)`` hands ``run`` each
request, a dict with ``openqasm2``, ``openqasm3``, ``num_qubits``, ``num_clbits``, ``operations`` (each a list of name,
qubits, params, clbits and condition), ``shots`` and ``seed``, below 2**31. It answers with what ``run`` returns, or
with what it raised.
"""

import json
import os
import signal
import warnings

LONGEST_S = 30
"""An answer that takes longer ends the driver: an old simulator may run for ever."""


def serve(run):
    """Answer requests until standard input ends.

    A simulator and the processes that it starts see an empty standard input; what they print goes to standard error.
    """
    warnings.simplefilter("ignore")
    requests, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    for line in iter(requests.readline, ""):
        signal.alarm(LONGEST_S)
        try:
            answer = run(json.loads(line))
        except Exception as exc:  # noqa: BLE001 - any failure of any simulator is an answer
            answer = {"error": f"{type(exc).__name__}: {exc}"}
        signal.alarm(0)
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def split(request):
    """Return the gates, and the clbit -> qubit of the measurements at the end.

    Raises:
        ValueError: the circuit resets, has a condition, or uses a measured qubit again.
    """
    gates, measured = [], {}
    for name, qubits, params, clbits, condition in request["operations"]:
        if condition or name == "reset" or set(qubits) & set(measured.values()):
            raise ValueError(f"only gates before measurements are simulated here, no {name} here")
        if name == "measure":
            measured[clbits[0]] = qubits[0]
        elif name != "barrier":
            gates.append((name, qubits, params))
    return gates, measured


def counts(samples, measured, num_clbits):
    """Return bitstring -> shots, clbit 0 rightmost.

    Args:
        samples: for each shot the bit of each qubit, qubit 0 first.
        measured: clbit -> qubit.
        num_clbits: the length of a bitstring.
    """
    totals = {}
    for sample in samples:
        bits = ["0"] * num_clbits
        for clbit, qubit in measured.items():
            bits[num_clbits - 1 - clbit] = str(int(sample[qubit]))
        key = "".join(bits)
        totals[key] = totals.get(key, 0) + 1
    return {"counts": totals}
