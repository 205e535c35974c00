"""Reads Quil's jumps as branches and loops.

Jumps that stand as a compiler of structured programs writes them become the ``if`` and the ``while`` that they came
from: a jump ahead over a block, with or without another block beside it; a loop that is left at one place, and one
that is repeated by a jump under a condition at its end. Any other jumps are carried out as they stand: hidden clbits
have the number of the block of instructions that is next, and one loop carries out blocks until the last is done.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from pyquil.quilbase import Halt, Jump, JumpTarget, JumpUnless, JumpWhen

from gateway.circuit.conditions import compare
from gateway.circuit.emitter import Decision, Emitter, decided
from gateway.circuit.expressions import Expression
from gateway.errors import CircuitInvalidError
from gateway.frameworks.pyquil.memory import Memory

JUMPS = (Jump, JumpWhen, JumpUnless)


class NotStructured(Exception):  # noqa: N818 - a signal, not a mistake; it never reaches a user
    """The jumps are no branches and loops."""


class Jumps:
    """Carries out instructions with jumps.

    Args:
        out: the emitter.
        memory: the memory that jumps test.
        instructions: the instructions of the program.
        carry_out: carries out the instruction at a position that is no jump, label or halt.

    Raises:
        CircuitInvalidError: a jump leads to a label that is not there.
    """

    def __init__(
        self, out: Emitter, memory: Memory, instructions: Sequence[Any], carry_out: Callable[[int], None]
    ) -> None:
        self._out = out
        self._memory = memory
        self._instructions = instructions
        self._carry_out = carry_out
        self._labels = {_label(each): place for place, each in enumerate(instructions) if isinstance(each, JumpTarget)}
        self._backward: dict[int, int] = {}  # position of a label -> position of the last jump back to it
        for place, instruction in enumerate(instructions):
            if isinstance(instruction, JUMPS):
                target = self._target(place)
                if target < place:
                    self._backward[target] = place

    def structured(self) -> None:
        """Carry out all instructions as branches and loops.

        Raises:
            NotStructured: the jumps are none.
        """
        self._block(0, len(self._instructions))

    def _target(self, place: int) -> int:
        jump = self._instructions[place]
        target = self._labels.get(_label(jump))
        if target is None:
            msg = f"operation {place}: {jump.out()} leads to a label that is not there"
            raise CircuitInvalidError(msg, rule="label", operation=place)
        return target

    def _block(self, begin: int, end: int) -> None:
        """Carry out the instructions from ``begin`` up to ``end``."""
        while begin < end:
            instruction = self._instructions[begin]
            if begin in self._backward:
                begin = self._loop(begin, end)
            elif isinstance(instruction, JumpWhen | JumpUnless):
                begin = self._choose(begin, end)
            elif isinstance(instruction, Jump) or (isinstance(instruction, Halt) and self._out.depth):
                raise NotStructured
            elif isinstance(instruction, Halt):
                return
            else:
                if not isinstance(instruction, JumpTarget):
                    self._carry_out(begin)
                begin += 1

    def _choose(self, begin: int, end: int) -> int:
        """Carry out the two branches of a jump, and return the position where they meet again.

        The instructions are ``jump T; else; JUMP E; T; then; E``, as ``if_then`` writes them, or ``jump T; else; T``.
        """
        target = self._ahead(begin, begin, end)
        fails = self._decision(begin, jumps=False)
        if not isinstance(self._instructions[target - 1], Jump):
            self._out.choose([(fails, partial(self._block, begin + 1, target))])
            return target
        meet = self._ahead(target - 1, target, end)
        self._out.choose([
            (self._decision(begin, jumps=True), partial(self._block, target, meet)),
            (fails, partial(self._block, begin + 1, target - 1)),
        ])  # fmt: skip
        return meet

    def _loop(self, begin: int, end: int) -> int:
        """Carry out the loop that a label begins, and return the position after it."""
        last = self._backward[begin]
        if last >= end:
            raise NotStructured
        if not isinstance(self._instructions[last], Jump):
            self._out.repeat(partial(self._turn, begin + 1, last, last, jumps=True), lambda: None)
            return last + 1
        ways_out = [
            place
            for place in range(begin + 1, last)
            if isinstance(self._instructions[place], JUMPS) and self._target(place) == last + 1
        ]
        if len(ways_out) != 1 or isinstance(self._instructions[ways_out[0]], Jump):
            raise NotStructured
        (way_out,) = ways_out
        self._out.repeat(
            partial(self._turn, begin + 1, way_out, way_out, jumps=False), partial(self._block, way_out + 1, last)
        )
        return last + 1

    def _turn(self, begin: int, end: int, jump: int, *, jumps: bool) -> Decision:
        """Carry out what stands before the test of a loop, and return the decision that it goes on."""
        self._block(begin, end)
        return self._decision(jump, jumps=jumps)

    def _ahead(self, jump: int, begin: int, end: int) -> int:
        """Return the position of a jump's label, which has to lie ahead in the same block."""
        place = self._target(jump)
        if not begin < place < end:
            raise NotStructured
        return place

    def _decision(self, place: int, *, jumps: bool) -> Decision:
        """Return the decision that a jump under a condition happens, or that it does not."""
        jump = self._instructions[place]
        self._memory.index = place
        return self._memory.is_set(jump.condition, to=isinstance(jump, JumpWhen) is jumps)

    # ------------------------------------------------------------------ jumps as they stand

    def as_they_stand(self) -> None:
        """Carry out all instructions block by block, in one loop."""
        begins = self._begins()
        number_of: Mapping[int, int] = {begin: number for number, begin in enumerate(begins)}
        after_all = len(begins)
        next_block = self._out.new_hidden_clbits(after_all.bit_length())

        def carry_out(number: int) -> None:
            end = begins[number + 1] if number + 1 < after_all else len(self._instructions)
            self._out.assign(next_block, self._straight(begins[number], end, number_of, after_all))

        def turn() -> None:
            for number in range(after_all):
                self._out.choose([(compare(next_block, number), partial(carry_out, number))])

        self._out.repeat(lambda: compare(next_block, after_all, equal=False), turn)

    def _begins(self) -> list[int]:
        """Return where blocks begin: at labels, and after jumps and halts."""
        begins = {0} if self._instructions else set()
        for place, instruction in enumerate(self._instructions):
            if isinstance(instruction, JumpTarget):
                begins.add(place)
            elif isinstance(instruction, (*JUMPS, Halt)) and place + 1 < len(self._instructions):
                begins.add(place + 1)
        return sorted(begins)

    def _straight(self, begin: int, end: int, number_of: Mapping[int, int], after_all: int) -> int | Expression:
        """Carry out a block, and return the number of the one that is next."""
        following = number_of.get(end, after_all)
        for place in range(begin, end):
            instruction = self._instructions[place]
            if isinstance(instruction, Halt):
                return after_all
            if isinstance(instruction, Jump):
                return number_of[self._target(place)]
            if isinstance(instruction, JumpWhen | JumpUnless):
                jumps = decided(self._decision(place, jumps=True))
                return Expression("if", (jumps, number_of[self._target(place)], following))
            if not isinstance(instruction, JumpTarget):
                self._carry_out(place)
        return following


def _label(instruction: Any) -> str:  # noqa: ANN401 - a jump or its target
    return str(instruction.out()).split()[1]
