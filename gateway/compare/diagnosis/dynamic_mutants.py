"""Mutants in which measurements, resets, conditions or idle qubits are treated wrong.

Where an outcome gets lost, the mutant measures into a clbit beyond those of the circuit; where it reads a qubit that is
not there, it measures a qubit beyond those of the circuit, which stays 0.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from gateway.circuit import Circuit, Comparison, Condition, Operation
from gateway.circuit.conditions import clbits_of
from gateway.compare.diagnosis.gate_mutants import Mutant, Rewrite

MOST_IDLE_QUBITS = 8
"""Of more idle qubits, none is tried alone."""


def dynamic_mutants(circuit: Circuit) -> Iterator[Mutant]:
    """Yield the mutants of everything that is no gate, also some that equal the circuit."""
    yield from _of_tested_clbits(circuit)
    yield _mutant("first-write-kept", "the first measurement into each clbit kept", circuit, _first_writes(circuit))
    yield from _idle_qubits(circuit)
    yield from _conditions(circuit)
    yield from _resets(circuit)
    yield from _measurements(circuit)


def clbits_of_conditions(circuit: Circuit) -> frozenset[int]:
    """Return the clbits that conditions test."""
    return clbits_of(*(op.condition for op in circuit.operations if op.condition))


def _mutant(name: str, detail: str, circuit: Circuit, operations: Iterable[Operation]) -> Mutant:
    """Return the circuit with other operations; it has as many qubits and clbits as they need."""
    changed = list(operations)
    num_qubits = max([circuit.num_qubits, *(1 + qubit for op in changed for qubit in op.qubits)])
    num_clbits = max([circuit.num_clbits, *(1 + clbit for op in changed for clbit in op.clbits)])
    return Mutant(name, detail, Circuit(num_qubits, num_clbits, changed))


def _rewritten(circuit: Circuit, name: str, rewrite: Rewrite) -> list[Operation]:
    return [part for op in circuit.operations for part in (rewrite(op) if op.name == name else [op])]


# ---------------------------------------------------------------------------- clbits


def _of_tested_clbits(circuit: Circuit) -> Iterator[Mutant]:
    """Yield the mutants of clbits that conditions test; what happens to other clbits shows in the outcome alone."""
    for clbit in sorted(clbits_of_conditions(circuit)):
        yield _mutant("clbit-unwritten", f"clbit {clbit} never written", circuit, _unwritten(circuit, clbit))
        yield _mutant("clbit-inverted", f"clbit {clbit} inverted", circuit, _inverted(circuit, clbit))
        yield _mutant("clbit-stuck", f"clbit {clbit} always 1", circuit, _stuck_at_1(circuit, clbit))


def _unwritten(circuit: Circuit, clbit: int) -> list[Operation]:
    return _rewritten(circuit, "measure", lambda op: [_lost(op, circuit) if clbit in op.clbits else op])


def _lost(op: Operation, circuit: Circuit) -> Operation:
    """Return a measurement whose outcome nobody sees."""
    return Operation("measure", op.qubits, (), (circuit.num_clbits,), op.condition)


def _inverted(circuit: Circuit, clbit: int) -> list[Operation]:
    def rewrite(op: Operation) -> list[Operation]:
        flip = Operation("x", op.qubits, (), (), op.condition)
        return [flip, op, flip] if clbit in op.clbits else [op]

    return _rewritten(circuit, "measure", rewrite)


def _stuck_at_1(circuit: Circuit, clbit: int) -> list[Operation]:
    one = circuit.num_qubits
    return [Operation("x", (one,)), Operation("measure", (one,), (), (clbit,)), *_unwritten(circuit, clbit)]


def _first_writes(circuit: Circuit) -> Iterator[Operation]:
    written: set[int] = set()
    for op in circuit.operations:
        yield _lost(op, circuit) if op.name == "measure" and op.clbits[0] in written else op
        written.update(op.clbits)


# ---------------------------------------------------------------------------- idle qubits


def _idle_qubits(circuit: Circuit) -> Iterator[Mutant]:
    """Yield mutants that read the qubits where they are once idle ones were left out, from the first or the last on."""
    for idle in _sets_of_idle_qubits(circuit):
        active = [qubit for qubit in range(circuit.num_qubits) if qubit not in idle]
        words = f"idle qubit{'s' if len(idle) > 1 else ''} {', '.join(map(str, sorted(idle)))} left out and "
        lower = [*active, *[circuit.num_qubits] * len(idle)]
        higher = [*[circuit.num_qubits] * len(idle), *active]
        yield _mutant("idle-qubit-dropped", f"{words}the qubits above moved down", circuit, _reading(circuit, lower))
        yield _mutant("idle-qubit-dropped", f"{words}the qubits below moved up", circuit, _reading(circuit, higher))


def _sets_of_idle_qubits(circuit: Circuit) -> list[frozenset[int]]:
    """Return sets of qubits that may be left out: those without a gate, those without anything, and each alone."""
    acting = [op for op in circuit.operations if op.name != "barrier"]
    everything = frozenset(range(circuit.num_qubits))
    unused = everything.difference(*(op.qubits for op in acting))
    idle = everything.difference(*(op.qubits for op in acting if op.name != "measure"))
    alone = [frozenset({qubit}) for qubit in sorted(idle)] if len(idle) <= MOST_IDLE_QUBITS else []
    return list(dict.fromkeys(qubits for qubits in (idle, unused, *alone) if qubits))


def _reading(circuit: Circuit, sources: Sequence[int]) -> list[Operation]:
    return _rewritten(
        circuit, "measure", lambda op: [Operation("measure", (sources[op.qubits[0]],), (), op.clbits, op.condition)]
    )


# ---------------------------------------------------------------------------- conditions

_Reading = Callable[[Condition], list[Condition]]
"""What a condition is taken for: disjoint conditions under one of which the operation happens."""


def _conditions(circuit: Circuit) -> Iterator[Mutant]:
    for name, words, reading in _READINGS:
        detail = f"the circuit with {words}"
        yield _mutant(name, detail, circuit, _with_conditions(circuit.operations, reading))
    other = [op if op.name not in {"measure", "reset"} else _unconditional(op) for op in circuit.operations]
    yield _mutant(
        "condition-ignored", "the circuit with the conditions of measurements and resets ignored", circuit, other
    )


def _with_conditions(operations: Sequence[Operation], reading: _Reading) -> list[Operation]:
    return [
        Operation(op.name, op.qubits, op.params, op.clbits, condition)
        for op in operations
        for condition in (reading(op.condition) if op.condition else [()])
    ]


def _unconditional(op: Operation) -> Operation:
    return Operation(op.name, op.qubits, op.params, op.clbits)


def _not(comparison: Comparison) -> Comparison:
    return Comparison(comparison.clbits, comparison.value, not comparison.equal)


def _opposite(condition: Condition) -> list[Condition]:
    """Return when a condition does not hold: for each comparison, the earlier ones hold and this one does not."""
    return [(*condition[:place], _not(comparison)) for place, comparison in enumerate(condition)]


def _reversed(comparison: Comparison) -> Comparison:
    return Comparison(comparison.clbits[::-1], comparison.value, comparison.equal)


_READINGS: tuple[tuple[str, str, _Reading], ...] = (
    ("condition-ignored", "every condition ignored", lambda _: [()]),
    ("condition-ignored", "only the first comparison of every condition heeded", lambda condition: [condition[:1]]),
    ("condition-ignored", "only the last comparison of every condition heeded", lambda condition: [condition[-1:]]),
    ("condition-inverted", "every condition inverted", _opposite),
    ("condition-inverted", "every comparison inverted", lambda condition: [tuple(map(_not, condition))]),
    (
        "condition-inverted",
        "every != taken for ==",
        lambda condition: [tuple(part if part.equal else _not(part) for part in condition)],
    ),
    (
        "condition-reversed",
        "the clbits of every condition read in the other order",
        lambda condition: [tuple(map(_reversed, condition))],
    ),
)

# ---------------------------------------------------------------------------- resets, late measurements


def _resets(circuit: Circuit) -> Iterator[Mutant]:
    yield _mutant(
        "reset-ignored", "the circuit with every reset left out", circuit, _rewritten(circuit, "reset", _nothing)
    )
    detail = "the circuit with every reset measuring its qubit and leaving it as it is"
    yield _mutant("reset-ignored", detail, circuit, _rewritten(circuit, "reset", lambda op: [_lost(op, circuit)]))


def _nothing(_: Operation) -> list[Operation]:
    return []


def _measurements(circuit: Circuit) -> Iterator[Mutant]:
    operations = circuit.operations
    plain = [op for op in operations if op.name == "measure" and not op.condition]
    late = [op for op in operations if op.name != "measure" or op.condition] + plain
    if late != operations:
        yield _mutant("measurement-postponed", "the circuit with every measurement put off to the end", circuit, late)
        everything = sorted(operations, key=lambda op: op.name == "measure")
        detail = "the circuit with every measurement, conditional or not, put off to the end"
        yield _mutant("measurement-postponed", detail, circuit, everything)
        detail = "the circuit with every clbit read from its qubit at the end"
        yield _mutant("measurement-postponed", detail, circuit, operations + plain)
