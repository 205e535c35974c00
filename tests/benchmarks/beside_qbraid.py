"""The part of interchange.py that runs in qBraid's environment; prints the times as JSON.

The argument is the number of rounds. Both convert the same object of 10,000 gates. Their results for
a small one are compared first, so that only correct conversions are measured.
"""

from __future__ import annotations

import json
import sys
import warnings
from functools import partial
from itertools import permutations
from typing import Any

import numpy as np
import qbraid
from measuring import take_turns
from workloads import NUM_QUBITS, circuit_of, mixed_gates

from gateway.frameworks import dump, parse

FRAMEWORKS = ("qiskit", "cirq", "pytket")
"""Those between which qBraid has a way that gives the right circuit: not by way of pyQuil."""


def main() -> None:
    """Time every pair."""
    warnings.simplefilter("ignore")
    rounds = int(sys.argv[1])
    rows = []
    for source, target in permutations(FRAMEWORKS, 2):
        small = dump(circuit_of(mixed_gates(200, 4), 4), source)
        _check(_ours(small, target), qbraid.transpile(small, target))
        native = dump(circuit_of(mixed_gates(), NUM_QUBITS), source)
        times = take_turns(partial(_ours, native, target), partial(qbraid.transpile, native, target), rounds=rounds)
        rows.append((source, target, *times))
        print(source, target, *times, file=sys.stderr, flush=True)
    print(json.dumps(rows))


def _ours(native: object, target: str) -> Any:
    return dump(parse(native), target)


def _check(ours: Any, theirs: Any) -> None:
    """Compare the unitaries by the framework itself, up to a global phase, which OpenQASM 2 loses."""
    first, second = _unitary(ours), _unitary(theirs)
    overlap = abs(np.vdot(first, second)) / len(first)
    if abs(overlap - 1) > 1e-6:
        msg = f"the two circuits differ: the overlap is {overlap}"
        raise SystemExit(msg)


def _unitary(native: Any) -> Any:
    kind = type(native).__module__.partition(".")[0]
    if kind == "qiskit":
        from qiskit.quantum_info import Operator  # noqa: PLC0415 - only where it is needed

        return Operator(native).data
    return native.unitary() if kind == "cirq" else native.get_unitary()


if __name__ == "__main__":
    main()
