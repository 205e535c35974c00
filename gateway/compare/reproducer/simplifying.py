"""Simpler versions of a circuit, each in one respect: what the search tries when no operation can be left out.

Every version is simpler by :func:`~gateway.compare.reproducer.weighing.measure_of`. Each function yields the boldest
versions first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations, permutations

from gateway.circuit import Circuit, Comparison, Condition, Operation
from gateway.circuit.conditions import bits_of
from gateway.circuit.gates import GATES, Step
from gateway.compare.reproducer.compacting import renumbered
from gateway.compare.reproducer.isolating import isolated
from gateway.compare.reproducer.weighing import SIMPLE_ANGLES, complexity, weight

MOST_PAIRS = 16
"""Pairs of operations are left out together in circuits of at most so many operations."""


# ---------------------------------------------------------------------------- fewer qubits and operations


def with_qubits_joined(circuit: Circuit) -> Iterator[Circuit]:
    """Yield the circuit with two qubits as one, for each pair that no operation acts on together."""
    together = {pair for op in circuit.operations for pair in permutations(op.qubits, 2)}
    clbits = {clbit: clbit for clbit in range(circuit.num_clbits)}
    for first, second in combinations(range(circuit.num_qubits), 2):
        if (first, second) not in together:
            qubits = {qubit: qubit - (qubit > second) for qubit in range(circuit.num_qubits)} | {second: first}
            operations = [renumbered(op, qubits, clbits) for op in circuit.operations]
            yield Circuit(circuit.num_qubits - 1, circuit.num_clbits, operations)


def without_pairs(circuit: Circuit) -> Iterator[Circuit]:
    """Yield a short circuit without two of its operations, for each pair."""
    operations = circuit.operations
    if len(operations) <= MOST_PAIRS:
        for first, second in combinations(range(len(operations)), 2):
            yield _with(circuit, [op for index, op in enumerate(operations) if index not in {first, second}])


# ---------------------------------------------------------------------------- simpler gates

_PLAIN = ("x", "h", "sx")
"""Gates of one qubit that any gate is replaced by: they invert it, and turn it about two axes."""

_INNER = {
    "cx": "x", "CX": "x", "cy": "y", "cz": "z", "ch": "h", "cs": "s", "csdg": "sdg", "csx": "sx", "cp": "p",
    "cu1": "u1", "crx": "rx", "cry": "ry", "crz": "rz", "cu3": "u3", "ccx": "cx", "ccz": "cz", "cswap": "swap",
    "c3x": "ccx", "c4x": "c3x", "c3sqrtx": "csx", "rccx": "cx", "rc3x": "rccx",
}  # fmt: skip
"""Gate -> the gate that is left of it with fewer controls."""

_FEWER_ANGLES: dict[str, tuple[tuple[str, tuple[int, ...]], ...]] = {
    "u": (("rx", (0,)), ("ry", (0,)), ("rz", (1,)), ("rz", (2,)), ("u2", (1, 2))),
    "u2": (("rz", (0,)), ("rz", (1,))),
    "cu": (("cp", (2,)), ("cu3", (0, 1, 2))),
    "cu3": (("crx", (0,)), ("cry", (0,)), ("crz", (1,)), ("cp", (2,))),
    "xx_plus_yy": (("rxx", (0,)),),
    "xx_minus_yy": (("rxx", (0,)),),
}
"""Gate -> gates with some of its angles, given by their places."""

_SAME = {"U": "u", "u3": "u", "u1": "p", "cu1": "cp", "CX": "cx", "ms": "rxx"}
"""Gate -> the simplest gate that does the same."""


def with_simpler_gates(circuit: Circuit) -> Iterator[Circuit]:
    """Yield the circuit with one gate replaced by one or two simpler ones on some of its qubits."""
    operations = circuit.operations
    for index, op in enumerate(operations):
        if op.name in GATES:
            for steps in _simpler(op):
                gates = [Operation(*step, (), op.condition) for step in steps]
                yield _with(circuit, [*operations[:index], *gates, *operations[index + 1 :]])


def _simpler(op: Operation) -> list[tuple[Step, ...]]:
    """Return what weighs less than a gate, the lightest first."""
    same = ((_SAME[op.name], op.qubits, op.params),) if op.name in _SAME else ()
    single = {(step,) for step in (*_plain(op), *_with_fewer_controls(op), *_with_fewer_angles(op), *same)}
    candidates = [(sum(weight(name) for name, _, _ in steps), steps) for steps in (*single, *_plain_pairs(op))]
    return [steps for steps_weight, steps in sorted(candidates) if steps_weight < weight(op.name)]


def _plain(op: Operation) -> Iterator[Step]:
    """Yield the plainest gates on the qubits of a gate."""
    for qubit in op.qubits:
        for name in _PLAIN:
            yield name, (qubit,), ()
    for pair in permutations(op.qubits, 2):
        yield "cx", pair, ()


def _plain_pairs(op: Operation) -> Iterator[tuple[Step, ...]]:
    """Yield two plain gates on one or two qubits of a gate."""
    for qubit in op.qubits:
        yield ("s", (qubit,), ()), ("h", (qubit,), ())
    for first, second in permutations(op.qubits, 2):
        yield ("h", (first,), ()), ("cx", (first, second), ())
        if first < second:
            for name in _PLAIN:
                yield (name, (first,), ()), (name, (second,), ())


def _with_fewer_controls(op: Operation) -> Iterator[Step]:
    """Yield the gate without some of its controls, which are listed before its other qubits."""
    if op.name in _INNER:
        inner = GATES[_INNER[op.name]]
        controls, targets = (op.qubits[:1], op.qubits[1:]) if op.name == "cswap" else (op.qubits[:-1], op.qubits[-1:])
        for kept in combinations(controls, inner.num_qubits - len(targets)):
            yield inner.name, (*kept, *targets), op.params


def _with_fewer_angles(op: Operation) -> Iterator[Step]:
    """Yield gates with some of a gate's angles."""
    for simpler, places in _FEWER_ANGLES.get(_SAME.get(op.name, op.name), ()):
        yield simpler, op.qubits, tuple([op.params[place] for place in places])


