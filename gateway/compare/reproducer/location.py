"""Finds the operation after which two simulators differ."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from gateway.backends.base import Backend
from gateway.circuit import Circuit, Operation
from gateway.compare.reproducer.asking import DEFAULT_SHOTS, has
from gateway.compare.reproducer.clock import DEFAULT_SECONDS, Clock, TimeIsUp
from gateway.compare.reproducer.judge import Judge, judge_of
from gateway.compare.reproducer.views import all_measured, has_state, measures
from gateway.errors import JobTimeout
from gateway.results import ResultType

SECTIONS = 8
"""Into so many parts of equal length the operations are cut, to look at the ends of all of them together."""


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """The shortest prefix of a circuit after which two simulators differ: after the one before it they do not.

    Args:
        length: of the prefix, in operations; 0 if they differ before any operation, in what they measure.
        operation: the last operation of the prefix.
        circuit: the prefix with all qubits measured, in the basis that shows the difference.
        how: what the two were compared by.
    """

    length: int
    operation: Operation | None
    circuit: Circuit
    how: str

    @property
    def index(self) -> int | None:
        """The index of the operation in the circuit."""
        return self.length - 1 if self.length else None

    def __str__(self) -> str:
        if self.operation is None:
            return f"they differ before any operation, in what they measure ({self.how})"
        return f"they differ after operation {self.index}: {self.operation} ({self.how})"


def locate(
    circuit: Circuit,
    a: Backend,
    b: Backend | None = None,
    *,
    shots: int = DEFAULT_SHOTS,
    seed: int | None = None,
    seconds: float | None = DEFAULT_SECONDS,
) -> Located:
    """Return a prefix of a circuit after which two simulators differ, while they do not after one operation less.

    State vectors are compared where both simulators have them and the prefix measures nothing. Otherwise all qubits
    are measured after the prefix, in three bases, and exact probabilities or samples are compared. A difference can
    come and go; then there are several such prefixes, and this is one of them.

    Args:
        circuit: on which the two differ.
        a: one simulator.
        b: the other one; ``None`` for our own exact simulator.
        shots: of each run, where the exact results show nothing or there are none.
        seed: of these runs; drawn at random by default.
        seconds: that the search may take; ``None`` for as long as it takes.

    Raises:
        RequestError: the two do not differ on this circuit.
        JobTimeout: the time is over.
        GatewayError: both fail on this circuit, or one cannot be asked at all.
    """
    clock = Clock()
    clock.set(seconds)
    seed = secrets.randbelow(2**31) if seed is None else seed
    with_states = has(a, ResultType.STATEVECTOR) and has(b, ResultType.STATEVECTOR)
    prefixes = _Prefixes(circuit, with_states=with_states)
    try:
        whole = prefixes.versions(prefixes.length)
        judge, _ = judge_of(whole, a, b, clock, shots=shots, seed=seed, with_states=with_states)
        return prefixes.located(_search(prefixes, judge), judge)
    except TimeIsUp:
        raise JobTimeout(f"the operation was not found within {seconds} s", timeout_s=seconds) from None


class _Prefixes:
    """The prefixes of a circuit, and how they are looked at.

    Args:
        circuit: the whole circuit.
        with_states: whether the simulators have state vectors.
    """

    def __init__(self, circuit: Circuit, *, with_states: bool) -> None:
        self.circuit = circuit
        self.length = len(circuit.operations)
        self._with_states = with_states

    def versions(self, length: int) -> list[Circuit]:
        """Return the circuits that show whether the simulators differ after so many operations."""
        prefix = Circuit(self.circuit.num_qubits, self.circuit.num_clbits, self.circuit.operations[:length])
        whole = [prefix] if length == self.length and measures(prefix) else []
        return [*whole, *([prefix] if self._with_states and has_state(prefix) else all_measured(prefix))]

    def differ(self, lengths: Sequence[int], judge: Judge) -> list[bool]:
        """Return for each length whether the simulators differ after so many operations."""
        versions = {length: self.versions(length) for length in lengths}
        judge.shows([version for length in lengths for version in versions[length]])  # all at once; it remembers
        return [any(judge.shows(versions[length])) for length in lengths]

    def located(self, length: int, judge: Judge) -> Located:
        """Return the prefix of a length as the result."""
        versions = self.versions(length)
        shown = judge.shows(versions)
        return Located(
            length=length,
            operation=self.circuit.operations[length - 1] if length else None,
            circuit=versions[shown.index(True)] if True in shown else versions[0],
            how=judge.how,
        )


def _search(prefixes: _Prefixes, judge: Judge) -> int:
    """Return the length of a prefix that differs while the one before it does not; the whole circuit differs."""
    low, high = -1, prefixes.length
    while high - low > 1:
        between = sorted({low + (high - low) * part // SECTIONS for part in range(1, SECTIONS)} - {low})
        verdicts = prefixes.differ(between, judge)
        if True in verdicts:
            low, high = [low, *between][verdicts.index(True)], between[verdicts.index(True)]
        else:
            low = between[-1]
    confirming = judge.confirming()
    lengths = [length for length in (high - 1, high) if length >= 0]
    if confirming is judge or prefixes.differ(lengths, confirming) == [length == high for length in lengths]:
        return high
    return _scan(prefixes, confirming)


def _scan(prefixes: _Prefixes, judge: Judge) -> int:
    """Return the length of the shortest prefix that differs, looking at each of them."""
    for start in range(0, prefixes.length, SECTIONS):
        lengths = range(start, min(start + SECTIONS, prefixes.length))
        verdicts = prefixes.differ(lengths, judge)
        if True in verdicts:
            return lengths[verdicts.index(True)]
    return prefixes.length
