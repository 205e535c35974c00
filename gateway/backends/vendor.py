"""What Backends over a vendor's SDK have in common: what is sent together, and the job that follows it.

A request becomes *submissions*: lists of circuits with one number of shots each, as machines take
them. A circuit that asks for more shots than the machine gives at once is in several of them, and its
counts are added up. A :class:`VendorJob` follows the vendor's own jobs and cancels them.
"""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import msgspec
import numpy as np

from gateway.backends.base import Backend, Outcome, as_outcome
from gateway.backends.job import Job
from gateway.circuit import Circuit
from gateway.circuit.convert import as_circuit
from gateway.errors import (
    CircuitInvalidError,
    GatewayError,
    JobCancelled,
    JobNotFound,
    JobTimeout,
    LimitError,
    RequestError,
    SimulatorError,
    UnsupportedError,
)
from gateway.protocol.messages import RunRequest
from gateway.results import Capabilities, JobState, Progress, Provenance, Result, ResultType
from gateway.version import __version__

MAX_SUBMISSIONS = 100
"""How many submissions one request may become; more is a mistake rather than a wish."""

_SEED_END = 2**32
_FIRST_POLL_S, _LONGEST_POLL_S = 0.001, 5.0


class Terms(NamedTuple):
    """What a machine takes at once; ``None`` where it does not say."""

    max_qubits: int | None = None
    max_shots: int | None = None
    max_circuits: int | None = None


class Reading(NamedTuple):
    """What a vendor's job found for one circuit.

    Args:
        counts: bitstring -> shots, clbit 0 rightmost, a character for each clbit; spaces do no harm.
        seconds: spent on the run, where the vendor says so.
        version: of the machine that ran it, where the vendor says so.
    """

    counts: Mapping[str, int]
    seconds: float | None = None
    version: str | None = None


class VendorRun(Protocol):
    """One job in a vendor's hands. Whatever it raises is translated by its backend."""

    @property
    def id(self) -> str:
        """The vendor's own name for it."""

    def state(self) -> JobState:
        """Ask where it stands."""

    def readings(self) -> list[Reading]:
        """Wait until it has ended, and return one reading per circuit.

        Raises:
            Exception: why it failed, or that it was cancelled.
        """

    def cancel(self) -> None:
        """Ask for its end."""


class Submission(NamedTuple):
    """What a machine is handed at once: so many shots of each of these circuits of a request."""

    circuits: tuple[int, ...]
    shots: int
    seed: int | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """A circuit in the machine's own terms.

    Args:
        native: the SDK's own circuit.
        width: number of clbits.
        build_s: seconds it took.
    """

    native: Any
    width: int
    build_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """A submission under way; ``shots`` is ``None`` for one that was found again."""

    run: VendorRun
    circuits: tuple[int, ...]
    shots: int | None = None
    seed: int | None = None


