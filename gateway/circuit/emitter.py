"""Builds a circuit while something is unrolled: counts the operations, checks them and makes them conditional.

A statement with branches becomes operations with conditions (:meth:`Emitter.choose`). If a branch changes a clbit that
decides about the rest of the statement, or if a condition is no conjunction, the decision is first written to a hidden
clbit, and the operations depend on that. A loop that depends on measurements stays a loop (:meth:`Emitter.repeat`).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from gateway.circuit import conditions
from gateway.circuit.expressions import Angle, Expression, bits, clbits_read, renumbered, with_small_numbers
from gateway.circuit.gates import Step
from gateway.circuit.operations import MAX_NOTES, CircuitParts, Comparison, Condition, Limits, Operation
from gateway.errors import CircuitInvalidError, LimitError

FREE_STEPS = 500_000
STEPS_PER_OPERATION = 6
"""A step is one statement, turn of a loop, operator or modifier, and takes 0.1 to 4 us."""

Decision = Sequence[Condition] | Expression
"""When a branch happens: disjoint conditions, one of which holds then, or a classical expression that is not 0 then."""

_HIDDEN = 2**40
"""Hidden clbits have numbers from here on while a circuit is built, since they come after clbits not yet declared."""


_FIRST_INEXACT = 2**53
_BITS_OF_A_PART = 32

_MOST_REPEATED = 64
"""So many operations at most are written once under each of several conditions; more get a hidden clbit."""


@dataclass(slots=True)
class _Branch:
    """A branch of a statement.

    Args:
        when: the decision.
        operations: what happens then, without the condition.
        conditions: the decision as disjoint conditions, under each of which the operations are written once; ``None``
            if it has to be written to a hidden clbit.
    """

    when: Decision
    operations: list[Operation]
    conditions: Sequence[Condition] | None

    def decided_by(self) -> frozenset[int]:
        """Return the clbits that the conditions test."""
        return conditions.clbits_of(*(self.conditions or ()))


class Emitter:
    """Builds a circuit operation by operation.

    Args:
        limits: how large the circuit may become; a LimitError comes before anything larger is built.
    """

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.num_qubits = 0
        self.num_clbits = 0
        self.num_hidden = 0
        self.operations: list[Operation] = []
        self.notes: dict[str, None] = {}
        self.clbits_without_value: dict[int, int] = {}
        self.depth = 0  # the number of statements that depend on clbits around the next operation
        self._around: list[list[Operation]] = []  # what the statements around the next operation have so far
        self._collected = 0  # operations of branches that are still being collected
        self.written_clbits: set[int] = set()  # so far; perhaps in a branch
        self._took_back = False
        self._steps = 0
        self._free_steps = min(FREE_STEPS, 1000 + 2 * limits.operations)

    def parts(self) -> CircuitParts:
        """Return the parts of the circuit, for ``Circuit(*parts)``."""
        operations = self.operations
        if not self.num_hidden:
            return CircuitParts(self.num_qubits, self.num_clbits, operations, 0, tuple(self.notes))
        used: Sequence[int] = range(_HIDDEN, _HIDDEN + self.num_hidden)
        if self._took_back:  # what named some of them may have been taken back
            used = sorted({clbit for op in operations for clbit in _clbits_named(op) if clbit >= _HIDDEN})
        numbers = {clbit: self.num_clbits + place for place, clbit in enumerate(used)}
        operations = [with_clbits_numbered(op, lambda clbit: numbers.get(clbit, clbit)) for op in operations]
        return CircuitParts(self.num_qubits, self.num_clbits, operations, len(used), tuple(self.notes))

    def note(self, sentence: str) -> None:
        """Say something about the circuit that its results will say too; the same sentence is said once."""
        if len(self.notes) < MAX_NOTES:
            self.notes[sentence] = None

    def snapshot(self) -> Callable[[], None]:
        """Return the function that takes back everything that is appended from now on, in this branch."""
        operations, count, num_clbits = self.operations, len(self.operations), self.num_clbits
        without_value = dict(self.clbits_without_value)

        def restore() -> None:
            self._took_back = True
            del operations[count:]
            self.num_clbits = num_clbits
            self.clbits_without_value.clear()
            self.clbits_without_value.update(without_value)

        return restore

    def spend(self, steps: int) -> None:
        """Count steps of unrolling, so that a program that emits no operations ends as well.

        Raises:
            LimitError: the program takes too many steps for its number of operations.
        """
        self._steps += steps
        number = self._collected + len(self.operations)
        allowed = self._free_steps + STEPS_PER_OPERATION * number
        if self._steps > allowed:
            msg = f"unrolling the program takes more than {allowed:,} steps for {number:,} operations"
            raise LimitError(msg, limit="steps", requested=self._steps, allowed=allowed)

    def check_operations(self, more: float) -> None:
        """Raise a LimitError if so many more operations would exceed the limit."""
        self._check("operations", self._collected + len(self.operations) + more, self.limits.operations)

    def check_clbits(self, width: int) -> None:
        """Raise a LimitError if a register of so many bits would exceed the limit, be it of clbits or of constants."""
        self._check("clbits", width, self.limits.clbits)

    def new_qubits(self, number: int) -> tuple[int, ...]:
        """Add qubits and return their indices."""
        self._check("qubits", self.num_qubits + number, self.limits.qubits)
        first, self.num_qubits = self.num_qubits, self.num_qubits + number
        return tuple(range(first, self.num_qubits))

    def new_clbits(self, number: int) -> tuple[int, ...]:
        """Add clbits and return their indices."""
        self._check("clbits", self.num_clbits + self.num_hidden + number, self.limits.clbits)
        first, self.num_clbits = self.num_clbits, self.num_clbits + number
        return tuple(range(first, self.num_clbits))

    def new_hidden_clbits(self, number: int) -> tuple[int, ...]:
        """Add hidden clbits and return their indices, which :meth:`parts` replaces by the final ones."""
        self._check("clbits", self.num_clbits + self.num_hidden + number, self.limits.clbits)
        first, self.num_hidden = self.num_hidden, self.num_hidden + number
        return tuple(range(_HIDDEN + first, _HIDDEN + self.num_hidden))

    def forget(self, clbits: Sequence[int]) -> None:
        """Note that clbits have no value any more, so they must be written before they are read."""
        self.clbits_without_value.update(dict.fromkeys(self.written_clbits.intersection(clbits), self.depth))

    # ------------------------------------------------------------------ conditions

    def choose(self, branches: Sequence[tuple[Decision, Callable[[], object]]]) -> None:
        """Carry out each branch once, under its decision; at most one of the decisions holds.

        All decisions are made before the first branch begins.
        """
        collected = [self._branch(when, carry_out) for when, carry_out in branches if when != conditions.NEVER]
        changed: set[int] = set()
        for place, branch in enumerate(collected):
            is_last = place == len(collected) - 1 and len(branch.conditions or ()) == 1
            changed_before_the_end = _written(branch.operations[:-1] if is_last else branch.operations)
            repeats = any(op.name == "while" for op in branch.operations)
            changed_here = changed_before_the_end | (_written(branch.operations) if repeats else set())
            if branch.conditions is None or not branch.decided_by().isdisjoint(changed | changed_here):
                branch.conditions = [self.written_down(branch.when)]
            changed |= changed_before_the_end
        for branch in collected:
            for condition in branch.conditions or ():
                self._make_conditional(branch.operations, condition)

    def _branch(self, when: Decision, carry_out: Callable[[], object]) -> _Branch:
        """Carry out a branch, and return what it does."""
        with self._collecting() as operations:
            self.spend(1)
            carry_out()
        if isinstance(when, Expression) or (len(when) > 1 and len(when) * len(operations) > _MOST_REPEATED):
            return _Branch(when, operations, None)
        return _Branch(when, operations, when)

    @contextmanager
    def _collecting(self) -> Iterator[list[Operation]]:
        """Collect the operations of the block instead of appending them."""
        outer, self.operations = self.operations, []
        collected = len(outer)
        self._around.append(outer)
        self._collected += collected
        self.depth += 1
        try:
            yield self.operations
        finally:
            self._around.pop()
            self._collected -= collected
            self.depth -= 1
            self.operations = outer

    def written_down(self, when: Decision) -> Condition:
        """Write a decision to a hidden clbit, and return the condition that it holds."""
        (clbit,) = self.new_hidden_clbits(1)
        self.assign((clbit,), decided(when))
        return (Comparison((clbit,), 1),)

    def _make_conditional(self, operations: Sequence[Operation], condition: Condition) -> None:
        """Append the operations of a branch under a condition; a loop that is not begun needs none in its body."""
        nesting = 0
        for op in operations:
            nesting -= op.name == "end"
            if nesting or op.name == "end" or not condition:
                self.add(op)
            elif op.name != "barrier":
                both = conditions.both(condition, op.condition)
                self.add(Operation(op.name, op.qubits, op.params, op.clbits, both))
            nesting += op.name == "while"

    def repeat(self, decide: Callable[[], Decision], carry_out: Callable[[], object]) -> None:
        """Repeat a body as long as a decision holds before its turn.

        Args:
            decide: returns the decision; what it appends on the way happens before each turn.
            carry_out: appends the body, once.
        """
        with self._collecting() as deciding:
            when = decide()
        if when == conditions.NEVER:
            self._append_all(deciding)
            return
        self._append_all(deciding)
        if not isinstance(when, Expression) and len(when) == 1 and when != conditions.ALWAYS:
            condition = when[0]
            deciding_again = deciding
        else:
            before = len(self.operations)
            condition = self.written_down(when)
            deciding_again = [*deciding, *self.operations[before:]]
        self.add(Operation("while", (), (), (), condition))
        with self._collecting() as body:
            carry_out()
        self._append_all([*body, *deciding_again])
        self.add(Operation("end", ()))

    # ------------------------------------------------------------------ operations

    def gate(self, step: Step) -> None:
        """Append a gate, or a barrier."""
        name, qubits, params = step
        if name == "barrier":
            self.barrier(qubits)
            return
        if not all(map(_is_possible, params)):
            msg = f"{name} has an angle that is not a finite number: {list(params)}"
            raise CircuitInvalidError(msg, rule="finite angle")
        self.add(Operation(name, qubits, params))

    def measure(self, qubit: int, clbit: int | None) -> None:
        """Append a measurement; one that writes to no clbit writes to a hidden one."""
        if clbit is None:
            (clbit,) = self.new_hidden_clbits(1)
        self._begin_value((clbit,))
        self.add(Operation("measure", (qubit,), (), (clbit,)))

    def reset(self, qubit: int) -> None:
        """Append a reset."""
        self.add(Operation("reset", (qubit,)))

    def assign(self, clbits: Sequence[int], value: int | Expression) -> None:
        """Append the assignment of a classical value to clbits, the least significant first.

        A number that a float does not hold is written in parts, since numbers of operations are floats in a message.
        """
        self._begin_value(clbits)
        if isinstance(value, Expression) or abs(value) < _FIRST_INEXACT:
            self.add(Operation("set", (), (with_small_numbers(value),), tuple(clbits)))
            return
        for first in range(0, len(clbits), _BITS_OF_A_PART):
            part = tuple(clbits[first : first + _BITS_OF_A_PART])
            self.add(Operation("set", (), ((value >> first) & ((1 << len(part)) - 1),), part))

    def _begin_value(self, clbits: Sequence[int]) -> None:
        """Give clbits without a value the value 0 outside of the branches in which they may be written."""
        if self.clbits_without_value:
            for clbit in clbits:
                depth = self.clbits_without_value.pop(clbit, self.depth)
                if depth < self.depth:
                    self._around[depth].append(Operation("set", (), (0,), (clbit,)))
        self.written_clbits.update(clbits)

    def barrier(self, qubits: tuple[int, ...]) -> None:
        """Append a barrier, unless a condition is in force: a barrier cannot have one and is not needed there."""
        if qubits and not self.depth:
            self.add(Operation("barrier", qubits))

    def add(self, operation: Operation) -> None:
        """Append an operation that is known to be right."""
        if self._collected + len(self.operations) >= self.limits.operations:
            self.check_operations(1)
        self.operations.append(operation)

    def _append_all(self, operations: Sequence[Operation]) -> None:
        self.check_operations(len(operations))
        self.operations.extend(operations)

    def _check(self, what: str, requested: float, allowed: int) -> None:
        if requested > allowed:
            raise too_large(what, requested, allowed)


def too_large(what: str, requested: float, allowed: int) -> LimitError:
    """Return the error for a circuit with too many qubits, clbits or operations."""
    count = math.ceil(min(requested, 1e18))
    setting = " (Limits.operations, a server's max_operations)" if what == "operations" else ""
    msg = f"the circuit has {count:,} {what} or more; at most {allowed:,} are accepted{setting}"
    return LimitError(msg, limit=what, requested=count, allowed=allowed)


def _is_possible(angle: Angle) -> bool:
    return isinstance(angle, Expression) or math.isfinite(angle)


def decided(when: Decision) -> int | Expression:
    """Return a decision as a classical value, 1 if it holds and 0 if not."""
    if isinstance(when, Expression):
        return Expression("!=", (when, 0))
    value: int | Expression = 0
    for condition in when:
        holds: int | Expression = 1
        for comparison in condition:
            test = Expression("==" if comparison.equal else "!=", (bits(*comparison.clbits), comparison.value))
            holds = test if holds == 1 else Expression("and", (holds, test))
        value = holds if value == 0 else Expression("or", (value, holds))
    return value


def _written(operations: Sequence[Operation]) -> set[int]:
    """Return the clbits that operations write to."""
    return set().union(*[op.clbits for op in operations if op.clbits])


def _clbits_named(op: Operation) -> Iterator[int]:
    """Yield the clbits that an operation writes, reads or tests."""
    yield from op.clbits
    for test in op.condition:
        yield from test.clbits
    if op.name == "set":
        yield from clbits_read(op.params[0])


def with_clbits_numbered(op: Operation, number: Callable[[int], int]) -> Operation:
    """Return an operation in which every clbit has another number."""
    if not op.clbits and not op.condition:
        return op
    params = tuple([renumbered(value, number) for value in op.params]) if op.name == "set" else op.params
    condition = tuple([Comparison(tuple(map(number, test.clbits)), test.value, test.equal) for test in op.condition])
    return Operation(op.name, op.qubits, params, tuple(map(number, op.clbits)), condition)
