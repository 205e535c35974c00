"""What a circuit asks of the simulator that runs it, found in one pass.

:mod:`gateway.enforcement` compares this with what a simulator can do, and refuses the circuit or not.
"""

from __future__ import annotations

from itertools import chain

import msgspec

from gateway.circuit.circuit import Circuit
from gateway.circuit.expressions import Expression
from gateway.circuit.gates import GATES
from gateway.circuit.operations import NON_GATES, Operation
from gateway.results import Precision

MOST_GATES_IN_SINGLE_PRECISION = 100_000
"""A circuit with more gates than this needs double precision.

A gate rounds each amplitude by at most ``2**-24`` of itself, up or down by chance, so the errors of n gates add up
like a random walk, to about ``sqrt(n) * 2**-24``: 2e-5 for this many, which ten million shots do not show.
"""


class Needs(msgspec.Struct, frozen=True, gc=False):
    """What one circuit asks for; an index names the first operation that asks, ``None`` means that none does.

    Args:
        operations: the operations of the circuit, for checks that look at the angles of its gates.
        gates: name of each gate -> index of the first operation of that name.
        measurement: something is measured.
        repeated_measurement: a qubit is measured again, and nothing happened to it in between.
        mid_circuit_measurement: a gate or a reset acts on a qubit that was measured.
        reset: a qubit is reset.
        classical_control: an operation depends on clbits.
        assignment: a classical value is written to clbits.
        loop: operations are repeated depending on clbits.
        unbound: an angle depends on a parameter that has no value.
        qubits: the number of qubits that a gate, measurement or reset acts on.
        num_qubits: the number of all qubits, including idle ones.
        parameters: a gate has an angle.
        precision: the lowest precision at which rounding errors do not show.
    """

    operations: list[Operation]
    gates: dict[str, int]
    measurement: int | None
    repeated_measurement: int | None
    mid_circuit_measurement: int | None
    reset: int | None
    classical_control: int | None
    assignment: int | None
    loop: int | None
    unbound: int | None
    qubits: int
    num_qubits: int
    parameters: int | None
    precision: Precision

    @property
    def dynamic(self) -> int | None:
        """The index of the first operation that makes the circuit more than gates followed by measurements."""
        indices = (self.mid_circuit_measurement, self.reset, self.classical_control, self.assignment, self.loop)
        return min((index for index in indices if index is not None), default=None)


def needs(circuit: Circuit) -> Needs:
    """Return the needs of a valid circuit, in one pass (about 0.2 us an operation)."""
    operations = circuit.operations
    names = [op.name for op in operations]
    first = dict(zip(reversed(names), range(len(names) - 1, -1, -1), strict=True))
    measurement, reset = first.pop("measure", None), first.pop("reset", None)
    assignment, loop = first.pop("set", None), first.pop("while", None)
    first.pop("end", None)
    acting = operations if first.pop("barrier", None) is None else [op for op in operations if op.name != "barrier"]
    conditions = [op.condition for op in operations]
    again, reuse = (None, None) if measurement is None else _after_measurements(operations, measurement)
    if loop is not None:  # a measurement in a loop may be followed by what stands before it
        again = again if again is not None else measurement
        reuse = reuse if reuse is not None else measurement
    return Needs(
        operations,
        first,
        measurement,
        again,
        reuse,
        reset,
        next(index for index, condition in enumerate(conditions) if condition) if any(conditions) else None,
        assignment,
        loop,
        _first_unbound(operations),
        len(set().union(*[op.qubits for op in acting])),
        circuit.num_qubits,
        min([index for name, index in first.items() if GATES[name].params], default=None),
        Precision.SINGLE if len(operations) <= MOST_GATES_IN_SINGLE_PRECISION else Precision.DOUBLE,
    )


def _first_unbound(operations: list[Operation]) -> int | None:
    if Expression not in set(map(type, chain.from_iterable([op.params for op in operations]))):
        return None
    unbound = (i for i, op in enumerate(operations) if op.name not in NON_GATES and Expression in map(type, op.params))
    return next(unbound, None)


def _after_measurements(operations: list[Operation], start: int) -> tuple[int | None, int | None]:
    """Return the first operation that measures a measured qubit again, and the first that does something else to one.

    Args:
        operations: of the circuit.
        start: index of the first measurement.
    """
    again = None
    measured_qubits: set[int] = set()
    for index in range(start, len(operations)):
        op = operations[index]
        if op.name == "measure":
            if op.qubits[0] in measured_qubits and again is None:
                again = index
            measured_qubits.add(op.qubits[0])
        elif not measured_qubits.isdisjoint(op.qubits) and op.name != "barrier":
            return again, index
    return again, None