class VendorBackend(Backend):
    """A Backend over a vendor's SDK. A subclass says how to build, submit and find.

    Attributes:
        name: of the machine; the ``simulator`` of a provenance.
        terms: what the machine takes at once.
        seedable: whether a submission may carry a seed; then each has one.
    """

    name: str
    terms: Terms
    seedable: bool = False
    ends_late_runs = True

    @property
    @abstractmethod
    def version(self) -> str:
        """Version of the machine or, where it has none, of the SDK."""

    @abstractmethod
    def build(self, circuit: Circuit) -> Any:  # noqa: ANN401 - the SDK's own circuit
        """Convert a circuit without idle qubits into gates and connectivity of the machine."""

    @abstractmethod
    def submit(self, natives: Sequence[Any], *, shots: int, seed: int | None) -> VendorRun:
        """Hand circuits over and return at once."""

    def refresh(self) -> None:
        """Look whether the machine has changed; called before the circuits of a request are built."""

    def find(self, vendor_id: str) -> VendorRun:
        """Return a job that was submitted earlier.

        Raises:
            JobNotFound: the vendor has no such job, or keeps none.
        """
        raise JobNotFound(f"{self.name} keeps no jobs: hold on to what run_async() returned", job=vendor_id)

    def error(self, exc: Exception) -> GatewayError:
        """Return the error of ours that says what the SDK raised, in its own words."""
        return SimulatorError(
            f"{self.name} failed: {type(exc).__name__}: {exc}",
            simulator=self.name,
            version=self.version,
            detail=str(exc),
        )

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Turn whatever the SDK raises into an error of ours, the one place that does."""
        try:
            yield
        except GatewayError:
            raise
        except Exception as exc:
            raise self.error(exc) from exc

    # ------------------------------------------------------------------ running

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request; a run that takes longer than ``timeout_s`` is cancelled."""
        job = self._submitted(request)
        try:
            if request.timeout_s is not None and not job.wait(request.timeout_s):
                end = "was cancelled" if job.cancel() else "could not be cancelled"
                raise JobTimeout(
                    f"{self.name} had no result after {request.timeout_s:g} s; the job {job.id} {end}",
                    timeout_s=request.timeout_s,
                )
            return job.results()
        except KeyboardInterrupt:
            job.cancel()
            raise

    def job(self, job_id: str) -> VendorJob:
        """Find a job again by its ``id``, or one that the vendor knows by that name."""
        listed = job_id[:1] == "[" and job_id[-1:] == "]"
        parts = [self._found(text) for text in (job_id[1:-1] if listed else job_id).split("+")]
        return VendorJob(self, parts, listed=listed)

    def _found(self, text: str) -> Part:
        vendor_id, _, places = text.partition("@")
        if not vendor_id or ("@" in text and not re.fullmatch(r"\d+(\.\d+)*", places)):
            raise JobNotFound(f"{text!r} does not name a job", job=text)
        with self.translated():
            run = self.find(vendor_id)
        return Part(run, tuple(map(int, places.split("."))) if places else (0,))

    def begin(self, request: RunRequest) -> VendorJob:
        """Hand circuits over and return at once, with a job that is the vendor's.

        Raises:
            UnsupportedError: with ``timeout_s``: nobody is there to keep it.
        """
        if request.timeout_s is not None:
            raise UnsupportedError(
                f"{self.name} runs a job without a deadline: leave timeout_s out, and cancel the job when it is late",
                feature="timeout_s",
                simulator=self.name,
            )
        return self._submitted(request)

    def _submitted(self, request: RunRequest) -> VendorJob:
        """Check, build and submit a request.

        Raises:
            GatewayError: nothing of it was submitted, or all that was is cancelled.
        """
        self._refuse(request)
        with self.translated():
            self.refresh()
        version = self.version
        prepared = [self._prepared(index, source, request) for index, source in enumerate(request.circuit_list())]
        shots = [asked or 0 for asked in request.shots_list()]
        seeds = _seeds(request.seed, len(shots)) if self.seedable else None
        parts: list[Part] = []
        try:
            for planned in plan(shots, seeds, self.terms, self.name):
                natives = [prepared[index].native for index in planned.circuits]
                with self.translated():
                    run = self.submit(natives, shots=planned.shots, seed=planned.seed)
                parts.append(Part(run, planned.circuits, planned.shots, None if seeds is None else planned.seed))
        except BaseException:
            with suppress(GatewayError):
                VendorJob(self, parts).cancel()
            raise
        return VendorJob(self, parts, prepared, seeds, listed=isinstance(request.circuits, list), version=version)

    def _refuse(self, request: RunRequest) -> None:
        """Refuse what no machine does, before anything is built."""
        kind = request.result or (ResultType.PROBABILITIES if request.shots is None else ResultType.COUNTS)
        if (kind is ResultType.COUNTS) == (request.shots is None):
            raise RequestError(
                "counts need a number of shots" if request.shots is None else f"{kind} are exact: leave shots out",
                field="shots",
            )
        if kind is not ResultType.COUNTS:
            raise UnsupportedError(
                f"{self.name} has no exact results: ask for shots", feature=str(kind), simulator=self.name
            )
        if request.seed is not None and not self.seedable:
            raise UnsupportedError(f"{self.name} cannot be seeded", feature="seed", simulator=self.name)

    def _prepared(self, index: int, source: Circuit | str, request: RunRequest) -> Prepared:
        try:
            circuit = as_circuit(source)
            circuit.validate()
            dense = without_idle_qubits(circuit)
            check_circuit(dense, self.name, self.capabilities(), self.terms.max_qubits)
            began = time.perf_counter()
            with self.translated():
                native = self.build(dense)
            return Prepared(native, circuit.num_clbits, time.perf_counter() - began)
        except GatewayError as exc:
            if isinstance(request.circuits, list):
                exc.circuit = index
            raise


