"""Finds the operation after which two simulators differ."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

import msgspec

from gateway.backends.base import Backend
from gateway.circuit import Circuit, Operation
from gateway.compare.reproducer.asking import DEFAULT_SHOTS, has
from gateway.compare.reproducer.clock import DEFAULT_SECONDS, Clock, TimeIsUp
from gateway.compare.reproducer.compacting import refuse_control_flow
from gateway.compare.reproducer.evidence import names_of
from gateway.compare.reproducer.judge import FailureJudge, Judge, judge_of
from gateway.compare.reproducer.views import all_measured, has_state, measures, views
from gateway.errors import JobTimeout
from gateway.results import ResultType


class Located(msgspec.Struct, frozen=True, kw_only=True):
    """The shortest prefix of a circuit after which two simulators differ: after the one before it they do not.

    Args:
        length: of the prefix, in operations; 0 if they differ before any operation, in what they measure.
        operation: the last operation of the prefix.
        circuit: the prefix with all qubits measured, in the basis that shows the difference.
        how: what the two were compared by.
        error: if one of them fails, its name and how it fails, such as ``qulacs fails: no kernel``; else empty.
    """

    length: int
    operation: Operation | None
    circuit: Circuit
    how: str
    error: str = ""

    @property
    def index(self) -> int | None:
        """The index of the operation in the circuit."""
        return self.length - 1 if self.length else None

    def __str__(self) -> str:
        error = self.error.partition("\n")[0].rstrip(". ")
        if self.operation is not None:
            return f"they differ after operation {self.index}: {self.operation} ({error or self.how})"
        if error:
            return f"they differ before any operation: {error}"
        return f"they differ before any operation, in what they measure ({self.how})"


def locate(
    circuit: Circuit,
    a: Backend,
    b: Backend | None = None,
    *,
    names: tuple[str, str] | None = None,
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
        names: of both; their own by default.
        shots: of each run, where the exact results show nothing or there are none.
        seed: of these runs; drawn at random by default.
        seconds: that the search may take; ``None`` for as long as it takes.

    Raises:
        RequestError: the two do not differ on this circuit.
        UnsupportedError, LimitError: one cannot run the circuit, or it has loops, assignments or hidden clbits.
        JobTimeout: the time is over.
        GatewayError: both fail on this circuit, or one cannot be asked at all.
    """
    refuse_control_flow(circuit, "taken apart")
    clock = Clock()
    clock.set(seconds)
    seed = secrets.randbelow(2**31) if seed is None else seed
    have_states = has(a, ResultType.STATEVECTOR) and has(b, ResultType.STATEVECTOR)
    try:
        judge, shown = judge_of(views(circuit), a, b, clock, shots=shots, seed=seed)
        is_seen_in_states = measures(circuit) or not measures(shown)
        prefixes = _Prefixes(circuit, with_states=have_states and is_seen_in_states)
        located = prefixes.located(_search(prefixes, judge), judge)
        if not isinstance(judge, FailureJudge):
            return located
        name, _ = names or names_of(a, b)
        return msgspec.structs.replace(located, error=f"{name} fails: {judge.error_of(located.circuit)}")
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

    def versions(self, length: int, judge: Judge) -> list[Circuit]:
        """Return the circuits that show whether the simulators differ after so many operations.

        Whether a simulator fails, a single one shows.
        """
        prefix = self.circuit.with_operations(self.circuit.operations[:length])
        whole = [prefix] if length == self.length and measures(prefix) else []
        if isinstance(judge, FailureJudge):
            return [*whole, *all_measured(prefix)][:1]
        return [*whole, *([prefix] if self._with_states and has_state(prefix) else all_measured(prefix))]

    def differ(self, lengths: Sequence[int], judge: Judge) -> list[bool]:
        """Return for each length whether the simulators differ after so many operations."""
        versions = {length: self.versions(length, judge) for length in lengths}
        judge.shows([version for length in lengths for version in versions[length]])  # all at once; it remembers
        return [any(judge.shows(versions[length])) for length in lengths]

    def located(self, length: int, judge: Judge) -> Located:
        """Return the prefix of a length as the result."""
        versions = self.versions(length, judge)
        shown = judge.shows(versions)
        return Located(
            length=length,
            operation=self.circuit.operations[length - 1] if length else None,
            circuit=versions[shown.index(True)] if True in shown else versions[0],
            how=judge.how,
        )


def _search(prefixes: _Prefixes, judge: Judge) -> int:
    """Return the length of a prefix that differs while the one before it does not; the whole circuit differs."""
    low, high, sections = -1, prefixes.length, judge.sections
    if isinstance(judge, FailureJudge) and high and prefixes.differ([0], judge)[0]:
        return 0  # most simulators that fail do so whatever they are given
    while high - low > 1:
        between = sorted({low + (high - low) * part // sections for part in range(1, sections)} - {low})
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
    for start in range(0, prefixes.length, judge.sections):
        lengths = range(start, min(start + judge.sections, prefixes.length))
        verdicts = prefixes.differ(lengths, judge)
        if True in verdicts:
            return lengths[verdicts.index(True)]
    return prefixes.length
