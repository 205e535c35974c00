"""Batch: circuits that another framework's interface runs together, each with an outcome or an error of its own."""

from __future__ import annotations

import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from gateway.backends.base import Backend
from gateway.backends.job import Job
from gateway.circuit import Circuit, Operation
from gateway.circuit.widening import widened
from gateway.counts import Counts, Probabilities
from gateway.errors import GatewayError, JobCancelled, LimitError
from gateway.protocol.messages import ServerLimits
from gateway.results import JobState

S = TypeVar("S")

MOST_CIRCUITS = ServerLimits().max_circuits
"""How many circuits one request has at most; this is the default limit of a server."""

_SEEDS = 2**32

Outcome = Counts | Probabilities


def converted(parse: Callable[[S], Circuit], sources: Iterable[S]) -> list[Circuit | GatewayError]:
    """Return the circuit of each source, or the error with which its conversion refuses it."""
    circuits: list[Circuit | GatewayError] = []
    for source in sources:
        try:
            circuits.append(parse(source))
        except GatewayError as exc:
            circuits.append(exc)
    return circuits


class Batch:
    """Runs circuits in as few requests as possible.

    A circuit that measures nothing runs as well, and its clbits keep their values. On our own backends such a
    circuit is an error, because there its author has nearly always forgotten something; all other frameworks
    answer it.

    Args:
        backend: one of our backends.
        circuits: the circuits; an error stands for a circuit that could not be converted, and is its outcome.
        shots: the number of shots of each circuit; ``None`` for exact probabilities.
        seed: the seed of the first circuit with shots; the next has one more, and so on.
        timeout_s: seconds after which each request is killed.

    Raises:
        GatewayError: the backend accepts no request now.
    """

    def __init__(
        self,
        backend: Backend,
        circuits: Sequence[Circuit | GatewayError],
        *,
        shots: Sequence[int | None],
        seed: int | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self._size = len(circuits)
        self._errors: dict[int, GatewayError] = {
            place: found for place, found in enumerate(circuits) if isinstance(found, GatewayError)
        }
        self._unmeasured = {
            place for place, found in enumerate(circuits) if isinstance(found, Circuit) and not _measures(found)
        }
        self._parts: list[tuple[Job[Any], list[int]]] = []
        self._outcomes: list[Outcome | GatewayError] | None = None
        requests = deque(_requests(set(range(self._size)) - self._errors.keys(), shots))
        try:
            while requests:
                places = requests.popleft()
                numbers = [shots[place] for place in places]
                try:
                    job = backend.run_async(
                        [self._runnable(circuits[place], place) for place in places],
                        shots=None if None in numbers else cast("list[int]", numbers),
                        seed=None if seed is None else seed % _SEEDS,
                        timeout_s=timeout_s,
                    )
                except LimitError as exc:
                    requests.extendleft(reversed(self._within(exc, places, numbers)))
                    continue
                self._parts.append((job, places))
                if seed is not None and None not in numbers:
                    seed += len(places)
        except BaseException:
            self.cancel()
            raise
        self.id = self._parts[0][0].id if self._parts else secrets.token_urlsafe(16)

    def _runnable(self, circuit: Any, place: int) -> Circuit:  # noqa: ANN401 - a Circuit, since errors are not run
        return _with_measurement(circuit) if place in self._unmeasured else circuit

    def _within(self, error: LimitError, places: list[int], shots: list[int | None]) -> list[list[int]]:
        """Return the requests to send in the place of one that exceeds a limit of the server.

        What exceeds the limit even alone has the error as its outcome.

        Raises:
            LimitError: smaller requests would not help.
        """
        allowed = error.allowed or 0
        if error.limit == "max_circuits" and 0 < allowed < len(places):
            return [places[begin : begin + allowed] for begin in range(0, len(places), allowed)]
        if error.limit == "max_body_bytes" and len(places) > 1:
            half = len(places) // 2
            return [places[:half], places[half:]]
        if error.limit == "max_body_bytes":
            excessive = set(places)
        elif error.limit == "max_shots":
            excessive = {place for place, number in zip(places, shots, strict=True) if (number or 0) > allowed}
        else:
            excessive = set()
        if not excessive:
            raise error
        self._errors |= dict.fromkeys(excessive, error)
        rest = [place for place in places if place not in excessive]
        return [rest] if rest else []

    def status(self) -> JobState:
        """Return the state now; it is ``failed`` only if no circuit has an outcome."""
        states = {job.status() for job, _ in self._parts}
        if not all(state.ended for state in states):
            return JobState.QUEUED if states == {JobState.QUEUED} else JobState.RUNNING
        if JobState.CANCELLED in states:
            return JobState.CANCELLED
        if JobState.FAILED in states or not states:
            return JobState.FAILED if self._size and self.error() is not None else JobState.DONE
        return JobState.DONE

    def error(self, timeout_s: float | None = None) -> GatewayError | None:
        """Wait for the end, and return the first circuit's error if no circuit has an outcome."""
        outcomes = self.outcomes(timeout_s)
        errors = [outcome for outcome in outcomes if isinstance(outcome, GatewayError)]
        return errors[0] if errors and len(errors) == len(outcomes) else None

    def outcomes(self, timeout_s: float | None = None) -> list[Outcome | GatewayError]:
        """Wait for the end, and return the outcome or the error of each circuit, in order.

        Raises:
            JobTimeout: the outcomes were not there within ``timeout_s``; the runs go on.
            TransportError: the server could not be reached.
        """
        if self._outcomes is None:
            begin, left_s = time.monotonic(), timeout_s
            found: dict[int, Outcome | GatewayError] = dict(self._errors)
            for job, places in self._parts:
                found.update(zip(places, job.outcomes(left_s), strict=True))
                left_s = None if timeout_s is None else max(0.0, begin + timeout_s - time.monotonic())
            for place in self._unmeasured:
                outcome = found[place]
                found[place] = outcome if isinstance(outcome, GatewayError) else _without_measurement(outcome)
            self._outcomes = [found[place] for place in range(self._size)]
        return self._outcomes

    def cancel(self) -> bool:
        """Cancel what has not ended, and return whether something is cancelled now."""
        cancelled = [job.cancel() for job, _ in self._parts]
        return any(cancelled)

    def raise_if_cancelled(self) -> None:
        """Raise the error of a batch that was cancelled.

        Raises:
            JobCancelled: it was.
        """
        if self._parts and self.status() is JobState.CANCELLED:
            raise JobCancelled("the job was cancelled")


def _requests(places: Iterable[int], shots: Sequence[int | None]) -> Iterable[list[int]]:
    """Yield the places of the circuits of each request, which is exact or has shots, and is not too long."""
    kinds: defaultdict[bool, list[int]] = defaultdict(list)
    for place in sorted(places):
        kinds[shots[place] is None].append(place)
    for kind in kinds.values():
        for begin in range(0, len(kind), MOST_CIRCUITS):
            yield kind[begin : begin + MOST_CIRCUITS]


def _measures(circuit: Circuit) -> bool:
    return any(operation.name == "measure" for operation in reversed(circuit.operations))


def _with_measurement(circuit: Circuit) -> Circuit:
    """Return a circuit that measures a qubit at its end, into one more clbit."""
    wider = widened(circuit, 1, 1)
    wider.operations.append(Operation("measure", (0,), (), (circuit.num_clbits,)))
    return wider


def _without_measurement(outcome: Outcome) -> Outcome:
    """Return the outcome without the last clbit, which is the first character."""
    weights: defaultdict[str, Any] = defaultdict(int)
    for key, weight in cast("Mapping[str, float]", outcome).items():
        weights[key[1:]] += weight
    return type(outcome)(weights, width=outcome.width - 1, provenance=outcome.provenance)