class VendorJob(Job[Outcome | list[Outcome]]):
    """The vendor's jobs that a request became.

    Its ``id`` is the vendor's own name where there is one job of one circuit. Else the names are joined by
    ``+``, each with ``@`` and the numbers of its circuits unless that is the first alone, in brackets where
    a list was asked for: ``backend.job(id)`` puts it together again, from another process too.

    Args:
        backend: that submitted it.
        parts: what was submitted.
        prepared: what was built; ``None`` for a job that was found again.
        seeds: one per circuit, where there are seeds.
        listed: a list of circuits was asked for.
        version: of the machine when it was submitted.
    """

    def __init__(
        self,
        backend: VendorBackend,
        parts: list[Part],
        prepared: list[Prepared] | None = None,
        seeds: list[int] | None = None,
        *,
        listed: bool = False,
        version: str | None = None,
    ) -> None:
        self._backend = backend
        self._version = version or backend.version
        self.parts = parts
        self._prepared = prepared
        self._seeds = seeds
        self._listed = listed
        self._began = time.perf_counter()
        self._results: list[Result] | None = None
        names = "+".join(_named(part) for part in parts)
        self.id = f"[{names}]" if listed else names

    def status(self) -> JobState:
        """Ask the vendor where it stands: failed or cancelled when any part is, done when all are."""
        if self._results is not None:
            return JobState.DONE
        return _overall(self._states())

    def _states(self) -> list[JobState]:
        with self._backend.translated():
            return [part.run.state() for part in self.parts]

    def progress(self) -> Progress:
        """Return how many of its circuits are done: those with no part left to wait for."""
        total = len({index for part in self.parts for index in part.circuits})
        if self._results is not None:
            return Progress(total, total)
        waiting = {
            index
            for part, state in zip(self.parts, self._states(), strict=True)
            if state is not JobState.DONE
            for index in part.circuits
        }
        return Progress(total - len(waiting), total)

    def cancel(self) -> bool:
        """Cancel what has not ended; say whether the job is cancelled now."""
        with self._backend.translated():
            for part in self.parts:
                if not part.run.state().ended:
                    part.run.cancel()
        return self.status() is JobState.CANCELLED

    def result(self, timeout_s: float | None = None) -> Outcome | list[Outcome]:
        """Wait for the counts; the job goes on when ``timeout_s`` is over."""
        outcomes = [as_outcome(found) for found in self.results(timeout_s)]
        return outcomes if self._listed or len(outcomes) > 1 else outcomes[0]

    def results(self, timeout_s: float | None = None) -> list[Result]:
        """Wait for the results, one per circuit."""
        if self._results is None:
            if timeout_s is not None and not self.wait(timeout_s):
                raise JobTimeout(f"no result after {timeout_s:g} s; the job goes on", timeout_s=timeout_s)
            self._results = self._collected()
        return self._results

    def wait(self, timeout_s: float) -> bool:
        """Wait until the job has ended, well or not; say whether it has in time."""
        give_up = time.monotonic() + timeout_s
        delay_s = _FIRST_POLL_S
        while not self.status().ended:
            left_s = min(delay_s, give_up - time.monotonic())
            if left_s <= 0:
                return False
            time.sleep(left_s)
            delay_s = min(delay_s * 1.5, _LONGEST_POLL_S)
        return True

    def _collected(self) -> list[Result]:
        """Add up what the parts found."""
        waited_s = time.perf_counter() - self._began
        counts: dict[int, Counter[str]] = {}
        seconds: dict[int, float] = {}
        versions: dict[int, str] = {}
        for part in self.parts:
            readings = self._read(part)
            places = part.circuits if len(readings) == len(part.circuits) else tuple(range(len(readings)))
            for index, reading in zip(places, readings, strict=True):
                counts.setdefault(index, Counter()).update(self._checked(index, part, reading))
                seconds[index] = seconds.get(index, 0.0) + (waited_s if reading.seconds is None else reading.seconds)
                versions[index] = reading.version or self._version
        return [self._result(index, counts[index], seconds[index], versions[index]) for index in sorted(counts)]

    def _read(self, part: Part) -> list[Reading]:
        with self._backend.translated():
            try:
                readings = part.run.readings()
            except Exception as exc:
                if part.run.state() is JobState.CANCELLED:
                    raise JobCancelled(f"the job {part.run.id} of {self._backend.name} was cancelled") from exc
                raise
        if self._prepared is not None and len(readings) != len(part.circuits):
            raise self._broken(f"{len(readings)} results for {len(part.circuits)} circuits")
        return readings

    def _checked(self, index: int, part: Part, reading: Reading) -> dict[str, int]:
        """Return the counts without spaces, held to the contract."""
        counts: Counter[str] = Counter()
        for key, times in reading.counts.items():
            counts[key.replace(" ", "")] += int(times)
        width = len(next(iter(counts), "")) if self._prepared is None else self._prepared[index].width
        wrong = next((key for key in counts if len(key) != width or key.strip("01")), None)
        if wrong is not None:
            raise self._broken(f"{wrong!r} is not a bitstring of {width} clbits")
        if part.shots is not None and counts.total() != part.shots:
            raise self._broken(f"{counts.total()} outcomes for {part.shots} shots")
        return {key: times for key, times in counts.items() if times}

    def _result(self, index: int, counts: Counter[str], run_s: float, version: str) -> Result:
        prepared = None if self._prepared is None else self._prepared[index]
        provenance = Provenance(
            simulator=self._backend.name,
            version=version,
            shots=counts.total(),
            seed=None if self._seeds is None else self._seeds[index],
            sampler="native",
            build_s=0.0 if prepared is None else prepared.build_s,
            run_s=run_s,
            gateway_version=__version__,
        )
        return Result(
            provenance=provenance,
            width=len(next(iter(counts), "")) if prepared is None else prepared.width,
            counts=dict(counts),
        )

    def _broken(self, detail: str) -> SimulatorError:
        backend = self._backend
        return SimulatorError(
            f"{backend.name} broke the contract: {detail}",
            simulator=backend.name,
            version=self._version,
            detail=detail,
        )


