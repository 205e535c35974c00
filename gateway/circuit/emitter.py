"""Builds a circuit while something is unrolled: counts the operations, checks them and makes them conditional."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.circuit import conditions
from gateway.circuit.gates import Step
from gateway.circuit.operations import CircuitParts, Condition, Limits, Operation
from gateway.errors import CircuitInvalidError, LimitError, UnsupportedError

FREE_STEPS = 100_000
STEPS_PER_OPERATION = 6
"""A step is one statement, turn of a loop, operator or modifier, and takes 1 to 4 us."""


@dataclass(slots=True)
class _Frame:
    """A statement whose parts happen under conditions on clbits.

    Args:
        clbits: the clbits that the conditions test.
        overwritten_clbit: one of them that the statement has measured into, if there is any.
    """

    clbits: frozenset[int]
    overwritten_clbit: int | None = None


class Emitter:
    """Builds a circuit operation by operation.

    Args:
        limits: how large the circuit may become; a LimitError comes before anything larger is built.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.num_qubits = 0
        self.num_clbits = 0
        self.operations: list[Operation] = []
        self.clbits_without_value: dict[int, int] = {}
        self._frames: list[_Frame] = []
        self._condition: Condition = ()
        self._measured_clbits: set[int] = set()
        self._steps = 0
        self._free_steps = min(FREE_STEPS, 1000 + 2 * limits.operations)

    @property
    def depth(self) -> int:
        """The number of statements with conditions on clbits that the next operation is in."""
        return len(self._frames)

    def parts(self) -> CircuitParts:
        """Return the parts of the circuit, for ``Circuit(*parts)``."""
        return CircuitParts(self.num_qubits, self.num_clbits, self.operations)

    def spend(self, steps: int) -> None:
        """Count steps of unrolling, so that a program that emits no operations ends as well.

        Raises:
            LimitError: the program takes too many steps for its number of operations.
        """
        self._steps += steps
        allowed = self._free_steps + STEPS_PER_OPERATION * len(self.operations)
        if self._steps > allowed:
            msg = f"unrolling the program takes more than {allowed:,} steps for {len(self.operations):,} operations"
            raise LimitError(msg, limit="steps", requested=self._steps, allowed=allowed)

    def check_operations(self, more: float) -> None:
        """Raise a LimitError if so many more operations would exceed the limit."""
        self._check("operations", len(self.operations) + more, self.limits.operations)

    def new_qubits(self, number: int) -> tuple[int, ...]:
        """Add qubits and return their indices."""
        self._check("qubits", self.num_qubits + number, self.limits.qubits)
        first, self.num_qubits = self.num_qubits, self.num_qubits + number
        return tuple(range(first, self.num_qubits))

    def new_clbits(self, number: int) -> tuple[int, ...]:
        """Add clbits and return their indices."""
        self._check("clbits", self.num_clbits + number, self.limits.clbits)
        first, self.num_clbits = self.num_clbits, self.num_clbits + number
        return tuple(range(first, self.num_clbits))

    def forget(self, clbits: Sequence[int]) -> None:
        """Note that clbits have no value any more, so they must be measured into before they are read."""
        self.clbits_without_value.update(dict.fromkeys(self._measured_clbits.intersection(clbits), self.depth))

    # ------------------------------------------------------------------ conditions

    @contextmanager
    def choice(self, clbits: frozenset[int]) -> Iterator[None]:
        """Enter a statement whose parts depend on clbits, for as long as the block lasts."""
        self._frames.append(_Frame(clbits))
        try:
            yield
        finally:
            self._frames.pop()

    @contextmanager
    def when(self, condition: Condition) -> Iterator[None]:
        """Make every operation in the block conditional."""
        outer, self._condition = self._condition, conditions.both(self._condition, condition)
        try:
            yield
        finally:
            self._condition = outer

    def choose(self, branches: Sequence[tuple[Sequence[Condition], Callable[[], object]]]) -> None:
        """Carry out each branch once under each of its conditions; all the conditions are disjoint."""
        with self.choice(conditions.clbits_of(*[condition for disjoint, _ in branches for condition in disjoint])):
            for disjoint, carry_out in branches:
                for condition in disjoint:
                    self.spend(len(self._frames) + len(condition))
                    with self.when(condition):
                        carry_out()

    # ------------------------------------------------------------------ operations

    def gate(self, step: Step) -> None:
        """Append a gate, or a barrier."""
        name, qubits, params = step
        if name == "barrier":
            self.barrier(qubits)
            return
        if not all(map(math.isfinite, params)):
            msg = f"{name} has an angle that is not a finite number: {list(params)}"
            raise CircuitInvalidError(msg, rule="finite angle")
        self._append(Operation(name, qubits, params, (), self._condition))

    def measure(self, qubit: int, clbit: int) -> None:
        """Append a measurement."""
        if clbit in self.clbits_without_value and self.depth > self.clbits_without_value[clbit]:
            msg = "measure: the bit may keep a value from before it was declared"
            raise UnsupportedError(msg, feature="measure")
        self._append(Operation("measure", (qubit,), (), (clbit,), self._condition))
        self.clbits_without_value.pop(clbit, None)
        self._measured_clbits.add(clbit)
        for frame in self._frames:
            if clbit in frame.clbits:
                frame.overwritten_clbit = clbit

    def reset(self, qubit: int) -> None:
        """Append a reset."""
        self._append(Operation("reset", (qubit,), (), (), self._condition))

    def barrier(self, qubits: tuple[int, ...]) -> None:
        """Append a barrier, unless a condition is in force: a barrier cannot have one and is not needed there."""
        if qubits and not self._frames:
            self._append(Operation("barrier", qubits))

    def _append(self, operation: Operation) -> None:
        for frame in self._frames:
            if frame.overwritten_clbit is not None:
                msg = (
                    f"condition: it tests clbit {frame.overwritten_clbit}, which was measured into under it,"
                    f" so {operation.name} after that would see the new value"
                )
                raise UnsupportedError(msg, feature="condition on an overwritten clbit")
        if len(self.operations) >= self.limits.operations:
            self.check_operations(1)
        self.operations.append(operation)

    def _check(self, what: str, requested: float, allowed: int) -> None:
        if requested > allowed:
            count = math.ceil(min(requested, 1e18))
            msg = f"the circuit has {count:,} {what} or more; at most {allowed:,} are accepted"
            raise LimitError(msg, limit=what, requested=count, allowed=allowed)
