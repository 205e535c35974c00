"""The shared driver for dynamic circuits: each distinct state once, with a table of the clbits that have it.

A *population* is a state and the rows of clbits of all histories that led to it. After each event, and where rows come
together again, populations whose states are equal up to a global phase become one, so that the cost is the number of
distinct states times the number of steps, however many histories there are. Conditions divide the rows of a table, and
a state is computed once for all rows for which the same gates happen.

Populations advance in lockstep: the ones that are furthest behind go first, and meet the others. In a loop that means
turn by turn, while those that have left wait after it. Where too many states would wait, the one that is furthest
ahead goes first instead and leaves at the end, so that few states wait, and some that could have met do not.

Shots are divided by one generator, ``numpy.random.default_rng(seed)`` (PCG64), with one vectorised binomial for each
population and event, over the rows that have the event; populations at the same place go in the order in which they
came, that with the outcome 0 first. So the same seed gives the same counts, as long as the same states fit in memory.
"""

from __future__ import annotations

import sys
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar, cast

import numpy as np

from adapters.shared.program import Assignment, End, Event, Loop, Program, Segment
from adapters.shared.room import take_packed_outcomes
from adapters.shared.tables import Bits, RowCondition, RowValue, Table, kinds
from gateway.circuit import Condition, Operation
from gateway.errors import CircuitInvalidError, LimitError

S = TypeVar("S")
"""The type of a simulator's states, which nobody modifies."""

C = TypeVar("C")
"""The type of a simulator's circuits."""

SegmentKey = tuple[int, tuple[bool, ...]]
"""The number of a segment, and for each of its conditions whether it holds."""

Position = tuple[int, ...]
"""For each loop around a step the index of the loop and the number of the turn, and then the index of the step.

Tuples are compared place by place, so the lower of two positions is the one that is further behind.
"""

CERTAIN = 1e-12
"""An outcome less likely than this is rounding noise and is not followed."""

SAME = 1e-10
"""Normalised states are the same if their distance, once their phases agree, is at most this."""

_LEFT_OVER = 1e-12
"""This much of the weight may still be in a loop when its last turn is over."""

_MANY_ROWS = 2**17
"""A table with more rows takes room before they become twice as many, as random bits make of exact weights."""

_DROPPED = 1e-17
"""A population in a loop with less weight than this is not followed any further."""


class Simulation(Protocol[S]):
    """What the driver needs of a simulator; states are never modified."""

    def advance(self, key: SegmentKey, gates: list[Operation], state: S | None) -> S:
        """Return the state after gates without conditions; the same key always comes with the same gates.

        Args:
            key: of the segment.
            gates: those that happen.
            state: the state before; ``None`` for all qubits 0.
        """

    def probability_of_one(self, state: S, qubit: int) -> float:
        """Return the probability that measuring a qubit gives 1."""

    def project(self, state: S, qubit: int, outcome: int, *, flip: bool) -> S:
        """Return the normalised state after an outcome that is possible, with the qubit flipped if so asked."""

    def fingerprint(self, state: S) -> float:
        """Return a number that differs by at most :data:`SAME` for states that are the same up to their phase."""

    def same(self, state: S, other: S) -> bool:
        """Return whether states are the same up to their phase, to within :data:`SAME`."""


_MOST_CACHED = 2_000
"""So many gates are kept converted, or as many as the program has: each combination of conditions is a segment anew."""


class SegmentCache(Generic[C]):
    """The simulator's own circuits of segments that were met already; their number of gates is bounded.

    Args:
        program: the program that the segments belong to.
    """

    def __init__(self, program: Program) -> None:
        self._most = max(sum(len(step.gates) for step in program.steps if isinstance(step, Segment)), _MOST_CACHED)
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


@dataclass(slots=True, eq=False)
class Population(Generic[S]):
    """A state, and the rows of clbits that have it; at the very beginning there is no state yet."""

    state: S | None
    table: Table
    fingerprint: float | None = None


