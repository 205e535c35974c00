"""The circuits of :func:`gateway.compare.verify`: bit order, every gate, operand orders, dynamic circuits.

A row of the battery has circuits that show one thing. They are made for what a simulator declares, which is its
:class:`~gateway.compare.hunting.scope.Scope`, so that a simulator of Clifford gates is held to its own gates.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import permutations
from random import Random
from typing import NamedTuple

from gateway.circuit import Circuit, Comparison, Operation
from gateway.circuit.gates import GATES
from gateway.compare.hunting.generator import random_circuit
from gateway.compare.hunting.scope import Scope

Circuits = Callable[[Scope], Iterable[Circuit]]
"""A function from what a simulator takes to the circuits of a row; no circuits if it takes none of them."""


class Row(NamedTuple):
    """A row of the battery.

    Args:
        group: the part of the battery.
        name: what the circuits show.
        circuits: the circuits for a scope.
        sampled: whether counts are judged even where exact probabilities are.
    """

    group: str
    name: str
    circuits: Circuits
    sampled: bool = True


def _same(*circuits: Circuit) -> Circuits:
    return lambda _: list(circuits)


# ---------------------------------------------------------------------------- bit order


def _ones(width: int, ones: Sequence[int]) -> Circuit:
    circuit = Circuit(width)
    for qubit in ones:
        circuit.x(qubit)
    return circuit.measure_all()


def _permuted(width: int, seed: int) -> Circuit:
    random = Random(seed)
    circuit = Circuit(width, width)
    for qubit in random.sample(range(width), width // 2):
        circuit.x(qubit)
    for qubit, clbit in zip(random.sample(range(width), width), random.sample(range(width), width), strict=True):
        circuit.measure(qubit, clbit)
    return circuit


def _many_clbits(width: int) -> Circuit:
    circuit = Circuit(2, width).x(0)
    for clbit in range(width):
        circuit.measure(0 if clbit in {0, 31, 32, 63, 64, width - 1} else 1, clbit)
    return circuit


_BIT_ORDER: dict[str, Circuits] = {
    "clbit 0 is the rightmost character": _same(Circuit(3).x(0).measure_all()),
    "every clbit shows its qubit": lambda _: [
        _ones(width, Random(width).sample(range(width), (width + 1) // 2)) for width in (1, 2, 7, 8, 9, 10, 11, 12)
    ],
    "measurements permute qubits": lambda _: [_permuted(width, width) for width in (3, 4, 5, 11)],
    "the order of measurements does not matter": _same(Circuit(3, 3).x(1).measure(2, 2).measure(0, 0).measure(1, 1)),
    "idle qubits change nothing": _same(
        Circuit(9, 2).x(7).measure(7, 0).measure(3, 1), Circuit(5, 2).x(0).measure(4, 0).measure(0, 1)
    ),
    "unmeasured qubits change nothing": _same(Circuit(4, 1).x(0).x(1).cx(1, 2).measure(3, 0)),
    "unmeasured clbits are 0": _same(Circuit(2, 6).x(1).measure(1, 3), Circuit(2, 12).x(0).measure(0, 10)),
    "qubits without gates are 0": _same(Circuit(3).measure_all()),
    "a later measurement overwrites a clbit": _same(
        Circuit(2, 1).x(0).measure(0, 0).measure(1, 0), Circuit(2, 1).x(1).measure(0, 0).measure(1, 0)
    ),
    "barriers change nothing": _same(
        Circuit(3, 3).x(0).barrier().cx(0, 2).barrier(0, 1).measure(0, 0).barrier().measure(2, 2)
    ),
    "more than 64 clbits": lambda _: [_many_clbits(width) for width in (65, 70, 130)],
    "a register of 40 qubits, mostly idle": _same(
        Circuit(40, 40).x(39).cx(39, 0).measure(39, 39).measure(0, 1).measure(20, 20)
    ),
}

# ---------------------------------------------------------------------------- gates


def _gate_circuits(name: str, scope: Scope) -> Iterator[Circuit]:
    """Yield circuits whose distributions depend on every entry of a gate's matrix, up to its phase."""
    random = Random(name)
    size = GATES[name].num_qubits
    for params in angles(name, scope, random):
        for _ in range(3):
            circuit = Circuit(max(size, 1))
            turn(circuit, scope, random)
            circuit.gate(name, random.sample(range(size), size), params)
            turn(circuit, scope, random)
            yield circuit.measure_all()


def _operand_circuits(name: str, scope: Scope) -> Iterator[Circuit]:
    """Yield circuits with a gate on every order of its qubits, with turns of all qubits between."""
    random = Random(name)
    if name not in scope.fitting(GATES[name].num_qubits):
        return
    size = GATES[name].num_qubits
    orders = list(permutations(range(max(size, 3)), size))
    for start in range(0, min(len(orders), 24), 6):
        circuit = Circuit(max(size, 3))
        turn(circuit, scope, random)
        for qubits in orders[start : start + 6] if len(orders) <= 24 else random.sample(orders, 6):  # noqa: PLR2004
            circuit.gate(name, qubits, angles(name, scope, random)[0])
            turn(circuit, scope, random)
        yield circuit.measure_all()


