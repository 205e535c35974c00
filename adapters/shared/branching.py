"""The shared driver for dynamic circuits: it branches on the outcomes of measurements.

The driver cuts a circuit at every measurement or reset whose outcome matters later. It simulates each
outcome once and splits the shots among the branches (binomially, with one seeded generator), so the cost
grows with the number of different outcomes and not with the number of shots. Measurements whose outcome
nothing needs are moved to the end and sampled together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import numpy as np

from gateway.circuit import Circuit, Operation
from gateway.circuit.conditions import clbits_of, holds

S = TypeVar("S")
"""The type of a simulator's states."""

C = TypeVar("C")
"""The type of a simulator's circuits."""

SegmentKey = tuple[int, tuple[bool, ...]]
"""The index of a segment, and for each of its conditional gates whether it happens."""

CERTAIN = 1e-12
"""An outcome less likely than this is rounding noise and is not followed."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Gates up to the next event; ``event`` is a measurement or reset, ``None`` at the end."""

    gates: list[Operation]
    event: Operation | None
    conditional: tuple[int, ...]
    """The positions in ``gates`` of the gates with a condition."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A circuit cut into segments.

    Args:
        final: clbit -> qubit for the measurements that were moved to the end.
        branching: how many events may have two outcomes.
    """

    num_qubits: int
    num_clbits: int
    segments: list[Segment]
    final: dict[int, int]
    branching: int = 0

    @property
    def static(self) -> bool:
        """Whether all measurements come last and nothing depends on them."""
        return len(self.segments) == 1 and not self.segments[0].conditional

    @property
    def measured(self) -> list[int]:
        """The qubits measured at the end, ascending."""
        return sorted(set(self.final.values()))

    def waiting(self, shots: int) -> int:
        """Return how many states may wait while another one is computed.

        The branches are followed depth first: of each event on the way, the state after its other outcome waits.

        Args:
            shots: each branch that waits has at least one of them; 0 where exact weights are followed.
        """
        waiting = self.branching if shots == 0 else min(self.branching, shots - 1)
        return waiting if self.static else waiting + 1  # the state that a branch begins with


def make_plan(circuit: Circuit) -> Plan:
    """Cut a circuit at the events whose outcome matters later (one pass, backwards)."""
    acted_on_later: set[int] = set()  # qubits that something acts on later
    tested_later: set[int] = set()  # clbits that something tests later
    overwritten_later: set[int] = set()  # clbits that something overwrites later
    final_qubits: set[int] = set()  # qubits that a measurement moved to the end measures
    final: dict[int, int] = {}
    operations: list[Operation] = []
    for op in reversed(circuit.operations):
        name = op.name
        if name == "barrier":
            continue
        if (
            name == "measure"
            and not op.condition
            and op.qubits[0] not in acted_on_later
            and op.clbits[0] not in tested_later
        ):
            if op.clbits[0] not in overwritten_later:
                final[op.clbits[0]] = op.qubits[0]
                final_qubits.add(op.qubits[0])
                overwritten_later.add(op.clbits[0])
            continue
        if name == "reset" and op.qubits[0] not in acted_on_later and op.qubits[0] not in final_qubits:
            continue  # nothing uses the qubit again
        operations.append(op)
        acted_on_later.update(op.qubits)
        if op.clbits:
            # A conditional measurement may leave the clbit as it was: earlier writes still count.
            (tested_later if op.condition else overwritten_later).update(op.clbits)
        if op.condition:
            tested_later.update(clbits_of(op.condition))
    operations.reverse()
    return Plan(circuit.num_qubits, circuit.num_clbits, _segments(operations), final, _branching(operations))


def _branching(operations: list[Operation]) -> int:
    """Return how many measurements and resets may have two outcomes: those of a qubit that is in 0 or 1 have one."""
    certain = set().union(*[op.qubits for op in operations])
    branching = 0
    for op in operations:
        if op.name not in {"measure", "reset"}:
            certain.difference_update(op.qubits)
        elif op.qubits[0] not in certain:
            branching += 1
            if not op.condition:
                certain.add(op.qubits[0])
    return branching


def _segments(operations: list[Operation]) -> list[Segment]:
    segments: list[Segment] = []
    gates: list[Operation] = []
    for op in operations:
        if op.name in {"measure", "reset"}:
            segments.append(_segment(gates, op))
            gates = []
        else:
            gates.append(op)
    segments.append(_segment(gates, None))
    return segments


def _segment(gates: list[Operation], event: Operation | None) -> Segment:
    return Segment(gates, event, tuple([i for i, op in enumerate(gates) if op.condition]))