def _named(part: Part) -> str:
    return part.run.id if part.circuits == (0,) else f"{part.run.id}@{'.'.join(map(str, part.circuits))}"


def plan(shots: Sequence[int], seeds: Sequence[int] | None, terms: Terms, name: str = "") -> list[Submission]:
    """Return what is handed over, in the fewest submissions.

    Without seeds, all circuits of as many shots go together, up to ``max_circuits``. With seeds each has
    a submission of its own, so that its counts do not depend on its neighbours.

    Raises:
        LimitError: that would be more than ``MAX_SUBMISSIONS``.
    """
    shares: dict[tuple[int, int | None], list[int]] = {}
    for index, asked in enumerate(shots):
        for share, given in enumerate(_shares(asked, terms.max_shots, name)):
            seed = None if seeds is None else spread(seeds[index], share)
            shares.setdefault((given, seed), []).append(index)
    size = 1 if seeds is not None else terms.max_circuits or len(shots) * MAX_SUBMISSIONS
    planned = [
        Submission(tuple(indices[first : first + size]), given, seed)
        for (given, seed), indices in shares.items()
        for first in range(0, len(indices), size)
    ]
    if seeds is None and len(planned) > MAX_SUBMISSIONS:
        raise LimitError(
            f"{name} would be handed {len(planned)} jobs for this request; at most {MAX_SUBMISSIONS} are submitted",
            limit="jobs",
            requested=len(planned),
            allowed=MAX_SUBMISSIONS,
        )
    return planned


