"""About how long a run takes: what a circuit asks for, times what each of that takes on a simulator.

The seconds below are of one machine (``tests/benchmarks/estimates.py`` measures them, and how far they are right).
Another machine is faster or slower by a factor, which :class:`Corrections` learns from runs. What nobody knows is
``None``: how often a loop turns, and how large the diagrams of a circuit become that entangles everything.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import NamedTuple

from gateway.circuit import Circuit, Operation
from gateway.circuit.conditions import clbits_of
from gateway.circuit.needs import Needs
from gateway.results import ResultType

_WIDEST = 200
"""So many qubits count at most, since floating-point numbers end somewhere."""

_MOST_OF_DIAGRAM = 0.7
"""The largest part of a time that may depend on the size of a diagram."""

_WEIGHT_OF_A_RUN = 0.3
_LARGEST_FACTOR = 30.0


class Work(NamedTuple):
    """What a run asks for; the speed of a simulator has the same fields, in seconds for one of each.

    Args:
        runs: 1.
        operations: the number of operations.
        amplitudes: operations times amplitudes of a state vector.
        state: amplitudes of a state vector.
        outcomes: different outcomes that are written down.
        shots: of the run.
        bits: shots times measured clbits.
        steps: states that are followed, one for each history of measurements on the way, added up over these.
        followed: steps times amplitudes.
        nodes: operations times nodes of a decision diagram, at most.
    """

    runs: float = 1.0
    operations: float = 0.0
    amplitudes: float = 0.0
    state: float = 0.0
    outcomes: float = 0.0
    shots: float = 0.0
    bits: float = 0.0
    steps: float = 0.0
    followed: float = 0.0
    nodes: float = 0.0


class Speed(NamedTuple):
    """How fast a simulator is.

    Args:
        seconds: for one of each.
        process_bytes: the memory of a process that has the simulator imported.
    """

    seconds: Work
    process_bytes: int


SPEEDS: dict[str, Speed] = {
    "cirq": Speed(
        Work(runs=2.8e-3, operations=2.5e-5, amplitudes=1.9e-9, outcomes=3.5e-8, steps=8.2e-5, followed=1.6e-8),
        161 * 2**20,
    ),
    "mqt": Speed(
        Work(runs=2.7e-3, operations=2.6e-6, outcomes=3.3e-7, bits=4.0e-8, steps=2.0e-5, nodes=2.6e-7), 77 * 2**20
    ),
    "pytket": Speed(
        Work(
            runs=3.7e-3, operations=1.9e-5, amplitudes=1.8e-9, state=2.0e-8, outcomes=7.7e-8, steps=3.9e-4,
            followed=4.5e-8,
        ),
        216 * 2**20,
    ),
    "qiskit": Speed(
        Work(runs=2.8e-3, operations=1.3e-5, amplitudes=1.0e-9, outcomes=1.1e-7, steps=3.2e-4, followed=6.4e-8),
        80 * 2**20,
    ),
    "qulacs": Speed(
        Work(runs=2.4e-3, operations=1.6e-6, amplitudes=1.1e-9, outcomes=1.1e-7, steps=5.8e-5, followed=3.2e-8),
        36 * 2**20,
    ),
    "rigetti": Speed(
        Work(
            runs=2.5e-3, operations=1.3e-5, amplitudes=1.8e-9, state=2.0e-8, outcomes=4.2e-8, steps=1.9e-4,
            followed=1.4e-8,
        ),
        69 * 2**20,
    ),
    "stim": Speed(Work(runs=2.6e-3, operations=1.2e-6, outcomes=3.0e-7, shots=5.9e-9, bits=4.4e-9), 36 * 2**20),
}  # fmt: skip
"""Simulator -> how fast it is: what ``python tests/benchmarks/estimates.py --fit`` prints on an idle machine.