# ---------------------------------------------------------------------------- simpler angles


def with_simpler_angles(circuit: Circuit) -> Iterator[Circuit]:
    """Yield the circuit with one angle replaced by a simpler one."""
    for index, op in enumerate(circuit.operations):
        for place, angle in enumerate(op.params):
            candidates = [*SIMPLE_ANGLES, *[round(angle, digits) for digits in range(4)]]
            for simpler in candidates:
                if complexity(simpler) < complexity(angle):
                    params = (*op.params[:place], simpler, *op.params[place + 1 :])
                    yield _replaced(circuit, index, Operation(op.name, op.qubits, params, (), op.condition))


# ---------------------------------------------------------------------------- simpler conditions


def with_simpler_conditions(circuit: Circuit) -> Iterator[Circuit]:
    """Yield the circuit with one condition dropped or shortened."""
    for index, op in enumerate(circuit.operations):
        for condition in _shorter(op.condition):
            yield _replaced(circuit, index, Operation(op.name, op.qubits, op.params, op.clbits, condition))


def _shorter(condition: Condition) -> Iterator[Condition]:
    """Yield conditions that compare fewer clbits, and the same condition with ``==`` for ``!=``."""
    if condition:
        yield ()
    for place, comparison in enumerate(condition):
        before, after = condition[:place], condition[place + 1 :]
        if before or after:
            yield (*before, *after)
        for bit in bits_of(comparison):
            rest = [other for other in bits_of(comparison) if other != bit]
            if rest:
                clbits, values = zip(*rest, strict=True)
                value = sum(value << k for k, value in enumerate(values))
                yield (*before, Comparison(clbits, value, comparison.equal), *after)
        if not comparison.equal:
            yield (*before, Comparison(comparison.clbits, comparison.value), *after)


# ---------------------------------------------------------------------------- together

SIMPLIFICATIONS: tuple[Callable[[Circuit], Iterator[Circuit]], ...] = (
    isolated,
    without_pairs,
    with_simpler_gates,
    with_simpler_conditions,
    with_simpler_angles,
    with_qubits_joined,
)
"""All kinds of simpler versions, in the order in which they are tried."""


def _with(circuit: Circuit, operations: list[Operation]) -> Circuit:
    return circuit.with_operations(operations)


def _replaced(circuit: Circuit, index: int, op: Operation) -> Circuit:
    return _with(circuit, [*circuit.operations[:index], op, *circuit.operations[index + 1 :]])
