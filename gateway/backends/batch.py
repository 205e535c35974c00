"""Batch: circuits that another framework's interface runs together, each with an outcome or an error of its own."""

from __future__ import annotations

import secrets
import time
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypedDict, TypeVar, Unpack, cast

from gateway.backends.base import Backend
from gateway.backends.job import Job, awaited
from gateway.circuit import Circuit, Operation
from gateway.circuit.widening import widened
from gateway.counts import Counts, Probabilities
from gateway.errors import GatewayError, JobCancelled, LimitError
from gateway.observables import Observable
from gateway.protocol.messages import ServerLimits
from gateway.results import JobState, ResultType

S = TypeVar("S")
A = TypeVar("A")


@dataclass(frozen=True, slots=True)
class Sweep:
    """A circuit that runs at many points, each of which has an outcome.

    Args:
        circuit: the circuit with parameters.
        values: name of each of its parameters -> its value at each point, in radians.
        size: the number of points.
    """

    circuit: Circuit
    values: Mapping[str, Sequence[float]]
    size: int

    def part(self, begin: int, end: int) -> dict[str, Sequence[float]]:
        """Return the values at some of the points."""
        return {name: values[begin:end] for name, values in self.values.items()}


Convertible = Circuit | GatewayError | Sweep
"""A circuit, alone or at many points, or the error of one that could not be converted, which is its outcome then."""

MOST_CIRCUITS = ServerLimits().max_circuits
"""How many circuits one request has at most; this is the default limit of a server."""

MOST_POINTS = ServerLimits().max_points
"""At how many points one request runs a circuit at most; this is the default limit of a server."""

SHORT_AMPLITUDES, SHORT_SHOTS = 2**26, 10**6
"""A batch is short if its operations change at most so many amplitudes, and it draws at most so many shots."""

_SEEDS = 2**32

NOTHING_MEASURED = "the circuit measures nothing, so its clbits keep the values that they had"
"""The note of a circuit to which a measurement was added, and of its results, whose last clbit belongs to it."""


Observables = tuple[Observable, ...]


class Options(TypedDict, total=False):
    """How circuits are run.

    Args:
        seed: the seed of the first circuit with shots; the next has one more, and so on.
        timeout_s: seconds after which each request is killed.
        result: the result type; by default counts, or probabilities where there are no shots.
        observables: for each circuit the observables whose expectation values are its outcome, or ``None`` for one
            that has an outcome of the result type. Circuits with equal observables share requests.
    """

    seed: int | None
    timeout_s: float | None
    result: ResultType | None
    observables: Sequence[Observables | None] | None


def converted(parse: Callable[[S], Circuit], sources: Iterable[S]) -> list[Convertible]:
    """Return the circuit of each source, or the error with which its conversion refuses it."""
    circuits: list[Convertible] = []
    for source in sources:
        try:
            circuits.append(parse(source))
        except GatewayError as exc:
            circuits.append(exc)
    return circuits


def start(
    backend: Backend, circuits: Sequence[Convertible], shots: Sequence[int | None], **options: Unpack[Options]
) -> Running:
    """Start circuits, in the way that is the fastest for them, and return at once.

    Long runs are jobs of the server, which can be cancelled; short ones are not worth the requests that this takes.
    """
    if _is_short(circuits, shots):
        return QuickBatch(backend, circuits, shots, **options)
    return Batch(backend, circuits, shots, **options)


def run_together(
    backend: Backend, circuits: Sequence[Convertible], shots: Sequence[int | None], **options: Unpack[Options]
) -> list[Any]:
    """Run circuits in as few requests as possible, and wait for all outcomes.

    A circuit that measures nothing runs as well, see :class:`Batch`.

    Raises:
        GatewayError: the error of the first circuit that has no outcome.
    """
    outcomes = _outcomes(backend, circuits, shots, options)
    for outcome in outcomes:
        if isinstance(outcome, GatewayError):
            raise outcome
    return outcomes


def _outcomes(
    backend: Backend, circuits: Sequence[Convertible], shots: Sequence[int | None], options: Options
) -> list[Any]:
    """Run circuits without a job, and return their outcomes, or the errors of those that cannot be sent.

    Raises:
        GatewayError: a run failed.
    """
    requests = _Requests(circuits, shots, options)
    found: dict[int, Any] = {}
    for outcomes, places in requests.sent(backend.run):
        found.update(zip(places, cast("list[Any]", outcomes), strict=True))
    return requests.complete(found)


