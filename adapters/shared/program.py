"""Prepares a circuit for the shared driver: a program of segments, events, assignments and loops.

A *segment* is a run of gates, an *event* a measurement or a reset whose outcome matters later. Measurements whose
outcome nothing needs before the end are moved there and sampled together. Clbits that the program writes have a
*column* each in the driver's tables; all others are 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import attrgetter
from typing import cast

from gateway.circuit import Circuit, Condition, Expression, Operation
from gateway.circuit.conditions import clbits_of
from gateway.circuit.expressions import clbits_read
from gateway.circuit.operations import NON_GATES, marks_of_loops

Columns = tuple[int, ...]

Misread = tuple[float, float]
"""The probability that the outcome 0 is written as 1, and that 1 is written as 0."""

_ALL_BUT_GATES = NON_GATES - {"measure"}
_BETWEEN = NON_GATES - {"barrier"}
"""What stands between segments."""


@dataclass(frozen=True, slots=True)
class Segment:
    """Gates up to the next step of another kind.

    Args:
        gates: in order of time, with their conditions.
        number: equal for segments with equal gates.
        conditional: the positions in ``gates`` of the gates with a condition.
        conditions: the different conditions of these gates.
        forgotten: columns that nothing reads after the segment.
    """

    gates: tuple[Operation, ...]
    number: int
    conditional: tuple[int, ...]
    conditions: tuple[Condition, ...]
    forgotten: Columns = ()


@dataclass(frozen=True, slots=True)
class Event:
    """A measurement or a reset.

    Args:
        column: where the outcome of a measurement goes; ``None`` for a reset.
        misread: how likely it is that a wrong outcome is written.
        clears: whether the qubit is 0 afterwards: it was reset, or nothing uses it again and states that differ in
            it alone should be the same.
    """

    qubit: int
    column: int | None
    clears: bool
    condition: Condition = ()
    forgotten: Columns = ()
    misread: Misread | None = None


@dataclass(frozen=True, slots=True)
class Assignment:
    """A classical value that is written to clbits.

    Args:
        columns: where it goes, the least significant bit first.
        number: how many assignments and loops begin before it in the circuit.
    """

    value: int | Expression
    columns: Columns
    number: int
    condition: Condition = ()
    forgotten: Columns = ()


@dataclass(frozen=True, slots=True)
class Loop:
    """The beginning of a loop.

    Args:
        condition: holds as long as the loop goes on.
        after: the index of the step after the loop.
        number: how many assignments and loops begin before it in the circuit.
        forgotten: columns that nothing reads after the loop.
    """

    condition: Condition
    after: int
    number: int
    forgotten: Columns = ()


@dataclass(frozen=True, slots=True)
class End:
    """The end of the loop that begins with the step ``begin``."""

    begin: int


Step = Segment | Event | Assignment | Loop | End


@dataclass(frozen=True, slots=True)
class Program:
    """A circuit as the driver runs it.

    Args:
        steps: the first one is a segment.
        final: clbit -> qubit for the measurements that were moved to the end.
        columns: clbit -> column, for the clbits that the program writes.
        branching: how many events may have two outcomes, those of a loop counted once.
        loops: whether there is a loop.
        misread: clbit -> how likely it is that it is misread, for measurements that were moved to the end.
    """

    num_qubits: int
    num_clbits: int
    steps: tuple[Step, ...]
    final: dict[int, int]
    columns: dict[int, int] = field(default_factory=dict)
    branching: int = 0
    loops: bool = False
    misread: dict[int, Misread] = field(default_factory=dict)

    @property
    def first(self) -> Segment:
        """The first step."""
        return cast("Segment", self.steps[0])

    @property
    def static(self) -> bool:
        """Whether all measurements come last and nothing depends on them."""
        return len(self.steps) == 1 and not self.first.conditional

    @property
    def repeats(self) -> bool:
        """Whether some gates are met several times."""
        numbers = [step.number for step in self.steps if isinstance(step, Segment)]
        return self.loops or len(set(numbers)) < len(numbers)

    @property
    def measured(self) -> list[int]:
        """The qubits measured at the end, ascending."""
        return sorted(set(self.final.values()))

    @property
    def shown(self) -> dict[int, int]:
        """Clbit of the outcome -> column, for those that no measurement at the end writes."""
        return {
            clbit: column
            for clbit, column in self.columns.items()
            if clbit < self.num_clbits and clbit not in self.final
        }

    def most_states(self, shots: int) -> int:
        """Return how many different states there may be at a time; 0 shots mean that exact weights are followed.

        Each state has a shot at least, and each event has two outcomes.
        """
        by_outcomes = 1 << min(self.branching, 60)
        if self.loops:
            return shots or 1 << 60
        return min(shots, by_outcomes) if shots else by_outcomes

    def depth(self, shots: int) -> int:
        """Return how many states wait if one history is followed after the other: one for each event on the way."""
        return min(self.branching, shots - 1) if shots else self.branching


def make_program(circuit: Circuit, *, measured_last: bool = True) -> Program:
    """Return the program of a circuit, in a few passes over its operations.

    Args:
        circuit: any valid circuit.
        measured_last: whether measurements that can wait are moved to the end, to be sampled together; otherwise they
            are events like all others.
    """
    program = _flat_program(circuit) if measured_last else None
    if program is not None:
        return program
    kept = _Kept(circuit, measured_last=measured_last)
    written = sorted(set().union(*[op.clbits for op in kept.operations if op.clbits]))
    columns = {clbit: column for column, clbit in enumerate(written)}
    steps = _Steps(kept, columns).steps
    if len(steps) > 1:
        shown = [columns[clbit] for clbit in written if clbit < circuit.num_clbits and clbit not in kept.final]
        steps = _forgetting(steps, columns, _set_of(shown))
    has_loop = any(isinstance(step, Loop) for step in steps)
    return Program(
        circuit.num_qubits,
        circuit.num_clbits,
        tuple(steps),
        kept.final,
        columns,
        _branching(kept.operations),
        has_loop,
        kept.misread,
    )


_condition = attrgetter("condition")


def _flat_program(circuit: Circuit) -> Program | None:
    """Return the program of a circuit of gates that measurements follow; ``None`` if it is more than that."""
    operations = circuit.operations
    names = [op.name for op in operations]
    end = names.index("measure") if "measure" in names else len(names)
    if set(names[end:]) - {"measure"} or not _ALL_BUT_GATES.isdisjoint(names[:end]):
        return None
    if any(map(_condition, operations)):
        return None
    last = {op.clbits[0]: op for op in operations[end:]}
    if circuit.num_hidden:
        last = {clbit: op for clbit, op in last.items() if clbit < circuit.num_clbits}
    final = {clbit: op.qubits[0] for clbit, op in last.items()}
    misread = {clbit: misread for clbit, op in last.items() if (misread := _misread_of(op)) is not None}
    only = Segment(tuple(operations[:end]), 0, (), ())
    return Program(circuit.num_qubits, circuit.num_clbits, (only,), final, misread=misread)


# ---------------------------------------------------------------------------- what is kept


class _Kept:
    """The operations that something depends on, and the measurements that can wait (one pass, backwards).

    Args:
        circuit: any valid circuit.
        measured_last: whether measurements that can wait do so.

    Attributes:
        operations: in order of time.
        cleared: the places among them of measurements whose qubit nothing uses again.
        final: clbit -> qubit for the measurements that were moved to the end.
        misread: clbit -> how likely it is that it is misread, for these measurements.
    """

    def __init__(self, circuit: Circuit, *, measured_last: bool) -> None:
        self.final: dict[int, int] = {}
        self.misread: dict[int, Misread] = {}
        self._measured_last = measured_last
        self._num_clbits = circuit.num_clbits
        self._acted_on_later: set[int] = set()  # qubits that something acts on later
        self._read_later: set[int] = set()  # clbits whose present value something reads later
        self._overwritten_later: set[int] = set(range(circuit.num_clbits, circuit.num_clbits + circuit.num_hidden))
        self._final_qubits: set[int] = set()
        self._loops = 0
        self._unused: set[int] = set()  # indices of measurements whose qubit nothing uses again
        indices = self._needed(circuit.operations)
        indices.reverse()
        self.operations = [circuit.operations[index] for index in indices]
        self.cleared = {place for place, index in enumerate(indices) if index in self._unused}

    def _needed(self, operations: Sequence[Operation]) -> list[int]:
        """Return the indices of the operations that are needed, the last one first."""
        needed: list[int] = []
        begins = _outer_loops(operations)
        acted_on = self._acted_on_later
        for index in range(len(operations) - 1, -1, -1):
            op = operations[index]
            name = op.name
            if name == "barrier":
                continue
            if name == "measure" or name == "reset":  # noqa: PLR1714 - twice as fast as a set, and this is each operation
                if self._can_be_left_out(op):
                    continue
                if name == "measure" and op.qubits[0] not in acted_on and op.qubits[0] not in self._final_qubits:
                    self._unused.add(index)
            elif not op.qubits and name != "gphase":
                self._control(op, index, operations, begins)
            needed.append(index)
            acted_on.update(op.qubits)
            self._follow_clbits(op)
        return needed

    def _can_be_left_out(self, op: Operation) -> bool:
        """Return whether a measurement can wait until the end or has no effect at all; note it if it can wait."""
        qubit = op.qubits[0]
        if self._loops or qubit in self._acted_on_later:
            return False
        if op.name == "reset":
            return qubit not in self._final_qubits
        clbit = op.clbits[0]
        if op.condition or clbit in self._read_later:
            return False
        if clbit not in self._overwritten_later:
            if not self._measured_last:
                return False
            self.final[clbit] = qubit
            misread = _misread_of(op)
            if misread is not None:
                self.misread[clbit] = misread
            self._final_qubits.add(qubit)
            self._overwritten_later.add(clbit)
        return True

    def _control(self, op: Operation, index: int, operations: Sequence[Operation], begins: Mapping[int, int]) -> None:
        """Enter or leave a loop; what comes before something in a loop comes after it, too."""
        if op.name == "end":
            self._loops += 1
            if index in begins:
                body = operations[begins[index] : index]
                self._acted_on_later.update(*[inner.qubits for inner in body if inner.name != "barrier"])
        elif op.name == "while":
            self._loops -= 1

    def _follow_clbits(self, op: Operation) -> None:
        """Follow which clbits are read or overwritten, backwards past an operation."""
        if op.clbits:
            if op.condition or self._loops:  # the clbits may stay as they were
                self._read_later.update(op.clbits)
            else:
                self._overwritten_later.update(op.clbits)
                self._read_later.difference_update(op.clbits)
        if op.condition:
            self._read_later.update(clbits_of(op.condition))
        if op.name == "set":
            self._read_later.update(clbits_read(op.params[0]))


def _outer_loops(operations: Sequence[Operation]) -> dict[int, int]:
    """Return the indices of the marks of the loops that are in no other loop: end -> while."""
    begins: dict[int, int] = {}
    last_end = -1
    for begin, end in sorted(marks_of_loops(operations)):
        if begin > last_end:
            begins[end], last_end = begin, end
    return begins


def _branching(operations: Iterable[Operation]) -> int:
    """Return how many measurements and resets may have two outcomes: those of a qubit that is in 0 or 1 have one."""
    operations = list(operations)
    certain = set().union(*[op.qubits for op in operations])
    branching = loops = 0
    for op in operations:
        loops += (op.name == "while") - (op.name == "end")
        if op.name not in {"measure", "reset"}:
            certain.difference_update(op.qubits)
        elif loops or op.qubits[0] not in certain:
            branching += 1
            if not op.condition and not loops:
                certain.add(op.qubits[0])
    return branching


# ---------------------------------------------------------------------------- steps


def _misread_of(op: Operation) -> Misread | None:
    """Return how the outcome of a measurement may be misread, which only a run with noise says."""
    return (op.params[0], op.params[1]) if op.params else None


class _Steps:
    """Cuts operations into steps."""

    def __init__(self, kept: _Kept, columns: Mapping[int, int]) -> None:
        self.steps: list[Step] = []
        self._columns = columns
        self._gates: list[Operation] = []
        self._numbers: dict[tuple[Operation, ...], int] = {}
        self._begins: list[int] = []
        self._num_control = 0
        for place, op in enumerate(kept.operations):
            if op.name not in _BETWEEN:
                self._gates.append(op)
                continue
            self._end_segment()
            self._add(op, clears=op.name == "reset" or place in kept.cleared)
        self._end_segment(at_the_end=True)

    def _end_segment(self, *, at_the_end: bool = False) -> None:
        if not self._gates and self.steps:
            return
        gates, self._gates = tuple(self._gates), []
        conditional = tuple([place for place, op in enumerate(gates) if op.condition])
        conditions = tuple(dict.fromkeys([gates[place].condition for place in conditional]))
        is_all = at_the_end and not self.steps  # the only one, which need not be found again
        number = 0 if is_all else self._numbers.setdefault(gates, len(self._numbers))
        self.steps.append(Segment(gates, number, conditional, conditions))

    def _next_number(self) -> int:
        self._num_control += 1
        return self._num_control - 1

    def _add(self, op: Operation, *, clears: bool) -> None:
        steps = self.steps
        if op.name == "while":
            self._begins.append(len(steps))
            steps.append(Loop(op.condition, 0, self._next_number()))
        elif op.name == "end":
            begin = self._begins.pop()
            steps.append(End(begin))
            steps[begin] = replace(cast("Loop", steps[begin]), after=len(steps))
        elif op.name == "set":
            columns = tuple([self._columns[clbit] for clbit in op.clbits])
            steps.append(Assignment(op.params[0], columns, self._next_number(), op.condition))
        else:
            column = self._columns[op.clbits[0]] if op.clbits else None
            steps.append(Event(op.qubits[0], column, clears, op.condition, misread=_misread_of(op)))


# ---------------------------------------------------------------------------- what is forgotten when


def _forgetting(steps: Sequence[Step], columns: Mapping[int, int], shown: int) -> list[Step]:
    """Return the steps with what nothing reads after each of them, so that rows that differ in that alone are one.

    Sets of columns are whole numbers, a bit for each column; ``shown`` are those that are read at the end.
    """
    live = shown
    read_in_loops = _read_in_loops(steps, columns)
    after_loops: list[int] = []
    result: list[Step] = []
    for place in range(len(steps) - 1, -1, -1):
        step = steps[place]
        if isinstance(step, End):
            after_loops.append(live)
            live |= read_in_loops[step.begin]
            result.append(step)
            continue
        read, written = _read(step, columns), _written(step)
        if isinstance(step, Loop):
            after = after_loops.pop()
            live = after | read_in_loops[place]
            forgotten = live & ~after
        else:
            forgotten = (read | written) & ~live
            live = _before(live, step, read, written)
        result.append(_with_forgotten(step, forgotten) if forgotten else step)
    result.reverse()
    return result


def _read_in_loops(steps: Sequence[Step], columns: Mapping[int, int]) -> dict[int, int]:
    """Return for each loop, by its place, what its condition and its body read before they write it."""
    found: dict[int, int] = {}
    around: list[int] = []
    read = 0  # in the innermost loop, after the present step
    for place in range(len(steps) - 1, -1, -1):
        step = steps[place]
        if isinstance(step, End):
            around.append(read)
            read = 0
        elif isinstance(step, Loop):
            found[place] = read | _read(step, columns)
            read = around.pop() | found[place]
        else:
            read = _before(read, step, _read(step, columns), _written(step))
    return found


def _before(live: int, step: Segment | Event | Assignment, read: int, written: int) -> int:
    """Return what is read after the beginning of a step, given what is read after its end."""
    if not (isinstance(step, Segment) or step.condition):
        live &= ~written
    return live | read


def _read(step: Step, columns: Mapping[int, int]) -> int:
    """Return the columns that a step reads."""
    if isinstance(step, End):
        return 0
    clbits = clbits_of(*(step.conditions if isinstance(step, Segment) else (step.condition,)))
    if isinstance(step, Assignment):
        clbits = clbits.union(clbits_read(step.value))
    return _set_of([columns[clbit] for clbit in clbits if clbit in columns])


def _written(step: Step) -> int:
    """Return the columns that a step writes."""
    if isinstance(step, Event):
        return 0 if step.column is None else 1 << step.column
    return _set_of(step.columns) if isinstance(step, Assignment) else 0


def _set_of(columns: Iterable[int]) -> int:
    result = 0
    for column in columns:
        result |= 1 << column
    return result


def _with_forgotten(step: Segment | Event | Assignment | Loop, forgotten: int) -> Step:
    digits = f"{forgotten:b}"[::-1]
    return replace(step, forgotten=tuple([column for column, digit in enumerate(digits) if digit == "1"]))
