"""VendorJob: follows the jobs that a vendor runs for one request, and combines their results."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

from gateway.backends.base import Outcome
from gateway.backends.job import Job
from gateway.counts import Counts
from gateway.errors import JobCancelled, JobTimeout, SimulatorError
from gateway.results import JobState, Progress, Provenance, Result
from gateway.version import __version__

_FIRST_POLL_S, _LONGEST_POLL_S = 0.001, 5.0


class Reading(NamedTuple):
    """The result of a vendor's job for one circuit.

    Args:
        counts: bitstring -> shots, clbit 0 rightmost, one character for each clbit; spaces are ignored.
        seconds: the duration of the run, where the vendor reports it.
        version: the version of the machine that ran the circuit, where the vendor reports it.
    """

    counts: Mapping[str, int]
    seconds: float | None = None
    version: str | None = None


class VendorRun(Protocol):
    """One job of a vendor. Its methods may raise the SDK's exceptions, which the backend translates."""

    @property
    def id(self) -> str:
        """The vendor's id of the job."""

    def state(self) -> JobState:
        """Ask the vendor for the state of the job."""

    def readings(self) -> list[Reading]:
        """Wait until the job has ended, and return one reading per circuit.

        Raises:
            Exception: the job failed or was cancelled.
        """

    def cancel(self) -> None:
        """Ask the vendor to cancel the job."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A circuit that is ready for submission to a machine.

    Args:
        native: the circuit as an object of the SDK.
        width: the number of clbits.
        parse_s: seconds spent on parsing, if the circuit was text.
        build_s: seconds spent on checking, converting and transpiling.
    """

    native: Any
    width: int
    parse_s: float
    build_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """One submission of a request, as a job of the vendor; ``shots`` is ``None`` if another process submitted it."""

    run: VendorRun
    circuits: tuple[int, ...]
    shots: int | None = None
    seed: int | None = None


class Vendor(Protocol):
    """The part of a VendorBackend that its jobs use."""

    name: str

    @property
    def version(self) -> str:
        """Version of the machine."""

    def translated(self) -> AbstractContextManager[None]:
        """Raise a gateway error instead of whatever the SDK raises."""