class Running(ABC):
    """Circuits under way.

    Attributes:
        id: the name of the job.
    """

    id: str

    @abstractmethod
    def status(self) -> JobState:
        """Return the state now; it is ``failed`` only if no circuit has an outcome."""

    @abstractmethod
    def outcomes(self, timeout_s: float | None = None) -> list[Any]:
        """Wait for the end, and return the outcome or the error of each circuit, in order.

        Raises:
            JobTimeout: the outcomes were not there within ``timeout_s``; the runs go on.
            TransportError: the server could not be reached.
        """

    @abstractmethod
    def cancel(self) -> bool:
        """Cancel what has not ended, and return whether something is cancelled now."""

    def error(self, timeout_s: float | None = None) -> GatewayError | None:
        """Wait for the end, and return the first circuit's error if no circuit has an outcome."""
        outcomes = self.outcomes(timeout_s)
        errors = [outcome for outcome in outcomes if isinstance(outcome, GatewayError)]
        return errors[0] if errors and len(errors) == len(outcomes) else None

    def raise_if_cancelled(self) -> None:
        """Raise the error of circuits that were cancelled.

        Raises:
            JobCancelled: they were.
        """
        if self.status() is JobState.CANCELLED:
            raise JobCancelled("the job was cancelled")


class Batch(Running):
    """Circuits that run as a job of the backend.

    A circuit that measures nothing runs as well, and its clbits keep their values. On our own backends such a
    circuit is an error, because there its author has nearly always forgotten something; all other frameworks
    answer it.

    Args:
        backend: one of our backends.
        circuits: the circuits, or errors in the place of some; a sweep has as many outcomes as points.
        shots: the number of shots of each circuit; ``None`` for an exact result.
        options: how the circuits are run.

    Raises:
        GatewayError: the backend accepts no request now.
    """

    def __init__(
        self,
        backend: Backend,
        circuits: Sequence[Convertible],
        shots: Sequence[int | None],
        **options: Unpack[Options],
    ) -> None:
        self._requests = _Requests(circuits, shots, options)
        self._parts: list[tuple[Job[Any], list[int]]] = []
        self._outcomes: list[Any] | None = None
        try:
            self._parts.extend(self._requests.sent(backend.run_async))
        except BaseException:
            self.cancel()
            raise
        self.id = self._parts[0][0].id if self._parts else secrets.token_urlsafe(16)

    def status(self) -> JobState:
        """Return the state now; it is ``failed`` only if no circuit has an outcome."""
        states = {job.status() for job, _ in self._parts}
        if not all(state.ended for state in states):
            return JobState.QUEUED if states == {JobState.QUEUED} else JobState.RUNNING
        if JobState.CANCELLED in states:
            return JobState.CANCELLED
        if states == {JobState.DONE} or self.error() is None:
            return JobState.DONE
        return JobState.FAILED

    def outcomes(self, timeout_s: float | None = None) -> list[Any]:
        """Wait for the end, and return the outcome or the error of each circuit, in order."""
        if self._outcomes is None:
            begin, left_s = time.monotonic(), timeout_s
            found: dict[int, Any] = {}
            for job, places in self._parts:
                found.update(zip(places, job.outcomes(left_s), strict=True))
                left_s = None if timeout_s is None else max(0.0, begin + timeout_s - time.monotonic())
            self._outcomes = self._requests.complete(found)
        return self._outcomes

    def cancel(self) -> bool:
        """Cancel what has not ended, and return whether something is cancelled now."""
        cancelled = [job.cancel() for job, _ in self._parts]
        return any(cancelled)


class KeptBatch(Running):
    """The circuits of a job that the backend has kept, which another process may have started as a batch.

    Args:
        job: the job.
    """

    def __init__(self, job: Job[Any]) -> None:
        self.id = job.id
        self._job = job

    def status(self) -> JobState:
        """Return the state now."""
        return self._job.status()

    def outcomes(self, timeout_s: float | None = None) -> list[Any]:
        """Wait for the end, and return the outcome or the error of each circuit, in order."""
        return [
            _without_measurement(outcome) if _says_nothing_was_measured(outcome) else outcome
            for outcome in self._job.outcomes(timeout_s)
        ]

    def cancel(self) -> bool:
        """Cancel what has not ended, and return whether something is cancelled now."""
        return self._job.cancel()