To each run a millisecond was added, which it takes longer after a pause than among many others.
"""


def work_of(circuit: Circuit, needs: Needs, shots: int | None, kind: ResultType, outcomes: int | None) -> Work | None:
    """Return what a run asks for; ``None`` if that depends on how often a loop turns.

    Args:
        circuit: the circuit.
        needs: its needs.
        shots: of the run; ``None`` for an exact result.
        kind: the result type.
        outcomes: how many there are, if that is known.
    """
    if needs.loop is not None:
        return None
    qubits = min(needs.num_qubits if kind.of_state else needs.qubits, _WIDEST)
    state, operations = 2.0**qubits, float(len(circuit.operations))
    measured = len({clbit for operation in circuit.operations for clbit in operation.clbits})
    most = 2.0 ** min(qubits if kind.of_state else measured, _WIDEST) if outcomes is None else float(outcomes)
    histories = min(state, math.inf if shots is None else float(shots))
    steps = _steps(circuit.operations, histories) if needs.dynamic is not None else 0.0
    return Work(
        operations=operations,
        amplitudes=operations * state,
        state=state,
        outcomes=most if shots is None else min(most, float(shots)),
        shots=float(shots or 0),
        bits=float(shots or 0) * measured,
        steps=steps,
        followed=steps * state,
        nodes=operations * _nodes(circuit.operations, circuit.num_qubits),
    )


def _steps(operations: Sequence[Operation], histories: float) -> float:
    """Return how many states are followed, added up over the measurements and resets that something follows.

    Each of them makes two states of one, unless the value of its qubit is known already.
    """
    steps, states = 0.0, 1.0
    unknown: set[int] = set()
    for operation, is_last in zip(operations, _are_last(operations), strict=True):
        if operation.name not in {"measure", "reset"}:
            unknown.update(operation.qubits if operation.name != "barrier" else ())
        elif not is_last:
            states = min(2 * states, histories) if operation.qubits[0] in unknown else states
            steps += states
            unknown.discard(operation.qubits[0])
    return steps


def _are_last(operations: Sequence[Operation]) -> list[bool]:
    """Return for each operation whether nothing depends on it but the outcome."""
    last: list[bool] = []
    used: set[int] = set()
    read: set[int] = set()
    for operation in reversed(operations):
        last.append(used.isdisjoint(operation.qubits) and read.isdisjoint(operation.clbits))
        if operation.name != "barrier":
            used.update(operation.qubits)
        read.update(clbits_of(operation.condition))
    return last[::-1]


def _nodes(operations: Sequence[Operation], num_qubits: int) -> float:
    """Return how many nodes the decision diagram of a state has at most: few where few gates cross each cut."""
    changes = [0] * (num_qubits + 1)
    for operation in operations:
        if len(operation.qubits) > 1 and operation.name != "barrier":
            changes[min(operation.qubits)] += 1
            changes[max(operation.qubits)] -= 1
    nodes, crossing = 0.0, 0
    for qubit in range(num_qubits):
        crossing += changes[qubit]
        nodes += 2.0 ** (crossing if crossing <= 1 else min(num_qubits - qubit - 1, _WIDEST))
    return nodes


def seconds_of(simulator: str, work: Work) -> float | None:
    """Return about how long a run takes; ``None`` where nobody knows.

    How large a decision diagram becomes is only known from above, so that a time which depends on it most says nothing.
    """
    speed = SPEEDS.get(simulator)
    if speed is None:
        return None
    parts = work._asdict()
    seconds = {name: parts[name] * each for name, each in speed.seconds._asdict().items()}
    total = math.fsum(seconds.values())
    return None if seconds["nodes"] > _MOST_OF_DIAGRAM * total else total


class Corrections:
    """By which factor runs take longer than the estimates say, simulator by simulator; it learns from each run."""

    def __init__(self) -> None:
        self._logarithms: dict[str, float] = {}
        self._lock = threading.Lock()

    def observe(self, simulator: str, estimated_s: float, seconds: float) -> None:
        """Learn from a run that was estimated, without a correction, to take so long."""
        limit = math.log(_LARGEST_FACTOR)
        ratio = math.log(max(seconds, 1e-9) / max(estimated_s, 1e-9))
        with self._lock:
            known = self._logarithms.get(simulator, 0.0)
            moved = known + _WEIGHT_OF_A_RUN * (min(max(ratio, -limit), limit) - known)
            self._logarithms[simulator] = moved

    def factors(self) -> dict[str, float]:
        """Return the factor of each simulator of which a run was observed."""
        with self._lock:
            return {simulator: math.exp(logarithm) for simulator, logarithm in self._logarithms.items()}
