"""Prepares a circuit for the exact simulator: what no clbit depends on is left out, and the rest falls into parts.

In a plan every qubit begins as 0 and is never reset without a condition: that ends a qubit and begins another one.
Likewise every measurement writes a new clbit, so that measurements can be moved. The numbers of qubits and clbits in
the operations of a plan are its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field

from gateway.circuit import Circuit, Comparison, Condition, Operation
from gateway.circuit.conditions import clbits_of

Wire = tuple[str, int]
"""``("qubit", number)`` or ``("clbit", number)``."""

WITHOUT_EFFECT = frozenset({"barrier", "gphase", "id", "u0"})
"""Operations that no outcome depends on: a global phase, even in one branch, does not change a probability."""


@dataclass(frozen=True, slots=True)
class Part:
    """Operations that share no qubit and no clbit with those of any other part, so that its outcomes are independent.

    A measurement without a condition takes its qubit out of the state: the value is known from then on. It has one
    clbit, or none where it only ends what the qubit shares with others.

    Args:
        operations: in an order that keeps few qubits in the state at a time.
        readings: the last of them, all of which take qubits out.
        clbits: clbit of the part that is read at the end -> clbit of the circuit.
        forgotten: index of an operation -> qubits that leave for good, and clbits that nothing reads after it.
    """

    operations: list[Operation]
    readings: list[Operation]
    clbits: dict[int, int]
    forgotten: dict[int, list[Wire]]

    def wires(self) -> set[Wire]:
        """Return all qubits and clbits of the part."""
        return {wire for op in (*self.operations, *self.readings) for wire in wires_of(op)}

    def smallest_work(self) -> tuple[int, int]:
        """Return how many qubits are in the state at most, and how many amplitudes change in one branch alone."""
        qubits: set[int] = set()
        most = work = 0
        for op in self.operations:
            if not op.condition:
                qubits.update(op.qubits)
            most = max(most, len(qubits))
            work += 1 << len(qubits)
            if takes_out(op):
                qubits.discard(op.qubits[0])
        return most, work


def takes_out(op: Operation) -> bool:
    """Return whether an operation takes its qubit out of the state."""
    return op.name == "measure" and not op.condition


def make_plan(circuit: Circuit) -> list[Part]:
    """Return the parts of a circuit; the clbits that are in none of them are always 0."""
    hidden = range(circuit.num_clbits, circuit.num_clbits + circuit.num_hidden)
    renamed = _rename(_relevant(circuit.operations, set(hidden)))
    shown = {clbit: number for clbit, number in renamed.clbits.items() if clbit < circuit.num_clbits}
    return [_part(operations, shown) for operations in _independent(renamed.operations)]


# ---------------------------------------------------------------------------- leaving out


def _relevant(operations: list[Operation], overwritten: set[int]) -> list[Operation]:
    """Return the operations on which the last value of any clbit depends (one pass, backwards).

    A measurement whose outcome nothing reads has no clbit; it is there for what it does to the qubit.

    Args:
        operations: of the circuit.
        overwritten: clbits whose value nothing reads before it is overwritten; at first the hidden ones.
    """
    needed: set[int] = set()  # qubits whose state matters later
    relevant = []
    for op in reversed(operations):
        if op.name in WITHOUT_EFFECT:
            continue
        clbits = tuple([clbit for clbit in op.clbits if clbit not in overwritten])
        if not clbits and needed.isdisjoint(op.qubits):
            continue
        relevant.append(op if clbits == op.clbits else Operation(op.name, op.qubits, (), (), op.condition))
        if op.name == "reset" and not op.condition:
            needed.discard(op.qubits[0])
        else:
            needed.update(op.qubits)
        if op.condition:
            overwritten -= clbits_of(op.condition)
        else:
            overwritten.update(clbits)
    relevant.reverse()
    return relevant


# ---------------------------------------------------------------------------- new numbers


@dataclass(slots=True)
class _Renamed:
    """Operations with the numbers of the plan.

    Args:
        operations: those renamed so far.
        qubits: qubit of the circuit -> its number now.
        clbits: clbit of the circuit -> its number now; at the end, the number that has its last value.
        num_qubits: how many numbers of qubits have been given.
        num_clbits: how many numbers of clbits have been given.
    """

    operations: list[Operation] = field(default_factory=list)
    qubits: dict[int, int] = field(default_factory=dict)
    clbits: dict[int, int] = field(default_factory=dict)
    num_qubits: int = 0
    num_clbits: int = 0

    def qubit(self, qubit: int) -> int:
        """Return the number of a qubit."""
        if qubit not in self.qubits:
            self.qubits[qubit] = self.num_qubits
            self.num_qubits += 1
        return self.qubits[qubit]

    def clbit(self, clbit: int) -> int:
        """Return the number of a clbit."""
        return self.clbits[clbit] if clbit in self.clbits else self.new_clbit(clbit)

    def new_clbit(self, clbit: int) -> int:
        """Return a new number for a clbit, which is overwritten."""
        self.clbits[clbit] = self.num_clbits
        self.num_clbits += 1
        return self.clbits[clbit]

    def condition(self, condition: Condition) -> Condition:
        """Return a condition on the clbits as they are now."""
        return tuple([Comparison(tuple(map(self.clbit, part.clbits)), part.value, part.equal) for part in condition])


def _rename(operations: Iterable[Operation]) -> _Renamed:
    renamed = _Renamed()
    for op in operations:
        if op.name == "reset" and not op.condition:
            renamed.qubits.pop(op.qubits[0], None)
            continue
        condition = renamed.condition(op.condition) if op.condition else ()
        qubits = tuple(map(renamed.qubit, op.qubits))
        clbits = tuple(map(renamed.clbit if condition else renamed.new_clbit, op.clbits))
        renamed.operations.append(Operation(op.name, qubits, op.params, clbits, condition))
    return renamed


# ---------------------------------------------------------------------------- parts


def _independent(operations: list[Operation]) -> list[list[Operation]]:
    """Return the operations in groups that share no qubit and no clbit."""
    parents: dict[Wire, Wire] = {}

    def root(wire: Wire) -> Wire:
        while (parent := parents.setdefault(wire, wire)) != wire:
            parents[wire] = parents[parent]
            wire = parent
        return wire

    for op in operations:
        first, *others = wires_of(op)
        for wire in others:
            parents[root(wire)] = root(first)
    groups: defaultdict[Wire, list[Operation]] = defaultdict(list)
    for op in operations:
        groups[root(("qubit", op.qubits[0]))].append(op)
    return list(groups.values())


def wires_of(op: Operation) -> list[Wire]:
    """Return the qubits and clbits of an operation, a qubit first."""
    wires = [("qubit", qubit) for qubit in op.qubits]
    if op.clbits or op.condition:
        wires += [("clbit", clbit) for clbit in {*op.clbits, *clbits_of(op.condition)}]
    return wires


def _part(operations: list[Operation], numbers: dict[int, int]) -> Part:
    """Return a part; ``numbers`` says which number has the last value of each clbit of the circuit."""
    written = {clbit for op in operations for clbit in op.clbits}
    clbits = {number: clbit for clbit, number in numbers.items() if number in written}
    ordered = _ordered(operations)
    end = len(ordered)
    while end and takes_out(ordered[end - 1]):
        end -= 1
    last_uses = {wire: index for index, op in enumerate(ordered) for wire in wires_of(op)}
    forgotten: defaultdict[int, list[Wire]] = defaultdict(list)
    for wire, index in last_uses.items():
        if wire[0] == "qubit" or wire[1] not in clbits:
            forgotten[index].append(wire)
    return Part(ordered[:end], ordered[end:], clbits, dict(forgotten))


def _ordered(operations: list[Operation]) -> list[Operation]:
    """Return the operations of a part in an order that lets qubits enter the state late and leave it early.

    What concerns one qubit alone waits for the qubit's next operation that concerns others too, or follows its last
    one at once. Then the qubit is measured, unless it has just been, so that it leaves the state.
    """
    joint = _joint(operations)
    if not joint:
        return operations  # all on the same qubit
    last_joint = {qubit: index for index in joint for qubit in operations[index].qubits}
    followers: defaultdict[int, list[Operation]] = defaultdict(list)
    for index, op in enumerate(operations):
        if index > last_joint[op.qubits[0]]:
            followers[op.qubits[0]].append(op)
    ordered: list[Operation] = []
    waiting: defaultdict[int, list[Operation]] = defaultdict(list)
    for index, op in enumerate(operations):
        if index not in joint:
            waiting[op.qubits[0]].append(op)
            continue
        for qubit in op.qubits:
            ordered += waiting.pop(qubit, ())
        ordered.append(op)
        for qubit in op.qubits:
            if index == last_joint[qubit]:
                ordered += followers[qubit]
                if not takes_out([op, *followers[qubit]][-1]):
                    ordered.append(Operation("measure", (qubit,)))
    return ordered


def _joint(operations: list[Operation]) -> dict[int, None]:
    """Return the indices, in order, of the operations that concern more than one qubit, directly or through clbits."""
    shared = clbits_of(*[op.condition for op in operations])
    shared |= {clbit for op in operations if op.condition for clbit in op.clbits}
    return {
        index: None
        for index, op in enumerate(operations)
        if len(op.qubits) > 1 or op.condition or not shared.isdisjoint(op.clbits)
    }