_MOST_CACHED = 2_000
"""So many gates are kept converted, or as many as the plan has: each combination of conditions is a segment anew."""


class SegmentCache(Generic[C]):
    """The simulator's own circuits of segments that were met already; their number of gates is bounded.

    Args:
        plan: the plan that the segments belong to.
    """

    def __init__(self, plan: Plan) -> None:
        self._most = max(sum(len(segment.gates) for segment in plan.segments), _MOST_CACHED)
        self._circuits: dict[SegmentKey, C] = {}
        self._gates = 0

    def get(self, key: SegmentKey, num_gates: int, build: Callable[[], C]) -> C:
        """Return the circuit of a segment, which is built if it is not kept."""
        circuit = self._circuits.get(key)
        if circuit is None:
            if self._gates + num_gates > self._most:
                self._circuits.clear()
                self._gates = 0
            circuit = self._circuits[key] = build()
            self._gates += num_gates + 1
        return circuit


class Project(Protocol[S]):
    """Projects a state onto an outcome, as :func:`adapters.shared.states.project` does for state vectors."""

    def __call__(self, state: S, qubit: int, outcome: int, *, flip: bool = False) -> S:
        """Return the state after the outcome, as a new one."""


@dataclass(slots=True)
class Branch(Generic[S]):
    """One history of outcomes.

    Args:
        bits: the clbits as a number, clbit 0 the least significant bit.
        shots: how many shots took this history; 0 when exact weights are followed.
        weight: the exact probability of the history; 1 when shots are followed.
    """

    state: S | None
    bits: int
    shots: int
    weight: float
    depth: int = 0


@dataclass(slots=True)
class Explorer(Generic[S]):
    """Follows a plan through all its branches, for states of any kind.

    Args:
        advance: (key, gates without conditions, state or None for all 0) -> new state; the same
            key always comes with the same gates.
        probability_of_one: (state, qubit) -> probability that measuring the qubit gives 1.
        project: projects a state onto an outcome.
        rng: the generator that splits the shots; ``None`` to follow exact weights instead.
    """

    plan: Plan
    advance: Callable[[SegmentKey, list[Operation], S | None], S]
    probability_of_one: Callable[[S, int], float]
    project: Project[S]
    rng: np.random.Generator | None
    _stack: list[Branch[S]] = field(default_factory=list)

    def leaves(self, shots: int) -> Iterator[tuple[Branch[S], S]]:
        """Yield every branch that got shots (or weight) with its state at the end of the plan, in a fixed order."""
        self._stack = [Branch(None, 0, shots, 1.0)]
        while self._stack:
            branch = self._stack.pop()
            segment = self.plan.segments[branch.depth]
            state = branch.state = self._advance(branch, segment)
            if segment.event is None:
                branch.state = None  # whoever holds the branch does not hold the state as well
                yield branch, state
            else:
                branch.depth += 1
                self._split(branch, state, segment.event)
            del branch, state  # a state that is needed no more makes room for the next

    def _advance(self, branch: Branch[S], segment: Segment) -> S:
        happening = tuple([holds(segment.gates[i].condition, branch.bits) for i in segment.conditional])
        gates = segment.gates
        if happening:
            left_out = {i for i, happens in zip(segment.conditional, happening, strict=True) if not happens}
            gates = [_unconditional(op) for i, op in enumerate(gates) if i not in left_out]
        return self.advance((branch.depth, happening), gates, branch.state)

    def _split(self, branch: Branch[S], state: S, event: Operation) -> None:
        """Push the branches that follow a measurement or a reset onto the stack."""
        if event.condition and not holds(event.condition, branch.bits):
            self._stack.append(branch)
            return
        qubit = event.qubits[0]
        chance_of_one = self.probability_of_one(state, qubit)
        chance_of_one = 0.0 if chance_of_one < CERTAIN else 1.0 if chance_of_one > 1 - CERTAIN else chance_of_one
        shots_one = int(self.rng.binomial(branch.shots, chance_of_one)) if self.rng is not None else 0
        for outcome, chance, shots in ((1, chance_of_one, shots_one), (0, 1 - chance_of_one, branch.shots - shots_one)):
            if (shots if self.rng is not None else chance) <= 0:
                continue
            bits = branch.bits
            if event.name == "measure":
                bits = bits & ~(1 << event.clbits[0]) | outcome << event.clbits[0]
            after = self.project(state, qubit, outcome, flip=event.name == "reset" and outcome == 1)
            weight = branch.weight * chance if self.rng is None else 1.0
            self._stack.append(Branch(after, bits, shots, weight, branch.depth))


def _unconditional(op: Operation) -> Operation:
    return Operation(op.name, op.qubits, op.params) if op.condition else op
