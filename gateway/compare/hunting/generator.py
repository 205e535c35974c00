"""Random circuits, each from a seed.

A *profile* says what kind of circuit is drawn: how many qubits and operations, which angles, how many measurements,
resets and conditions. Every profile keeps circuits so small that their exact distribution is computed in milliseconds.
The same seed and scope give the same circuit on every machine: all draws are those of :class:`random.Random`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from random import Random

import msgspec

from gateway.circuit import Circuit, Comparison, Condition
from gateway.circuit.gates import GATES
from gateway.compare.hunting.scope import Scope

LARGEST_ANGLE = 7.0
"""The largest ordinary angle: beyond a whole turn, where conventions begin to differ."""

MOST_BRANCHINGS = 8
"""The number of measurements and resets before the last ones; each may double the cost of the exact distribution."""

_TURNS = (0, 1 / 4, 1 / 2, 3 / 4, 1, 3 / 2, 2, 3, 4)
_EXTREME_ANGLES = (
    *(turns * math.pi for turns in _TURNS),
    *(math.nextafter(turns * math.pi, math.inf) for turns in _TURNS),
    *(math.nextafter(turns * math.pi, -math.inf) for turns in _TURNS),
    *(turns * math.pi + 1e-9 for turns in _TURNS),
    1e-7,
    1e-9,
    1e-16,
    5e-324,
    100.0,
    12_345.678,
    1e6,
    1e6 * math.pi,
)
"""Multiples of pi and their neighbours, tiny and huge angles; each is drawn with either sign."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A kind of random circuit. Pairs are a smallest and a largest number; shares are from 0 to 1.

    Args:
        qubits: how many qubits are used.
        operations: how many operations there are before the last measurements.
        weight: how often the profile is drawn, relative to the others.
        idle: how many more qubits there are, which nothing acts on.
        clbits: how many more clbits there are than measured qubits.
        extreme: the share of angles that are extreme.
        interruptions: the share of operations that are measurements or resets.
        conditional: the share of operations that are conditional.
        comparisons: how many comparisons a condition has.
        repeats: how often a gate is repeated at once.
        entanglers: whether all gates act on two qubits and more; they are drawn evenly from the table otherwise.
        measured: whether the circuit is measured; the others are compared by their state vectors.
    """

    qubits: tuple[int, int]
    operations: tuple[int, int]
    weight: int = 1
    idle: tuple[int, int] = (0, 2)
    clbits: tuple[int, int] = (0, 2)
    extreme: float = 0.1
    interruptions: float = 0.0
    conditional: float = 0.0
    comparisons: tuple[int, int] = (1, 2)
    repeats: tuple[int, int] = (1, 1)
    entanglers: bool = False
    measured: bool = True


PROFILES: dict[str, Profile] = {
    "static": Profile((1, 6), (3, 40), weight=4),
    "few-gates": Profile((1, 5), (1, 4), weight=4, extreme=0.4),
    "extreme-angles": Profile((1, 4), (3, 20), weight=3, extreme=1.0),
    "operand-orders": Profile((3, 6), (4, 15), weight=2, entanglers=True),
    "repeated-gates": Profile((1, 4), (2, 8), repeats=(2, 24), extreme=0.3),
    "wide": Profile((8, 11), (8, 25), idle=(0, 1), clbits=(0, 1)),
    "deep": Profile((1, 3), (100, 250), extreme=0.0),
    "idle-qubits": Profile((1, 4), (3, 15), idle=(3, 12)),
    "dynamic": Profile((1, 5), (6, 30), weight=3, interruptions=0.25),
    "conditions": Profile((2, 5), (8, 30), weight=3, clbits=(0, 4), interruptions=0.25, conditional=0.5),
    "nested-conditions": Profile(
        (2, 4), (8, 25), weight=2, clbits=(2, 12), interruptions=0.3, conditional=0.7, comparisons=(2, 5)
    ),
    "many-clbits": Profile(
        (2, 4), (6, 20), clbits=(60, 130), interruptions=0.25, conditional=0.4, comparisons=(1, 3)
    ),
    "state": Profile((1, 6), (1, 40), weight=3, extreme=0.3, measured=False),
}  # fmt: skip


def random_circuit(seed: int, scope: Scope | None = None, profile: str | None = None) -> tuple[str, Circuit]:
    """Return the name of a profile, and a random circuit of that profile.

    Args:
        seed: any whole number.
        scope: what the circuit may contain; everything by default.
        profile: the name of the profile; drawn by default.
    """
    random = Random(seed)
    if profile is None:
        profile = random.choices(list(PROFILES), [each.weight for each in PROFILES.values()])[0]
    return profile, _Drawing.begin(random, scope or Scope(), PROFILES[profile]).finish()


@dataclass(slots=True)
class _Drawing:
    """A circuit that is being drawn.

    Args:
        random: where all draws come from.
        scope: what the circuit may contain.
        profile: what kind of circuit it is.
        circuit: the circuit so far, of the qubits that act; idle ones are put between them at the end.
        branchings: how many more measurements and resets there may be before the last measurements.
        measured_qubits: the qubits that were measured.
        written_clbits: the clbits that were written.
    """

    random: Random
    scope: Scope
    profile: Profile
    circuit: Circuit
    branchings: int = MOST_BRANCHINGS
    measured_qubits: set[int] = field(default_factory=set)
    written_clbits: set[int] = field(default_factory=set)

    @classmethod
    def begin(cls, random: Random, scope: Scope, profile: Profile) -> _Drawing:
        low, high = (min(number, scope.max_qubits or number) for number in profile.qubits)
        qubits = random.randint(low, high)
        clbits = qubits + random.randint(*profile.clbits) if profile.measured else 0
        return cls(random, scope, profile, Circuit(qubits, clbits))

    def finish(self) -> Circuit:
        """Draw everything, and return the circuit."""
        if self.chance(0.6):  # else most gates would act on zeros
            for qubit in range(self.circuit.num_qubits):
                self.gate(self.scope.fitting(1), qubit)
        for _ in range(self.random.randint(*self.profile.operations)):
            self.operation()
        if self.profile.measured:
            self.last_measurements()
        return self.among_idle_qubits()

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def usable_qubits(self) -> list[int]:
        """Return the qubits that gates may act on."""
        barred = set() if self.scope.mid_circuit else self.measured_qubits
        return [qubit for qubit in range(self.circuit.num_qubits) if qubit not in barred]

    # ------------------------------------------------------------------ operations

    def operation(self) -> None:
        """Append a measurement, a reset, a barrier, or a gate as often as the profile says."""
        when = self.condition() if self.scope.conditions and self.chance(self.profile.conditional) else ()
        if self.branchings and self.chance(self.profile.interruptions):
            self.interruption(when)
        elif self.chance(0.03):  # barriers have no effect, and should have none
            self.circuit.barrier(*self.some_qubits())
        else:
            names = self.scope.fitting(self.circuit.num_qubits)
            if self.profile.entanglers:
                names = [name for name in names if GATES[name].num_qubits > 1] or names
            self.gate(names, when=when, times=self.random.randint(*self.profile.repeats))

    def gate(self, names: Sequence[str], first: int | None = None, when: Condition = (), times: int = 1) -> None:
        """Append one of some gates, on random qubits or on a given one; nothing if too few qubits are usable."""
        usable = self.usable_qubits() if first is None else [first]
        names = [name for name in names if GATES[name].num_qubits <= len(usable)]
        if not names:
            return
        name = self.random.choice(names)
        qubits, angles = self.random.sample(usable, GATES[name].num_qubits), self.angles(name)
        for _ in range(times):
            self.circuit.gate(name, qubits, angles, when)

    def angles(self, name: str) -> Sequence[float]:
        if name in self.scope.quarter_gates:
            return self.scope.quarter_angles(name, self.random)
        return [self.angle() for _ in range(GATES[name].num_params)]

    def angle(self) -> float:
        if self.chance(self.profile.extreme):
            return self.random.choice(_EXTREME_ANGLES) * self.random.choice((1, -1))
        return self.random.uniform(-LARGEST_ANGLE, LARGEST_ANGLE)

    def interruption(self, when: Condition) -> None:
        """Append a measurement or a reset after which the circuit goes on."""
        usable = self.usable_qubits()
        if not usable:
            return
        self.branchings -= 1
        qubit = self.random.choice(usable)
        if self.scope.reset and self.chance(0.3):
            self.circuit.reset(qubit, when)
        else:
            self.measure(qubit, self.random.randrange(self.circuit.num_clbits), when)

    def measure(self, qubit: int, clbit: int, when: Condition = ()) -> None:
        self.circuit.measure(qubit, clbit, when)
        self.measured_qubits.add(qubit)
        self.written_clbits.add(clbit)

    # ------------------------------------------------------------------ conditions

    def condition(self) -> Condition:
        return tuple(self.comparison() for _ in range(self.random.randint(*self.profile.comparisons)))

    def comparison(self) -> Comparison:
        """Compare some clbits, most of them written, with a value that they have at times."""
        clbits = range(self.circuit.num_clbits)
        width = min(self.random.choice((1, 1, 1, 2, 2, 3, len(clbits))), len(clbits))
        pool = sorted(self.written_clbits) if len(self.written_clbits) >= width and self.chance(0.9) else clbits
        chosen = self.random.sample(pool, width)
        bits = [self.chance(0.5 if clbit in self.written_clbits else 0.05) for clbit in chosen]
        return Comparison(tuple(chosen), sum(bit << place for place, bit in enumerate(bits)), self.chance(0.6))

    # ------------------------------------------------------------------ the end

    def last_measurements(self) -> None:
        """Measure qubits: all or some, in order or in any, and now and then a qubit or a clbit twice."""
        usable = self.usable_qubits()
        number = len(usable) if self.chance(0.7) else self.random.randint(0, len(usable))
        qubits = self.random.sample(usable, number)
        clbits = self.random.sample(range(self.circuit.num_clbits), number)
        if self.chance(0.4):  # the order that most circuits have
            qubits, clbits = sorted(qubits), sorted(clbits)
        for qubit, clbit in zip(qubits, clbits, strict=True):
            self.measure(qubit, clbit)
        if not self.written_clbits or (self.usable_qubits() and self.chance(0.2)):
            self.measure(self.random.choice(self.usable_qubits()), self.random.choice(range(self.circuit.num_clbits)))

    def some_qubits(self) -> list[int]:
        number = self.random.randint(1, self.circuit.num_qubits)
        return self.random.sample(range(self.circuit.num_qubits), number)

    def among_idle_qubits(self) -> Circuit:
        """Return the circuit with its qubits moved to random places among idle ones."""
        idle = self.random.randint(*self.profile.idle)
        if self.scope.max_qubits is not None and not self.profile.measured:  # a state vector has the idle ones too
            idle = min(idle, self.scope.max_qubits - self.circuit.num_qubits)
        width = self.circuit.num_qubits + idle
        places = self.random.sample(range(width), self.circuit.num_qubits)
        operations = [
            msgspec.structs.replace(operation, qubits=tuple([places[qubit] for qubit in operation.qubits]))
            for operation in self.circuit.operations
        ]
        return Circuit(width, self.circuit.num_clbits, operations)