class QuickBatch(Running):
    """Circuits that run as plain requests, for whose answers a thread waits; the arguments are those of :class:`Batch`.

    A request has no outcomes if one of its circuits fails. The circuits then run again, as a job, which has them.
    """

    def __init__(
        self,
        backend: Backend,
        circuits: Sequence[Convertible],
        shots: Sequence[int | None],
        **options: Unpack[Options],
    ) -> None:
        def run() -> list[Any]:
            try:
                return _outcomes(backend, circuits, shots, options)
            except GatewayError as exc:
                if exc.circuit is None:
                    raise
                if sum(map(_num_outcomes, circuits)) == 1:
                    return [exc]
                return Batch(backend, circuits, shots, **options).outcomes()

        self.id = secrets.token_urlsafe(16)
        thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="gateway-batch")
        self._future: Future[list[Any]] = thread.submit(run)
        thread.shutdown(wait=False)

    def status(self) -> JobState:
        """Return the state now; it is ``failed`` only if no circuit has an outcome."""
        if self._future.cancelled():
            return JobState.CANCELLED
        if not self._future.done():
            return JobState.RUNNING
        return JobState.FAILED if self._future.exception() is not None or self.error() is not None else JobState.DONE

    def outcomes(self, timeout_s: float | None = None) -> list[Any]:
        """Wait for the end, and return the outcome or the error of each circuit, in order."""
        return awaited(self._future, timeout_s)

    def cancel(self) -> bool:
        """Return whether the circuits are cancelled, which is possible only before they are sent."""
        return self._future.cancel()


class _Requests:
    """The requests for some circuits, and what makes the outcomes of the circuits of their answers."""

    def __init__(self, circuits: Sequence[Convertible], shots: Sequence[int | None], options: Options) -> None:
        self._options = options
        observables = options.get("observables") or [None] * len(circuits)
        sizes = list(map(_num_outcomes, circuits))
        # An outcome has a place. All lists below have an item for each place, those of a sweep lie side by side.
        self._circuits = [found for found, size in zip(circuits, sizes, strict=True) for _ in range(size)]
        self._shots = [number for number, size in zip(shots, sizes, strict=True) for _ in range(size)]
        self._observables = [one for one, size in zip(observables, sizes, strict=True) for _ in range(size)]
        self._points = [point for size in sizes for point in range(size)]
        self._numbers = [number for number, size in enumerate(sizes, 1) for _ in range(size)]
        self._errors: dict[int, GatewayError] = {
            place: found for place, found in enumerate(self._circuits) if isinstance(found, GatewayError)
        }
        result = options.get("result")
        of_clbits = result is None or result.of_clbits
        unmeasured: dict[int, bool] = {id(found): of_clbits and not _measures(found) for found in circuits}
        self._unmeasured = {
            place
            for place, found in enumerate(self._circuits)
            if unmeasured[id(found)] and self._observables[place] is None
        }

    def sent(self, send: Callable[..., A]) -> Iterator[tuple[A, list[int]]]:
        """Send the requests, and yield what sending returned, with the places of the outcomes.

        Raises:
            GatewayError: sending raised it.
        """
        seed = self._options.get("seed")
        requests = deque(self._first())
        while requests:
            places = requests.popleft()
            numbers = [self._shots[place] for place in places]
            try:
                answer = send(
                    self._runnable(places),
                    shots=None if None in numbers else numbers[0] if self._is_sweep(places) else numbers,
                    seed=None if seed is None else seed % _SEEDS,
                    timeout_s=self._options.get("timeout_s"),
                    **self._details(places),
                )
            except LimitError as exc:
                requests.extendleft(reversed(self._within(exc, places, numbers)))
                continue
            yield answer, places
            if seed is not None and None not in numbers:
                seed += len(places)

    def _is_sweep(self, places: Sequence[int]) -> bool:
        return isinstance(self._circuits[places[0]], Sweep)

    def _runnable(self, places: Sequence[int]) -> Circuit | list[Circuit]:
        """Return the circuit of a sweep, or the circuits of a request."""
        circuits: dict[int, Circuit] = {}
        for place in places:
            found: Any = self._circuits[place]
            if id(found) not in circuits:
                circuit = found.circuit if isinstance(found, Sweep) else found
                circuits[id(found)] = _with_measurement(circuit) if place in self._unmeasured else circuit
        listed = [circuits[id(self._circuits[place])] for place in places]
        return listed[0] if self._is_sweep(places) else listed

    def _details(self, places: Sequence[int]) -> dict[str, Any]:
        """Return the result type of a request, and what belongs to it."""
        details: dict[str, Any] = {"result": self._options.get("result")}
        observables, sweep = self._observables[places[0]], self._circuits[places[0]]
        if observables is not None:
            details |= {"result": ResultType.EXPECTATION, "observables": observables}
        if isinstance(sweep, Sweep):
            details["parameters"] = sweep.part(self._points[places[0]], self._points[places[-1]] + 1)
        return details

    def complete(self, found: Mapping[int, Any]) -> list[Any]:
        """Return the outcome or the error of each circuit, for what the requests returned."""
        outcomes = []
        for place in range(len(self._circuits)):
            outcome = self._errors[place] if place in self._errors else found[place]
            if place in self._unmeasured and not isinstance(outcome, GatewayError):
                outcome = _without_measurement(outcome)
            outcomes.append(outcome)
        return outcomes

    def _first(self) -> Iterator[list[int]]:
        """Yield the places of the circuits of each request, which is of one kind, and is not too long."""
        kinds: defaultdict[tuple[bool, int, int], list[int]] = defaultdict(list)
        for place, number in enumerate(_numbered(self._observables)):
            found = self._circuits[place]
            if place not in self._errors:
                sweep = self._numbers[place] if isinstance(found, Sweep) else 0
                kinds[self._shots[place] is None, number, sweep].append(place)
        for kind in kinds.values():
            most = MOST_POINTS if self._is_sweep(kind) else MOST_CIRCUITS
            for begin in range(0, len(kind), most):
                yield kind[begin : begin + most]

    def _within(self, error: LimitError, places: list[int], shots: list[int | None]) -> list[list[int]]:
        """Return the requests to send in the place of one that exceeds a limit of the server.

        What exceeds the limit even alone has the error as its outcome.

        Raises:
            LimitError: smaller requests would not help.
        """
        allowed = error.allowed or 0
        if error.limit in {"max_circuits", "max_points"} and 0 < allowed < len(places):
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