def angles(name: str, scope: Scope, random: Random) -> list[Sequence[float]]:
    """Return ordinary, large and special angles at which a gate is taken; none if it is not."""
    count = GATES[name].num_params
    if name in scope.quarter_gates:
        return [scope.quarter_angles(name, random) for _ in range(4)]
    if name not in scope.gates:
        return []
    if not count:
        return [()]
    special = [random.choice((0.0, math.pi, -math.pi / 2, 2 * math.pi)) for _ in range(count)]
    large = [random.choice((-1, 1)) * random.uniform(2 * math.pi, 4 * math.pi) for _ in range(count)]
    return [[random.uniform(0.3, 1.2) for _ in range(count)], large, special]


def turn(circuit: Circuit, scope: Scope, random: Random) -> None:
    """Turn each qubit on its own, by any angles if the simulator takes them."""
    names = [name for name in scope.fitting(1) if GATES[name].num_qubits]
    for qubit in range(circuit.num_qubits):
        if "u" in scope.gates:
            circuit.gate("u", [qubit], [random.uniform(0.4, 2.7) for _ in range(3)])
        elif names:
            for name in random.choices(names, k=4):
                circuit.gate(name, [qubit], angles(name, scope, random)[0])


# ---------------------------------------------------------------------------- dynamic circuits

_MID_CIRCUIT = {
    "a measured qubit is used again":
        Circuit(2, 2).ry(0.8, 0).measure(0, 0).ry(1.1, 0).cx(0, 1).measure(0, 1),
    "a measured qubit is a control":
        Circuit(2, 2).ry(0.8, 0).measure(0, 0).cx(0, 1).measure(1, 1),
    "a qubit is measured twice":
        Circuit(1, 2).ry(1.0, 0).measure(0, 0).measure(0, 1),
    "a qubit is flipped between two measurements":
        Circuit(1, 2).ry(1.0, 0).measure(0, 0).x(0).measure(0, 1),
    "one qubit shows in two clbits":
        Circuit(2, 3).x(1).measure(1, 0).measure(1, 2).measure(0, 1),
    "a clbit is overwritten by a measured qubit":
        Circuit(2, 1).ry(1.0, 0).ry(2.0, 1).measure(0, 0).measure(1, 0).h(0),
    "a measurement ends a superposition":
        Circuit(1, 2).h(0).measure(0, 0).h(0).measure(0, 1),
}  # fmt: skip
_RESET = {
    "a reset qubit is 0":
        Circuit(2, 2).ry(2.1, 0).cx(0, 1).reset(0).measure(0, 0).measure(1, 1),
    "a reset leaves the other qubits":
        Circuit(3, 3).ry(2.1, 0).cx(0, 1).cx(1, 2).reset(1).measure(0, 0).measure(1, 1).measure(2, 2),
    "a reset qubit is used again":
        Circuit(1, 1).ry(2.1, 0).reset(0).ry(0.5, 0).measure(0, 0),
    "a reset after a measurement leaves the clbit":
        Circuit(1, 2).ry(2.1, 0).measure(0, 0).reset(0).measure(0, 1),
}  # fmt: skip
_CONDITIONS = {
    "a gate if a clbit is 1":
        Circuit(2, 2).ry(1.1, 0).measure(0, 0).x(1, when={0: 1}).measure(1, 1),
    "a gate if a clbit is 0":
        Circuit(2, 2).ry(1.1, 0).measure(0, 0).x(1, when={0: 0}).measure(1, 1),
    "a gate if a clbit is not 1":
        Circuit(2, 2).ry(1.1, 0).measure(0, 0).x(1, when=Comparison((0,), 1, equal=False)).measure(1, 1),
    "a gate if several clbits equal a number":
        Circuit(4, 4).ry(1.1, 0).ry(2.0, 1).ry(1.7, 2).measure(0, 0).measure(1, 1).measure(2, 2)
        .x(3, when=Comparison((0, 1, 2), 3)).measure(3, 3),
    "a gate if clbits in another order equal a number":
        Circuit(4, 4).ry(1.1, 0).ry(2.0, 1).ry(1.7, 2).measure(0, 0).measure(1, 1).measure(2, 2)
        .x(3, when=Comparison((2, 0, 1), 3)).measure(3, 3),
    "a gate if several clbits do not equal a number":
        Circuit(3, 3).ry(1.1, 0).ry(0.7, 1).measure(0, 0).measure(1, 1)
        .x(2, when=Comparison((0, 1), 2, equal=False)).measure(2, 2),
    "nested conditions":
        Circuit(4, 4).ry(1.1, 0).ry(2.0, 1).ry(1.7, 2).measure(0, 0).measure(1, 1).measure(2, 2)
        .x(3, when=(Comparison((0,), 1), Comparison((1, 2), 3, equal=False), Comparison((2,), 1))).measure(3, 3),
    "conditions that exclude each other":
        Circuit(2, 2).h(0).measure(0, 0).x(1, when=(Comparison((0,), 1), Comparison((0,), 0))).measure(1, 1),
    "an inequality and an equality of the same clbits":
        Circuit(3, 3).ry(1.1, 0).ry(2.0, 1).measure(0, 0).measure(1, 1)
        .x(2, when=(Comparison((0, 1), 3, equal=False), Comparison((1,), 1))).measure(2, 2),
    "a clbit that is not written yet is 0":
        Circuit(3, 4).h(0).measure(0, 0).x(1, when={3: 0}).x(2, when={3: 1}).measure(1, 1).measure(2, 2),
    "a condition sees the last value of a clbit":
        Circuit(3, 2).ry(0.6, 0).ry(2.2, 1).measure(0, 0).measure(1, 0).x(2, when={0: 1}).measure(2, 1),
    "a clbit is overwritten after its condition":
        Circuit(3, 2).ry(0.6, 0).measure(0, 0).x(1, when={0: 1}).measure(2, 0).measure(1, 1),
    "a conditional measurement":
        Circuit(2, 2).ry(1.1, 0).h(1).measure(0, 0).measure(1, 1, when={0: 1}),
    "a conditional measurement over an earlier one":
        Circuit(3, 2).ry(1.1, 0).ry(2.0, 1).measure(0, 0).measure(1, 1).measure(2, 1, when={0: 1}),
    "a condition on a conditional measurement":
        Circuit(3, 3).ry(1.1, 0).ry(2.0, 1).measure(0, 0).measure(1, 1, when={0: 1}).x(2, when={1: 1}).measure(2, 2),
    "a conditional reset":
        Circuit(2, 3).h(0).x(1).measure(0, 0).reset(1, when={0: 1}).measure(1, 1),
    "a conditional gate on several qubits":
        Circuit(4, 4).h(0).x(1).measure(0, 0).cx(1, 2, when={0: 1}).swap(2, 3, when={0: 1})
        .measure(1, 1).measure(2, 2).measure(3, 3),
    "a conditional phase":
        Circuit(2, 2).h(0).h(1).measure(0, 0).s(1, when={0: 1}).s(1, when={0: 1}).h(1).measure(1, 1),
    "a conditional global phase changes nothing":
        Circuit(1, 2).h(0).measure(0, 0).gphase(0.4, when={0: 1}).h(0).measure(0, 1),
    "teleportation":
        Circuit(3, 3).ry(1.1, 0).s(0).h(1).cx(1, 2).cx(0, 1).h(0).measure(0, 0).measure(1, 1)
        .x(2, when={1: 1}).z(2, when={0: 1}).measure(2, 2),
    "a comparison of 66 clbits":
        Circuit(2, 70).ry(1.0, 0).measure(0, 66).x(1, when=Comparison(tuple(range(1, 67)), 1 << 65)).measure(1, 3),
    "idle qubits between":
        Circuit(9, 3).h(2).measure(2, 0).x(7, when={0: 1}).measure(7, 2),
}  # fmt: skip


