"""How much the exact simulator takes on, so that it refuses a circuit instead of running for ever."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.errors import LimitError


@dataclass(frozen=True, slots=True)
class Bounds:
    """The largest sizes that the exact simulator accepts.

    Args:
        amplitudes: that are held at once: ``2**qubits`` in each branch, 16 bytes each.
        values: bytes of the measured values of all branches, and of all outcomes.
        outcomes: of the distribution.
        work: the number of amplitudes that all operations together may change, some nanoseconds each.
        turns: of a loop.
    """

    amplitudes: int = 2**22
    values: int = 2**28
    outcomes: int = 2**22
    work: int = 2**32
    turns: int = 10_000

    def check_branches(self, branches: int, qubits: int, values: int = 0) -> None:
        """Refuse to hold so many branches, each with a state of so many qubits and so many measured values.

        Raises:
            LimitError: ``limit`` is ``amplitudes`` or ``values``.
        """
        what = f"{qubits} qubits at a time" + (f" in {branches:,} branches" if branches > 1 else "")
        self._check("amplitudes", f"the circuit keeps {what}, which are", branches << qubits, self.amplitudes)
        what = f"{branches:,} branches with {values} measured values each"
        self._check("values", f"the circuit has {what}, which are", branches * values, self.values)

    def check_outcomes(self, outcomes: int, bytes_each: int) -> None:
        """Refuse a distribution of so many outcomes.

        Raises:
            LimitError: ``limit`` is ``outcomes``.
        """
        self._check("outcomes", "the circuit has", outcomes, min(self.outcomes, self.values // bytes_each))

    def check_work(self, changes: int) -> None:
        """Refuse to change so many amplitudes.

        Raises:
            LimitError: ``limit`` is ``work``.
        """
        self._check("work", "the operations of the circuit change", changes, self.work)

    def check_turns(self, turns: int, operation: int) -> None:
        """Refuse so many turns of the loop that begins with an operation.

        Raises:
            LimitError: ``limit`` is ``turns``.
        """
        if turns > self.turns:
            msg = f"operation {operation}: the loop has not ended after {self.turns:,} turns of our own exact simulator"
            raise LimitError(msg, limit="turns", requested=turns, allowed=self.turns)

    def _check(self, limit: str, sentence: str, requested: int, allowed: int) -> None:
        if requested > allowed:
            noun = "changes of amplitudes" if limit == "work" else limit
            msg = f"{sentence} {requested:,} {noun} or more; our own exact simulator takes at most {allowed:,}"
            raise LimitError(msg, limit=limit, requested=requested, allowed=allowed)


DEFAULT_BOUNDS = Bounds()
"""At most some 500 MB, and half a minute."""