class VendorJob(Job[Outcome | list[Outcome]]):
    """The jobs of a vendor that together run one request.

    For one circuit in one job, ``id`` is the vendor's id of the job. Otherwise it joins the vendor's ids with ``+``.
    Each is followed by ``@`` and the indices of its circuits, unless it has only the first circuit, and brackets
    surround the whole if the request has a list of circuits. From this, ``backend.job(id)`` finds all of them
    again, in another process too.

    Args:
        backend: the backend that submitted the request.
        parts: the submissions of the request.
        prepared: the circuits that were built; ``None`` if another process submitted them.
        seeds: the seed of each circuit, where there are seeds.
        is_list: whether the request has a list of circuits.
        version: the version of the machine at the time of the submission.
    """

    def __init__(
        self,
        backend: Vendor,
        parts: list[Part],
        prepared: list[Prepared] | None = None,
        seeds: list[int] | None = None,
        *,
        is_list: bool = False,
        version: str | None = None,
    ) -> None:
        self._backend = backend
        self._version = version or backend.version
        self.parts = parts
        self._prepared = prepared
        self._seeds = seeds
        self._is_list = is_list
        self._start = time.perf_counter()
        self._results: list[Result] | None = None
        names = "+".join(_part_id(part) for part in parts)
        self.id = f"[{names}]" if is_list else names

    def status(self) -> JobState:
        """Ask the vendor for the state: failed or cancelled if any part is, done if all parts are."""
        if self._results is not None:
            return JobState.DONE
        return _joint_state(self._states())

    def _states(self) -> list[JobState]:
        with self._backend.translated():
            return [part.run.state() for part in self.parts]

    def progress(self) -> Progress:
        """Return how many circuits are done, which are those whose parts are all done."""
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
        """Cancel the parts that have not ended, and return whether the job is cancelled now."""
        with self._backend.translated():
            for part in self.parts:
                if not part.run.state().ended:
                    part.run.cancel()
        return self.status() is JobState.CANCELLED

    def result(self, timeout_s: float | None = None) -> Outcome | list[Outcome]:
        """Wait for the counts; the job goes on if ``timeout_s`` ends first."""
        outcomes = self.all_results(timeout_s)
        return outcomes if self._is_list or len(outcomes) > 1 else outcomes[0]

    def results(self, timeout_s: float | None = None) -> Iterator[Result]:
        """Yield the results, one per circuit, once all of them are there."""
        yield from self.all_results(timeout_s)

    def all_results(self, timeout_s: float | None = None) -> list[Result]:
        """Wait for the results, one per circuit."""
        if self._results is None:
            if timeout_s is not None and not self.wait(timeout_s):
                raise JobTimeout(f"no result after {timeout_s:g} s; the job goes on", timeout_s=timeout_s)
            self._results = self._collect()
        return self._results

    def wait(self, timeout_s: float) -> bool:
        """Wait until the job is done, failed or cancelled, and return whether this happened within ``timeout_s``."""
        deadline = time.monotonic() + timeout_s
        delay_s = _FIRST_POLL_S
        while not self.status().ended:
            left_s = min(delay_s, deadline - time.monotonic())
            if left_s <= 0:
                return False
            time.sleep(left_s)
            delay_s = min(delay_s * 1.5, _LONGEST_POLL_S)
        return True

    def _collect(self) -> list[Result]:
        """Add up the counts of all parts."""
        waited_s = time.perf_counter() - self._start
        counts: dict[int, Counter[str]] = {}
        seconds: dict[int, float] = {}
        versions: dict[int, str] = {}
        for part in self.parts:
            readings = self._read(part)
            indices = part.circuits if len(readings) == len(part.circuits) else tuple(range(len(readings)))
            for index, reading in zip(indices, readings, strict=True):
                counts.setdefault(index, Counter()).update(self._check_counts(index, part, reading))
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
            raise self._contract_error(f"{len(readings)} results for {len(part.circuits)} circuits")
        return readings

    def _check_counts(self, index: int, part: Part, reading: Reading) -> dict[str, int]:
        """Return the counts with spaces removed from their bitstrings.

        Raises:
            SimulatorError: a bitstring has the wrong width, or the number of shots is wrong.
        """
        counts: Counter[str] = Counter()
        for key, shots in reading.counts.items():
            counts[key.replace(" ", "")] += int(shots)
        width = len(next(iter(counts), "")) if self._prepared is None else self._prepared[index].width
        invalid = next((key for key in counts if len(key) != width or key.strip("01")), None)
        if invalid is not None:
            raise self._contract_error(f"{invalid!r} is not a bitstring of {width} clbits")
        if part.shots is not None and counts.total() != part.shots:
            raise self._contract_error(f"{counts.total()} outcomes for {part.shots} shots")
        return {key: shots for key, shots in counts.items() if shots}

    def _result(self, index: int, counts: Counter[str], run_s: float, version: str) -> Result:
        prepared = None if self._prepared is None else self._prepared[index]
        provenance = Provenance(
            simulator=self._backend.name,
            version=version,
            shots=counts.total(),
            seed=None if self._seeds is None else self._seeds[index],
            sampler="native",
            parse_s=0.0 if prepared is None else prepared.parse_s,
            build_s=0.0 if prepared is None else prepared.build_s,
            run_s=run_s,
            gateway_version=__version__,
        )
        width = len(next(iter(counts), "")) if prepared is None else prepared.width
        return Counts.trusted(dict(counts), width, provenance)

    def _contract_error(self, detail: str) -> SimulatorError:
        backend = self._backend
        return SimulatorError(
            f"{backend.name} broke the contract: {detail}",
            simulator=backend.name,
            version=self._version,
            detail=detail,
        )


def _part_id(part: Part) -> str:
    return part.run.id if part.circuits == (0,) else f"{part.run.id}@{'.'.join(map(str, part.circuits))}"


def _joint_state(states: Sequence[JobState]) -> JobState:
    """Return the state of a job from those of its parts."""
    for final_state in (JobState.FAILED, JobState.CANCELLED):
        if final_state in states:
            return final_state
    if all(state is JobState.DONE for state in states):
        return JobState.DONE
    return JobState.QUEUED if all(state is JobState.QUEUED for state in states) else JobState.RUNNING