def _shares(shots: int, most: int | None, name: str) -> list[int]:
    """Divide shots into full shares and a rest.

    Raises:
        LimitError: there would be more than ``MAX_SUBMISSIONS``.
    """
    if most is None or shots <= most:
        return [shots]
    full, rest = divmod(shots, most)
    if full + bool(rest) > MAX_SUBMISSIONS:
        raise LimitError(
            f"{name} runs {most:,} shots at once, and a request may take it {MAX_SUBMISSIONS} times: "
            f"{shots:,} shots are too many",
            limit="shots",
            requested=shots,
            allowed=most * MAX_SUBMISSIONS,
        )
    return [most] * full + [rest] * bool(rest)


def _seeds(seed: int | None, circuits: int) -> list[int]:
    """Return one seed per circuit: ``seed + k``, or drawn."""
    if seed is None:
        return [int(drawn) for drawn in np.random.default_rng().integers(_SEED_END, size=circuits)]
    return [(seed + index) % _SEED_END for index in range(circuits)]


def spread(seed: int, share: int = 0) -> int:
    """Return the seed below ``2**31`` of a share of a circuit's shots.

    Simulators of Qiskit's draw shot ``i`` of a dynamic circuit with the seed ``seed + i``, so neighbouring
    seeds must end up far apart.
    """
    return int(np.random.SeedSequence((seed, share)).generate_state(1)[0]) >> 1


def without_idle_qubits(circuit: Circuit) -> Circuit:
    """Return the circuit on those of its qubits that something acts on, renumbered in order; barriers do not act."""
    acted_on = {qubit for op in circuit.operations if op.name != "barrier" for qubit in op.qubits}
    if len(acted_on) == circuit.num_qubits:
        return circuit
    place = {qubit: index for index, qubit in enumerate(sorted(acted_on))}
    operations = []
    for op in circuit.operations:
        qubits = tuple([place[qubit] for qubit in op.qubits if qubit in place])
        if qubits or op.name != "barrier":
            operations.append(msgspec.structs.replace(op, qubits=qubits))
    return Circuit(len(acted_on), circuit.num_clbits, operations)


def check_circuit(circuit: Circuit, name: str, able: Capabilities, max_qubits: int | None) -> None:
    """Refuse by name what a machine cannot run.

    Raises:
        CircuitInvalidError: nothing is measured.
        LimitError: more qubits than it has.
        UnsupportedError: a reset, a condition, or a qubit used after its measurement, where it has no such thing.
    """
    if not any(op.name == "measure" for op in circuit.operations):
        raise CircuitInvalidError(
            "the circuit measures nothing, so there is nothing to count: add measure_all()", rule="measurement"
        )
    if max_qubits is not None and circuit.num_qubits > max_qubits:
        raise LimitError(
            f"the circuit uses {circuit.num_qubits} qubits; {name} has {max_qubits}",
            limit="qubits",
            requested=circuit.num_qubits,
            allowed=max_qubits,
        )
    measured: set[int] = set()
    for index, op in enumerate(circuit.operations):
        for feature, asked, given in (
            ("classical control", bool(op.condition), able.classical_control),
            ("reset", op.name == "reset", able.reset),
            (
                "mid-circuit measurement",
                op.name != "barrier" and not measured.isdisjoint(op.qubits),
                able.mid_circuit_measurement,
            ),
        ):
            if asked and not given:
                raise UnsupportedError(
                    f"operation {index} ({op}): {name} has no {feature}", feature=feature, simulator=name
                )
        if op.name == "measure":
            measured.update(op.qubits)


def _overall(states: Sequence[JobState]) -> JobState:
    """Return the state of a job from those of its parts."""
    for decisive in (JobState.FAILED, JobState.CANCELLED):
        if decisive in states:
            return decisive
    if all(state is JobState.DONE for state in states):
        return JobState.DONE
    return JobState.QUEUED if all(state is JobState.QUEUED for state in states) else JobState.RUNNING