def in_scope(circuit: Circuit, scope: Scope) -> Circuit:
    """Return a circuit in which ``ry``, which makes outcomes random, is ``h`` or at least ``x`` if it is not taken."""
    if "ry" in scope.gates:
        return circuit
    name = "h" if "h" in scope.gates else "x"
    operations = [
        Operation(name, operation.qubits, (), (), operation.condition) if operation.name == "ry" else operation
        for operation in circuit.operations
    ]
    return circuit.with_operations(operations)


# ---------------------------------------------------------------------------- random circuits


def _random(*profiles: str) -> Circuits:
    """Return what gives four random circuits of each profile."""
    return lambda scope: [random_circuit(seed, scope, profile)[1] for profile in profiles for seed in range(4)]


_RANDOM: dict[str, Circuits] = {
    "random circuits": _random("static", "deep", "operand-orders"),
    "random circuits with extreme angles": _random("extreme-angles", "repeated-gates"),
    "random circuits with measurements and resets between": _random("dynamic"),
    "random circuits with conditions": _random("conditions", "nested-conditions", "many-clbits"),
}

# ---------------------------------------------------------------------------- the rows


def rows() -> Iterator[Row]:
    """Yield the rows whose circuits have an exact distribution that results are held to."""
    for name, circuits in _BIT_ORDER.items():
        yield Row("bit order", name, circuits)
    for name, gate in GATES.items():
        yield Row("gates", name, partial(_gate_circuits, name), sampled=False)
        if gate.num_qubits > 1:
            yield Row("operand orders", name, partial(_operand_circuits, name), sampled=False)
    for group, table in (("measurements", _MID_CIRCUIT), ("resets", _RESET), ("conditions", _CONDITIONS)):
        for name, circuit in table.items():
            yield Row(group, name, partial(_one, circuit))
    for name, circuits in _RANDOM.items():
        yield Row("random circuits", name, circuits, sampled=False)


def _one(circuit: Circuit, scope: Scope) -> list[Circuit]:
    return [in_scope(circuit, scope)]