class Pool(Generic[S]):
    """The populations at one position, in the order in which they came.

    Args:
        simulation: compares the states.
    """

    __slots__ = ("_known", "_populations", "_simulation")

    def __init__(self, simulation: Simulation[S]) -> None:
        self._simulation = simulation
        self._populations: deque[Population[S]] = deque()
        self._known: list[Population[S]] = []  # those with fingerprints that others are compared with, in their order

    def __bool__(self) -> bool:
        return bool(self._populations)

    def __iter__(self) -> Iterator[Population[S]]:
        return iter(self._populations)

    def add(self, population: Population[S], *, alone: bool = False) -> bool:
        """Add a population and return whether it is one more; its rows join another one that has the same state.

        Args:
            population: nobody else holds its table.
            alone: whether it is certain that no other one here has the same state.
        """
        if not alone and self._populations:
            if len(self._known) < len(self._populations):
                self._known = sorted(self._populations, key=self._fingerprint)
            found = self._find(population)
            if found is not None:
                found.table = found.table.joined(population.table)
                return False
            insort(self._known, population, key=self._fingerprint)
        self._populations.append(population)
        return True

    def take(self) -> Population[S]:
        """Remove the first population and return it."""
        population = self._populations.popleft()
        if self._known:
            place = bisect_left(self._known, self._fingerprint(population), key=self._fingerprint)
            while place < len(self._known) and self._known[place] is not population:
                place += 1
            del self._known[place : place + 1]
        return population

    def _fingerprint(self, population: Population[S]) -> float:
        if population.fingerprint is None:
            population.fingerprint = self._simulation.fingerprint(_state(population))
        return population.fingerprint

    def _find(self, population: Population[S]) -> Population[S] | None:
        """Return the population here that has the same state, if there is one."""
        fingerprint = self._fingerprint(population)
        place = bisect_left(self._known, fingerprint - 2 * SAME, key=self._fingerprint)
        while place < len(self._known) and self._fingerprint(self._known[place]) <= fingerprint + 2 * SAME:
            known = _state(self._known[place])
            if known is population.state or self._simulation.same(known, _state(population)):
                return self._known[place]
            place += 1
        return None


def _state(population: Population[S]) -> S:
    return cast("S", population.state)  # a program begins with a segment, after which there is one


class Bounds:
    """What a run of the driver may hold.

    Args:
        claim: takes room for so many states that wait, in all; it raises a LimitError where they do not fit.
        depth: how many states wait if one history is followed after the other.
        in_step: how many more may wait for others to catch up, if they fit.
        turns: how many turns of a loop are followed.
        index_of: returns the index of an assignment or loop in the caller's circuit, given how many begin before it.

    Attributes:
        allowed: how many states may wait at present before one history is followed after the other.

    Raises:
        LimitError: not even ``depth`` states fit.
    """

    def __init__(
        self,
        claim: Callable[[int], None],
        *,
        depth: int,
        in_step: int,
        turns: int = sys.maxsize,
        index_of: Callable[[int], int] = int,
    ) -> None:
        self.allowed = 1
        self.turns = turns
        self.index_of = index_of
        self._claim = claim
        self._depth = depth
        self._in_step = in_step
        self._most = depth  # how many were claimed in any case
        self._is_full = False
        claim(depth)

    def wait(self, waiting: int) -> None:
        """Note that so many states wait, more than are allowed.

        Raises:
            LimitError: they are too many although one history is followed after the other, as in a long loop.
        """
        if not self._is_full:
            self._is_full = not self._allow(min(2 * waiting, self._in_step))
        if waiting > self.allowed + self._most:
            self._most = waiting + self._depth
            try:
                self._claim(self._most)
            except LimitError as exc:
                msg = f"the circuit has {waiting:,} different states or more at a time, which do not fit into memory"
                raise LimitError(msg, limit="branches", requested=waiting, allowed=waiting - 1) from exc

    def _allow(self, number: int) -> bool:
        """Allow so many states to wait for others, if they fit."""
        if number <= self.allowed:
            return False
        try:
            self._claim(self._depth + number)
        except LimitError:
            self._claim(self._depth + self.allowed)  # as before
            return False
        self.allowed = number
        return True


MOST_IN_STEP_BYTES = 2**30
"""The states that wait for others to catch up take at most so much memory, where that is enough for two."""


