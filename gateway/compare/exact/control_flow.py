"""Runs circuits with loops and assignments, in the order in which they are written.

Nothing is moved across a loop, so that such a circuit is one part. A loop has a value of its own in every branch, its
*flag*: whether its turns go on there. Each operation of its body has the condition that they do, so all branches go
through it together.
"""

from __future__ import annotations

from collections import defaultdict

from gateway.circuit import Circuit, Comparison, Operation
from gateway.circuit.conditions import clbits_of
from gateway.circuit.expressions import clbits_read
from gateway.circuit.gates import GATES
from gateway.circuit.operations import marks_of_loops
from gateway.compare.exact.bounds import Bounds
from gateway.compare.exact.branches import Branches
from gateway.compare.exact.outcomes import Outcomes, read
from gateway.compare.exact.plan import WITHOUT_EFFECT, Part, Wire

ENDED = 1e-15
"""A loop has ended where it goes on with less than this probability, which is left out."""


def has_control_flow(circuit: Circuit) -> bool:
    """Return whether a circuit has loops, assignments or hidden clbits."""
    return circuit.num_hidden > 0 or any(op.name in {"set", "while"} for op in circuit.operations)


def run_in_order(circuit: Circuit, bounds: Bounds) -> Outcomes:
    """Return the outcomes of a circuit with loops and assignments.

    Raises:
        LimitError: the circuit is too large, or a loop does not end.
    """
    return _Runner(circuit, bounds).run()


class _Runner:
    """Runs one circuit.

    Args:
        circuit: with loops or assignments.
        bounds: what is refused.
    """

    def __init__(self, circuit: Circuit, bounds: Bounds) -> None:
        self._operations = circuit.operations
        self._bounds = bounds
        self._first_flag = circuit.num_clbits + circuit.num_hidden
        self._ends = dict(marks_of_loops(circuit.operations))
        self._forgotten = _last_uses(circuit, self._ends)
        written = {clbit for op in circuit.operations for clbit in op.clbits if clbit < circuit.num_clbits}
        self._part = Part([], [], {clbit: clbit for clbit in written}, {})
        self._branches = Branches(sorted(self._wires()), bounds)

    def run(self) -> Outcomes:
        """Return the outcomes."""
        self._run(0, len(self._operations), 0)
        return read(self._part, self._branches, self._bounds)

    def _wires(self) -> set[Wire]:
        clbits = {clbit for op in self._operations for clbit in _clbits(op)}
        clbits.update(range(self._first_flag, self._first_flag + len(self._ends)))
        return {("clbit", clbit) for clbit in clbits} | {("qubit", q) for op in self._operations for q in op.qubits}

    def _run(self, begin: int, end: int, depth: int) -> None:
        """Carry out some operations in the branches where the loops around them, so many, go on."""
        flag = (Comparison((self._first_flag + depth - 1,), 1),) if depth else ()
        index = begin
        while index < end:
            op = self._operations[index]
            if op.name == "while":
                self._loop(index, depth)
                index = self._ends[index]
            elif op.name not in WITHOUT_EFFECT:
                inside = Operation(op.name, op.qubits, op.params, op.clbits, (*flag, *op.condition)) if flag else op
                self._branches.apply(inside)
            if op.name not in GATES or index in self._forgotten:
                self._branches.forget(self._forgotten.get(index, ()))
            index += 1

    def _loop(self, begin: int, depth: int) -> None:
        """Carry out a loop.

        Raises:
            LimitError: it does not end.
        """
        flag = self._first_flag + depth
        around = (Comparison((flag - 1,), 1),) if depth else ()
        again = (Comparison((flag,), 1), *self._operations[begin].condition)
        goes_on = (*around, *self._operations[begin].condition)
        for turn in range(self._bounds.turns + 1):
            probability = self._branches.keep_where(flag, goes_on)
            if probability < ENDED:
                self._branches.drop_where((Comparison((flag,), 1),))
                return
            self._bounds.check_turns(turn + 1, begin)
            self._run(begin + 1, self._ends[begin], depth + 1)
            goes_on = again


def _clbits(op: Operation) -> set[int]:
    """Return the clbits that an operation reads or writes."""
    return {*op.clbits, *clbits_of(op.condition), *(clbits_read(op.params[0]) if op.name == "set" else ())}


def _last_uses(circuit: Circuit, ends: dict[int, int]) -> dict[int, list[Wire]]:
    """Return the hidden clbits that nothing reads after an operation, by its index; those of a loop by its end."""
    last: dict[int, int] = {}
    loop_end = -1  # of the outermost loop
    for index, op in enumerate(circuit.operations):
        if op.name == "while":
            loop_end = max(loop_end, ends[index])
        place = max(index, loop_end)
        last.update(dict.fromkeys([clbit for clbit in _clbits(op) if clbit >= circuit.num_clbits], place))
    forgotten: defaultdict[int, list[Wire]] = defaultdict(list)
    for clbit, index in last.items():
        forgotten[index].append(("clbit", clbit))
    return dict(forgotten)