def _numbered(values: Sequence[Observables | None]) -> Iterator[int]:
    """Yield a number for each value, the same for equal ones; an object that comes often is compared once."""
    numbers: dict[Observables | None, int] = {}
    of_objects: dict[int, int] = {}
    for value in values:
        if id(value) not in of_objects:
            of_objects[id(value)] = numbers.setdefault(value, len(numbers))
        yield of_objects[id(value)]


def _num_outcomes(found: Convertible) -> int:
    return found.size if isinstance(found, Sweep) else 1


def _is_short(circuits: Sequence[Convertible], shots: Sequence[int | None]) -> bool:
    changes = drawn = 0
    for found, number in zip(circuits, shots, strict=True):
        if not isinstance(found, GatewayError):
            circuit = found.circuit if isinstance(found, Sweep) else found
            changes += _num_outcomes(found) * (len(circuit.operations) << circuit.num_qubits)
            drawn += _num_outcomes(found) * (number or 0)
    return changes <= SHORT_AMPLITUDES and drawn <= SHORT_SHOTS


def _measures(found: Convertible) -> bool:
    """Return whether a circuit measures something; an error has nothing to measure."""
    if isinstance(found, GatewayError):
        return True
    circuit = found.circuit if isinstance(found, Sweep) else found
    return any(operation.name == "measure" for operation in reversed(circuit.operations))


def _with_measurement(circuit: Circuit) -> Circuit:
    """Return a circuit that measures a qubit at its end, into one more clbit."""
    wider = widened(circuit, 1, 1)
    wider.operations.append(Operation("measure", (0,), (), (circuit.num_clbits,)))
    wider.notes = (*circuit.notes, NOTHING_MEASURED)
    return wider


def _says_nothing_was_measured(outcome: object) -> bool:
    provenance = outcome.provenance if isinstance(outcome, Counts | Probabilities) else None
    return provenance is not None and NOTHING_MEASURED in provenance.notes


def _without_measurement(outcome: Counts | Probabilities) -> Counts | Probabilities:
    """Return the outcome without the last clbit, which is the first character."""
    weights: defaultdict[str, Any] = defaultdict(int)
    for key, weight in cast("Mapping[str, float]", outcome).items():
        weights[key[1:]] += weight
    return type(outcome)(weights, width=outcome.width - 1, provenance=outcome.provenance)