def states_in_step(program: Program, shots: int, state_bytes: int) -> int:
    """Return how many states may wait for others: all that there may be, if they are small."""
    return min(program.most_states(shots), max(MOST_IN_STEP_BYTES // max(state_bytes, 1), 2))


def follow(
    program: Program,
    simulation: Simulation[S],
    rng: np.random.Generator | None,
    bounds: Callable[[], Bounds],
    shots: int,
) -> Iterator[tuple[Table, S]]:
    """Yield each state at the end of a program, with the rows of clbits that have it and their shots or weights.

    Args:
        program: what to run.
        simulation: the simulator.
        rng: the generator that divides the shots; ``None`` to follow exact weights instead.
        bounds: returns what the run may hold, unless it holds only one state anyway.
        shots: of the run; 0 where exact weights are followed.

    Raises:
        LimitError: a loop has not ended after so many turns as are followed, or too many states wait.
        CircuitInvalidError: a value that is assigned divides by zero.
    """
    if program.static:
        gates = list(program.first.gates)
        yield Table.first(0, shots or 1.0), simulation.advance((program.first.number, ()), gates, None)
        return
    yield from Driver(program, simulation, rng, bounds()).leaves(shots)


class Driver(Generic[S]):
    """Follows a program.

    Args:
        program: what to run.
        simulation: the simulator.
        rng: the generator that divides the shots; ``None`` to follow exact weights instead.
        bounds: what the run may hold.
    """

    def __init__(
        self, program: Program, simulation: Simulation[S], rng: np.random.Generator | None, bounds: Bounds
    ) -> None:
        self._program = program
        self._simulation = simulation
        self._rng = rng
        self._bounds = bounds
        self._pools: dict[Position, Pool[S]] = {}
        self._positions: list[Position] = []  # those of the pools, ascending
        self._waiting = 0
        self._left_over = 0.0
        self._conditions: dict[Condition, RowCondition] = {}
        self._values: dict[int, RowValue] = {}
        self._carry_out: dict[type, Callable[[Any, Population[S], Position], None]] = {
            Segment: self._segment,
            Event: self._event,
            Assignment: self._assign,
            Loop: self._loop,
            End: self._end,
        }

    def leaves(self, shots: int) -> Iterator[tuple[Table, S]]:
        """Yield each state at the end of the program with its rows, as :func:`follow` says."""
        first = Table.first(len(self._program.columns), shots if self._rng is not None else 1.0)
        self._arrive((0,), Population(None, first))
        while self._positions:
            place = 0 if self._waiting <= self._bounds.allowed else -1
            position = self._positions[place]
            pool = self._pools[position]
            population = pool.take()
            self._waiting -= 1
            if not pool:
                del self._pools[position], self._positions[place]
            if position[-1] == len(self._program.steps):
                yield population.table, _state(population)
            else:
                step = self._program.steps[position[-1]]
                self._carry_out[type(step)](step, population, position)
            del population  # a state that is needed no more makes room for the next

    # ------------------------------------------------------------------ where populations are

    def _arrive(self, position: Position, population: Population[S], *, alone: bool = False) -> None:
        pool = self._pools.get(position)
        if pool is None:
            pool = self._pools[position] = Pool(self._simulation)
            insort(self._positions, position)
        self._waiting += pool.add(population, alone=alone)
        if self._waiting > self._bounds.allowed:
            self._bounds.wait(self._waiting)

    def _entered(self, around: Position, step: int) -> Position:
        """Return the position of a step, given the part of it that says in which turns of which loops it is."""
        is_loop = step < len(self._program.steps) and isinstance(self._program.steps[step], Loop)
        return (*around, step, 0, step) if is_loop else (*around, step)

    def _next(self, position: Position) -> Position:
        return self._entered(position[:-1], position[-1] + 1)

    # ------------------------------------------------------------------ steps

    def _segment(self, step: Segment, population: Population[S], position: Position) -> None:
        table = population.table
        if not step.conditions:
            state = self._simulation.advance((step.number, ()), list(step.gates), population.state)
            self._arrive(self._next(position), Population(state, table), alone=True)
            return
        for happening, rows in kinds([self._condition(condition) for condition in step.conditions], table):
            gates = _happening(step, happening)
            of_kind = table if rows is None else table.rows(rows)
            of_kind.forget(step.forgotten)
            after = Population(population.state, of_kind, population.fingerprint)
            if gates or population.state is None:
                state = self._simulation.advance((step.number, happening), gates, population.state)
                after = Population(state, of_kind)
            self._arrive(self._next(position), after)

    def _event(self, step: Event, population: Population[S], position: Position) -> None:
        next_position = self._next(position)
        table, others = self._divided(population.table, step.condition)
        if others is not None:
            others.forget(step.forgotten)
            self._arrive(next_position, Population(population.state, others, population.fingerprint))
        if table is None:
            return
        state = _state(population)
        chance = self._simulation.probability_of_one(state, step.qubit)
        for outcome, rows in enumerate(self._outcomes(table, chance)):
            if rows is None:
                continue
            written = self._with_outcome(step, rows, outcome)
            written.forget(step.forgotten)
            flip = step.clears and outcome == 1
            after = self._simulation.project(state, step.qubit, outcome, flip=flip)
            self._arrive(next_position, Population(after, written.tidied()))

    def _outcomes(self, table: Table, chance: float) -> tuple[Table | None, Table | None]:
        """Return the rows with the outcome 0 and those with the outcome 1, given the chance of a 1."""
        if chance < CERTAIN:
            return table, None
        if chance > 1 - CERTAIN:
            return None, table
        if len(table) > _MANY_ROWS:
            take_packed_outcomes(2 * len(table), len(self._program.columns))
        ones = table.amounts * chance if self._rng is None else self._rng.binomial(table.amounts, chance)
        zeros, one = table.with_amounts(table.amounts - ones), table.with_amounts(ones)
        return zeros or None, one or None

    def _with_outcome(self, step: Event, table: Table, outcome: int) -> Table:
        """Return rows with the outcome of an event in its column, or with the wrong one where that is misread."""
        if step.column is None:
            return table
        right, wrong = (table, None) if step.misread is None else self._outcomes(table, step.misread[outcome])
        if right is not None:
            right.write(step.column, outcome)
        if wrong is not None:
            wrong.write(step.column, 1 - outcome)
        if right is None or wrong is None:
            return cast("Table", right or wrong)  # a table has a row at least, so there is one of them
        return right.joined(wrong)

    def _assign(self, step: Assignment, population: Population[S], position: Position) -> None:
        table = population.table
        rows = self._condition(step.condition).rows(table) if step.condition else None
        if rows is None or rows.all():
            for column, values in zip(step.columns, self._bits(step, table), strict=True):
                table.write(column, values)
        elif rows.any():
            for column, values in zip(step.columns, self._bits(step, table.rows(rows)), strict=True):
                before = table.column(column)
                before[rows] = values
                table.write(column, before)
        table.forget(step.forgotten)
        after = Population(population.state, table.tidied(), population.fingerprint)
        self._arrive(self._next(position), after, alone=True)

    def _loop(self, step: Loop, population: Population[S], position: Position) -> None:
        going_on, leaving = self._divided(population.table, step.condition)
        if leaving is not None:
            leaving.forget(step.forgotten)
            after = Population(population.state, leaving, population.fingerprint)
            self._arrive(self._entered(position[:-3], step.after), after)
        if going_on is None or self._is_left_over(step, going_on, position):
            return
        inside = Population(population.state, going_on, population.fingerprint)
        self._arrive(self._entered(position[:-1], position[-1] + 1), inside, alone=True)

    def _end(self, step: End, population: Population[S], position: Position) -> None:
        self._arrive((*position[:-2], position[-2] + 1, step.begin), population, alone=True)

    def _is_left_over(self, step: Loop, table: Table, position: Position) -> bool:
        """Return whether rows that would go on in a loop are not followed any further.

        Raises:
            LimitError: there are too many of them.
        """
        is_last = position[-2] >= self._bounds.turns
        if self._rng is not None:
            if is_last:
                raise self._too_many_turns(step, f"for {self._rest(step, table, position):,} shots or more")
            return False
        weight = float(table.total())
        if not is_last and weight > _DROPPED:
            return False
        self._left_over += weight
        if self._left_over > _LEFT_OVER:
            raise self._too_many_turns(step, f"with the probability {self._rest(step, table, position):.2g} or more")
        return True

    def _rest(self, step: Loop, table: Table, position: Position) -> Any:
        """Return how much is in rows that go on in a loop, in a table and in what waits at the same place."""
        waiting = [self._divided(population.table, step.condition)[0] for population in self._pools.get(position, ())]
        return sum([rest.total() for rest in waiting if rest is not None], start=table.total())

    def _too_many_turns(self, step: Loop, how_often: str) -> LimitError:
        turns = self._bounds.turns
        return LimitError(
            f"operation {self._bounds.index_of(step.number)}: the loop has not ended after {turns:,} turns "
            f"{how_often}; the limit max_loop_iterations of a server says how many are followed",
            limit="max_loop_iterations",
            requested=turns + 1,
            allowed=turns,
        )

    # ------------------------------------------------------------------ rows

    def _condition(self, condition: Condition) -> RowCondition:
        found = self._conditions.get(condition)
        if found is None:
            found = self._conditions[condition] = RowCondition(condition, self._program.columns)
        return found

    def _divided(self, table: Table, condition: Condition) -> tuple[Table | None, Table | None]:
        """Return the rows in which a condition holds, and the others."""
        if not condition:
            return table, None
        rows = self._condition(condition).rows(table)
        if rows.all():
            return table, None
        return (table.rows(rows), table.rows(~rows)) if rows.any() else (None, table)

    def _bits(self, step: Assignment, table: Table) -> list[Bits | int]:
        value = self._values.get(step.number)
        if value is None:
            value = self._values[step.number] = RowValue(step.value, len(step.columns), self._program.columns)
        try:
            return value.bits(table)
        except CircuitInvalidError as exc:
            index = self._bounds.index_of(step.number)
            raise CircuitInvalidError(f"operation {index}: {exc.message}", rule=exc.rule, operation=index) from exc


def _happening(step: Segment, happening: tuple[bool, ...]) -> list[Operation]:
    """Return the gates of a segment that happen, given which of its conditions hold."""
    holds = dict(zip(step.conditions, happening, strict=True))
    return [_unconditional(op) for op in step.gates if not op.condition or holds[op.condition]]


def _unconditional(op: Operation) -> Operation:
    return Operation(op.name, op.qubits, op.params) if op.condition else op
