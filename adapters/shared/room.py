"""The room that one run has in memory: what it holds by the estimate, against what it may use.

A run names each part of what it will hold before it allocates it: operations, states, shots, outcomes, the answer.
The first parts cost nothing but a sum. Once they come to :data:`ALWAYS_FITS`, the room is looked up and claimed, and
what does not fit is refused by the name of what is too large. From then on the process has a ceiling as well, so that
an allocation that nobody has estimated fails instead of taking the memory of others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Self

from adapters.shared.costs import outcome_bytes, packed_outcome_bytes
from adapters.shared.memory import RESERVE, unclaimed_bytes
from gateway.claims import ACCOUNT, Claim
from gateway.errors import LimitError
from gateway.free_memory import lower_ceiling, restore_ceiling

ALWAYS_FITS = 8 * 2**20
"""A run that holds no more than this is not held against the memory, and nobody looks up how much is free."""

UNCOUNTED = 2**20
"""A part up to this size does not count: the reserve that stays free is many times as large."""

Refusal = Callable[[int], LimitError]
"""Returns the error for a part that does not fit, given the bytes that are left for it."""


class Room:
    """What one run may hold, and what it holds.

    Args:
        simulator: the name of the simulator, for errors.
        available: returns how many bytes the run may hold when no other run holds anything.
        deadline: when the run ends at the latest, on the monotonic clock.
    """

    __slots__ = ("_available", "_claim", "_deadline", "_most", "_soft", "_token", "outcomes_held", "parts", "simulator")

    def __init__(self, simulator: str, available: Callable[[], int], deadline: float) -> None:
        self.simulator = simulator
        self.parts: dict[str, int] = {}
        self.outcomes_held = 0
        self._available = available
        self._deadline = deadline
        self._most: int | None = None
        self._claim: Claim | None = None
        self._soft: int | None = None

    def take(self, parts: Mapping[str, int], refusal: Refusal) -> None:
        """Add parts to what the run holds; a part that it holds already is replaced.

        Args:
            parts: name -> bytes.
            refusal: makes the error for parts that do not fit.

        Raises:
            LimitError: they do not fit, not even when no other run holds anything.
            BusyError: other runs did not end in time.
        """
        before = sum(size for name, size in self.parts.items() if name not in parts)
        self.parts.update({name: size for name, size in parts.items() if size > UNCOUNTED})
        total = sum(self.parts.values())
        if total <= ALWAYS_FITS:
            return
        most = self.most()
        if total > most:
            raise refusal(max(most - before, 0))
        self._claim_bytes(total)

    def most(self) -> int:
        """Return the bytes that the run may hold in all, looked up once, and set the ceiling of the process."""
        if self._most is None:
            self._most = self._available()
            self._soft = lower_ceiling(self._most + RESERVE)
        return self._most

    def take_outcomes(self, number: int, width: int, *, packed: bool = False) -> None:
        """Add outcomes to those that the run holds, before their bitstrings are written.

        Args:
            number: how many there are.
            width: the clbits of each.
            packed: whether they are kept in arrays, and no bitstrings are written.

        Raises:
            LimitError: they do not fit; ``allowed`` is the number of outcomes that would.
        """
        total = self.outcomes_held + number
        each = packed_outcome_bytes(width) if packed else outcome_bytes(width)
        if total * each <= UNCOUNTED:
            return

        def refusal(left: int) -> LimitError:
            return self._limit(
                f"{total:,} outcomes of {width:,} clbits",
                "outcomes",
                total,
                left // each,
                ": ask for fewer shots or fewer clbits",
            )

        self.take({"outcomes": total * each}, refusal)

    def take_operations(self, size: int, number: int) -> None:
        """Add the operations of a circuit.

        Raises:
            LimitError: they do not fit; ``allowed`` is the number of operations that would.
        """
        self.take(
            {"operations": size},
            lambda left: self._limit(f"{number:,} operations", "operations", number, left * number // size),
        )

    def take_shots(self, shots: int, each: int) -> None:
        """Add the shots that a simulator's own sampler draws.

        Raises:
            LimitError: they do not fit; ``allowed`` is the number of shots that would.
        """
        self.take({"shots": shots * each}, lambda left: self._limit(f"{shots:,} shots", "shots", shots, left // each))

    def take_answer(self, shots: int, each: int) -> None:
        """Add an answer with so many bytes for each shot.

        Raises:
            LimitError: it does not fit; ``allowed`` is the number of shots for which it would.
        """
        self.take({"answer": shots * each}, lambda left: self._limit(f"{shots:,} shots", "shots", shots, left // each))

    def take_states(self, parts: Mapping[str, int], num_qubits: int, allowed: Callable[[int], int]) -> None:
        """Add the states of some qubits, and what is made of them.

        Args:
            parts: name -> bytes.
            num_qubits: the number of qubits.
            allowed: returns how many qubits would fit into so many bytes.

        Raises:
            LimitError: they do not fit; ``allowed`` is the number of qubits that would.
        """
        self.take(parts, lambda left: self._limit(f"{num_qubits} qubits", "qubits", num_qubits, allowed(left)))

    def largest(self) -> str:
        """Return the name of the largest part that was estimated; empty where nothing was."""
        return max(self.parts, key=self.parts.__getitem__, default="")

    def __enter__(self) -> Self:
        """Be the room of the run under way."""
        self._token = _current.set(self)
        return self

    def __exit__(self, *_: object) -> None:
        """End with the run."""
        _current.reset(self._token)
        self.close()

    def close(self) -> None:
        """Give back what the run claimed, and the ceiling that the process had before."""
        if self._claim is not None:
            ACCOUNT.release(self._claim)
        restore_ceiling(self._soft)

    def _limit(self, what: str, limit: str, requested: int, allowed: int, hint: str = "") -> LimitError:
        text = f"{what} do not fit into the memory {self.simulator} may use: at most {allowed:,} do{hint}"
        return LimitError(text, limit=limit, requested=requested, allowed=allowed)

    def _claim_bytes(self, total: int) -> None:
        if self._claim is not None:
            if total > self._claim.size:  # in steps, since outcomes may grow one by one
                ACCOUNT.grow(self._claim, min(total * 5 // 4, self.most()), unclaimed_bytes, self.largest())
            return
        self._claim = ACCOUNT.claim(total, unclaimed_bytes, max(self._deadline - time.monotonic(), 0), self.largest())


_current: ContextVar[Room | None] = ContextVar("room", default=None)


def take_outcomes(number: int, width: int) -> None:
    """Add outcomes to those that the run under way holds; without a run nothing is counted.

    Raises:
        LimitError, BusyError: as :meth:`Room.take_outcomes` says.
    """
    room = _current.get()
    if room is not None:
        room.take_outcomes(number, width)


def take_packed_outcomes(number: int, width: int) -> None:
    """Add outcomes that are kept in arrays to those that the run under way holds.

    Raises:
        LimitError, BusyError: as :meth:`Room.take_outcomes` says.
    """
    room = _current.get()
    if room is not None:
        room.take_outcomes(number, width, packed=True)


def hold_outcomes(number: int) -> None:
    """Say how many different outcomes the run under way holds by now."""
    room = _current.get()
    if room is not None:
        room.outcomes_held = number


def set_ceiling() -> None:
    """Set the ceiling of the run under way, for what nobody can estimate; without a run there is none."""
    room = _current.get()
    if room is not None:
        room.most()
