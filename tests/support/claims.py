"""Decides what a simulator may be asked, by its capabilities alone and without the code under test."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

import numpy as np

from gateway.circuit import Circuit
from gateway.circuit.gates import GATES
from gateway.circuit.operations import NON_GATES, Operation
from gateway.errors import GatewayError, LimitError, UnsupportedError
from gateway.results import Capabilities, ResultType

PAULIS = [np.eye(2), np.array([[0, 1], [1, 0]]), np.array([[0, -1j], [1j, 0]]), np.diag([1, -1])]
CLOSE = 1e-12


class Lacking(NamedTuple):
    """Something that a run needs and a simulator does not declare, with the fields that the refusal must have."""

    feature: str
    operation: int | None = None
    gate: str | None = None
    error: type[GatewayError] = UnsupportedError

    def assert_said_by(self, error: GatewayError, simulator: str) -> None:
        """Check class and fields of a refusal."""
        assert type(error) is self.error
        assert error.simulator == simulator
        assert simulator not in error.supported_by
        if self.error is UnsupportedError:
            assert (error.feature, error.operation, error.gate) == (self.feature, self.operation, self.gate)
            assert self.operation is None or f"operation {self.operation}" in error.message


def lacking(circuit: Circuit, kind: ResultType, able: Capabilities) -> list[Lacking]:
    """Return everything that a run of the circuit needs and the capabilities do not have."""
    lacks = [] if kind in able.result_types else [Lacking(str(kind))]
    width = circuit.num_qubits if kind.result_class.with_idle_qubits else len(_acted_on(circuit))
    if able.max_qubits is not None and width > able.max_qubits:
        lacks.append(Lacking("qubits", error=LimitError))
    measured: set[int] = set()
    for index, op in enumerate(circuit.operations):
        for feature, needs_it, has_it in (
            ("classical control", bool(op.condition), able.classical_control),
            ("assignment to clbits", op.name == "set", able.assignment),
            ("loop over measurements", op.name == "while", able.loops),
            ("reset", op.name == "reset", able.reset),
            ("mid-circuit measurement", bool(measured & set(op.qubits)), able.mid_circuit_measurement),
            (f"gate {op.name}", op.name not in NON_GATES, within(op, able)),
        ):
            if needs_it and not has_it and op.name != "barrier":
                lacks.append(Lacking(feature, index, op.name))
        measured |= set(op.qubits) if op.name == "measure" else set()
    return lacks


def _acted_on(circuit: Circuit) -> set[int]:
    return {qubit for op in circuit.operations if op.name != "barrier" for qubit in op.qubits}


def within(op: Operation, able: Capabilities) -> bool:
    """Say whether an operation is no gate, or a gate that can be lowered to the declared ones."""
    if able.gates == "universal" or op.name in NON_GATES or op.name in able.gates:
        return True
    if {"h", "s", "cx"} <= set(able.gates) and is_clifford(np.array(GATES[op.name].unitary(*op.params))):
        return True
    definition = GATES[op.name].definition
    return definition is not None and all(
        within(Operation(name, places, params), able) for name, places, params in definition(*op.params)
    )


def is_clifford(matrix: np.ndarray) -> bool:
    """Say whether a matrix of one or two qubits turns every product of Paulis into one, up to sign."""
    if len(matrix) not in {2, 4}:
        return False
    operators = PAULIS if len(matrix) == 2 else [np.kron(a, b) for a, b in product(PAULIS, repeat=2)]
    images = [matrix @ operator @ matrix.conj().T for operator in operators]
    return all(any(np.abs(m - s * p).max() <= 2 * CLOSE for p in operators for s in (1, -1)) for m in images)


def fit(circuit: Circuit, able: Capabilities) -> Circuit:
    """Return a circuit of the same shape whose gates are all declared; each other gate always has the same substitute.

    Gates that make superpositions replace gates with angles, so that random outcomes stay random.
    """
    if able.gates == "universal":
        return circuit
    operations = [_substitute(op, index, able.gates) for index, op in enumerate(circuit.operations)]
    return circuit.with_operations(operations)


def _substitute(op: Operation, index: int, gates: tuple[str, ...]) -> Operation:
    if op.name in NON_GATES or op.name in gates:
        return op
    fixed = [name for name in gates if not GATES[name].params]
    size = max(GATES[name].num_qubits for name in fixed if GATES[name].num_qubits <= len(op.qubits))
    pool = [name for name in fixed if GATES[name].num_qubits == size]
    if op.params and size == 1:
        pool = [name for name in pool if np.abs(GATES[name].unitary()).max() < 1] or pool
    return Operation(pool[(index + len(op.name)) % len(pool)], op.qubits[:size], (), (), op.condition)
