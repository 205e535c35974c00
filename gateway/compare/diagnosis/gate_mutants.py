"""Mutants in which every gate of one name is done wrong."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from typing import NamedTuple

from gateway.circuit import Circuit, Operation
from gateway.circuit.gates import GATES, PI
from gateway.circuit.modifiers import control, inverse

WITHOUT_EFFECT = frozenset({"id", "u0", "gphase"})
"""Gates that change no outcome."""

Rewrite = Callable[[Operation], list[Operation]]
"""What is done in place of one operation."""


class Mutant(NamedTuple):
    """A circuit that may have been run in place of another.

    Args:
        name: the name of the cause.
        detail: the end of the sentence "its counts fit ...".
        circuit: what would have been run.
    """

    name: str
    detail: str
    circuit: Circuit


class Change(NamedTuple):
    """What is wrong with a gate.

    Args:
        kind: the name of the cause without the gate.
        detail: the end of the sentence "its counts fit the circuit with ...".
        rewrite: what is done in place of the gate.
    """

    kind: str
    detail: str
    rewrite: Rewrite


def gate_mutants(circuit: Circuit) -> Iterator[Mutant]:
    """Yield the mutants of each gate of a circuit."""
    names = dict.fromkeys(op.name for op in circuit.operations if op.name in GATES)
    for name in names:
        if name not in WITHOUT_EFFECT:
            for change in _changes(name):
                operations = [
                    part for op in circuit.operations for part in (change.rewrite(op) if op.name == name else [op])
                ]
                mutant = circuit.with_operations(operations)
                yield Mutant(f"{change.kind}:{name}", f"the circuit with {change.detail}", mutant)


def _changes(name: str) -> Iterator[Change]:
    yield Change("gate-dropped", f"every {name} left out", lambda _: [])
    number = GATES[name].num_params
    for reading in _MISREADINGS:
        for places in reading.places(number):
            yield Change(reading.kind, reading.detail(name, places, number), _misread(reading.angle, places))
    for first, second in combinations(range(number), 2):
        detail = f"the {_ORDINALS[first]} and the {_ORDINALS[second]} angle of every {name} exchanged"
        yield Change("angles-exchanged", detail, _with_angles_exchanged(first, second))
    if number != 1:
        yield Change("inverse-taken", f"every {name} replaced by its inverse", _inverse)
    for order in _orders(GATES[name].num_qubits):
        yield Change("operands-exchanged", f"{_exchange(order)} of every {name} exchanged", _reordered(order))
    yield Change("operands-exchanged", f"the qubits of every {name} in ascending order", _ascending)
    if name in _CONTROLLED:
        yield Change("phase-lost", f"every {name} without its phase{_instead(name)}", _without_phase)
    if name in _PHASE_FREE:
        gate, angles, words = _PHASE_FREE[name]
        yield Change("phase-lost", f"every {name} {words}", _replaced(gate, angles))


# ---------------------------------------------------------------------------- angles


class _Misreading(NamedTuple):
    """How an angle is misread.

    Args:
        kind: the name of the cause without the gate.
        angle: radians as they are meant -> radians as they are taken.
        verb: what happens to several angles.
        turned: what happens to a gate of one angle, where there is a plainer word.
        parts: of a gate with several angles, which are misread alone, beside all of them.
    """

    kind: str
    angle: Callable[[float], float]
    verb: str
    turned: str = ""
    parts: tuple[tuple[int, ...], ...] = ()

    def places(self, number: int) -> list[tuple[int, ...]]:
        """Return which of so many angles are misread together."""
        parts = [part for part in self.parts if part[-1] < number and len(part) < number]
        return [tuple(range(number)), *parts] if number else []

    def detail(self, name: str, places: Sequence[int], number: int) -> str:
        """Return the words for a gate."""
        if number == 1:
            return f"every {name} {self.turned}" if self.turned else f"the angle of every {name} {self.verb}"
        which = "all angles" if len(places) == number else _ordinal(places)
        return f"{which} of every {name} {self.verb}"


_FIRST = ((0,),)
_SOME = (*combinations(range(4), 1), *combinations(range(4), 2))

_MISREADINGS = (
    _Misreading("angle-negated", lambda angle: -angle, "negated", "turned the other way", _SOME),
    _Misreading("angle-halved", lambda angle: angle / 2, "halved", "turned half as far", _FIRST),
    _Misreading("angle-doubled", lambda angle: angle * 2, "doubled", "turned twice as far", _FIRST),
    _Misreading("angle-halved", lambda angle: -angle / 2, "halved and negated", "turned half as far, the other way"),
    _Misreading("angle-doubled", lambda angle: -angle * 2, "doubled and negated", "turned twice as far, the other way"),
    _Misreading("angle-in-degrees", math.radians, "taken for degrees"),
    _Misreading("angle-in-degrees", math.degrees, "converted to degrees"),
    _Misreading("angle-in-half-turns", lambda angle: angle * PI, "taken for half turns"),
    _Misreading("angle-in-half-turns", lambda angle: angle / PI, "converted to half turns"),
    _Misreading("angle-modulo", lambda angle: angle % (2 * PI), "taken modulo 2π", parts=_FIRST),
    _Misreading("angle-modulo", lambda angle: math.remainder(angle, 2 * PI), "brought between -π and π", parts=_FIRST),
)


_ORDINALS = ("first", "second", "third", "fourth")


def _ordinal(places: Sequence[int]) -> str:
    words = [_ORDINALS[place] for place in places]
    return f"the {words[0]} angle" if len(words) == 1 else f"the {' and the '.join(words)} angle"


def _misread(angle: Callable[[float], float], places: Sequence[int]) -> Rewrite:
    def rewrite(op: Operation) -> list[Operation]:
        params = tuple([angle(value) if place in places else value for place, value in enumerate(op.params)])
        return [Operation(op.name, op.qubits, params, (), op.condition)]

    return rewrite


def _with_angles_exchanged(first: int, second: int) -> Rewrite:
    def rewrite(op: Operation) -> list[Operation]:
        params = list(op.params)
        params[first], params[second] = params[second], params[first]
        return [Operation(op.name, op.qubits, tuple(params), (), op.condition)]

    return rewrite


# ---------------------------------------------------------------------------- inverse, operands


def _inverse(op: Operation) -> list[Operation]:
    steps = inverse([(op.name, op.qubits, op.params)])
    return [Operation(name, qubits, params, (), op.condition) for name, qubits, params in steps]


def _orders(size: int) -> list[tuple[int, ...]]:
    """Return the orders in which a gate may take its qubits: the first or the last one exchanged with another."""
    orders = []
    for first, second in combinations(range(size), 2):
        if first == 0 or second == size - 1:
            order = list(range(size))
            order[first], order[second] = second, first
            orders.append(tuple(order))
    return orders


def _exchange(order: Sequence[int]) -> str:
    if len(order) == 2:  # noqa: PLR2004 - two qubits
        return "the two qubits"
    first, second = (place + 1 for place, other in enumerate(order) if place != other)
    return f"qubits {first} and {second}"


def _reordered(order: Sequence[int]) -> Rewrite:
    return lambda op: [Operation(op.name, tuple([op.qubits[place] for place in order]), op.params, (), op.condition)]


def _ascending(op: Operation) -> list[Operation]:
    return [Operation(op.name, tuple(sorted(op.qubits)), op.params, (), op.condition)]


# ---------------------------------------------------------------------------- phases

_CONTROLLED: dict[str, tuple[int, Callable[..., float]]] = {
    "cp": (1, lambda lam: lam / 2),
    "cu1": (1, lambda lam: lam / 2),
    "cu3": (1, lambda _, phi, lam: (phi + lam) / 2),
    "cu": (1, lambda _, phi, lam, gamma: gamma + (phi + lam) / 2),
    "cs": (1, lambda: PI / 4),
    "csdg": (1, lambda: -PI / 4),
    "csx": (1, lambda: PI / 4),
    "c3sqrtx": (3, lambda: PI / 4),
    **dict.fromkeys(("cx", "CX", "cy", "cz", "ch"), (1, lambda: PI / 2)),
    **dict.fromkeys(("ccx", "ccz"), (2, lambda: PI / 2)),
    "c3x": (3, lambda: PI / 2),
    "c4x": (4, lambda: PI / 2),
}
"""Controlled gate -> its number of controls, and the phase of what it controls: half that of the determinant."""

_PHASE_FREE: dict[str, tuple[str, Callable[..., tuple[float, ...]], str]] = {
    "cu": ("cu3", lambda *angles: angles[:3], "run as cu3"),
    "rccx": ("ccx", lambda: (), "run as ccx"),
    "rc3x": ("c3x", lambda: (), "run as c3x"),
    "iswap": ("swap", lambda: (), "run as swap"),
    "xx_plus_yy": ("xx_plus_yy", lambda theta, _: (theta, 0.0), "without its second angle"),
    "xx_minus_yy": ("xx_minus_yy", lambda theta, _: (theta, 0.0), "without its second angle"),
}
"""Gate -> the gate that it becomes without its phases, the angles of that gate, and words for it."""

_ROTATIONS = {
    "cp": "crz", "cu1": "crz", "cs": "crz(π/2)", "csdg": "crz(-π/2)", "cz": "crz(π)", "cx": "crx(π)", "CX": "crx(π)",
    "cy": "cry(π)", "csx": "crx(π/2)",
}  # fmt: skip


def _instead(name: str) -> str:
    return f", as {_ROTATIONS[name]}" if name in _ROTATIONS else ""


def _without_phase(op: Operation) -> list[Operation]:
    number, phase = _CONTROLLED[op.name]
    first, *others = op.qubits[:number]
    steps = control([("p", (first,), (-phase(*op.params),))], others)
    return [op, *(Operation(name, qubits, params, (), op.condition) for name, qubits, params in steps)]


def _replaced(name: str, angles: Callable[..., tuple[float, ...]]) -> Rewrite:
    return lambda op: [Operation(name, op.qubits, angles(*op.params), (), op.condition)]
