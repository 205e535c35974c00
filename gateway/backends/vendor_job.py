"""A job that runs at a vendor's: it follows the vendor's own jobs and puts their results together."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping, Sequence
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
        """The vendor's own name of the job."""

    def state(self) -> JobState:
        """Ask the vendor for the state of the job."""

    def readings(self) -> list[Reading]:
        """Wait until it has ended, and return one reading per circuit.

        Raises:
            Exception: why it failed, or that it was cancelled.
        """

    def cancel(self) -> None:
        """Ask the vendor to cancel the job."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """A circuit in the machine's own terms.

    Args:
        native: the SDK's own circuit.
        width: number of clbits.
        parse_s: seconds it took to parse, if it was text.
        build_s: seconds it took to check, convert and transpile.
    """

    native: Any
    width: int
    parse_s: float
    build_s: float


@dataclass(frozen=True, slots=True)
class Part:
    """A submission under way; ``shots`` is ``None`` for one that was found again."""

    run: VendorRun
    circuits: tuple[int, ...]
    shots: int | None = None
    seed: int | None = None


class Vendor(Protocol):
    """What a job needs to know of its backend."""

    name: str

    @property
    def version(self) -> str:
        """Version of the machine."""

    def translated(self) -> AbstractContextManager[None]:
        """Turn what the SDK raises into errors of ours."""


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
        backend: Vendor,
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
        outcomes = self.results(timeout_s)
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
        """Add up the counts of all parts."""
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
        """Return the counts without spaces; counts that break the contract are an error."""
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
            parse_s=0.0 if prepared is None else prepared.parse_s,
            build_s=0.0 if prepared is None else prepared.build_s,
            run_s=run_s,
            gateway_version=__version__,
        )
        width = len(next(iter(counts), "")) if prepared is None else prepared.width
        return Counts.trusted(dict(counts), width, provenance)

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


def _overall(states: Sequence[JobState]) -> JobState:
    """Return the state of a job from those of its parts."""
    for decisive in (JobState.FAILED, JobState.CANCELLED):
        if decisive in states:
            return decisive
    if all(state is JobState.DONE for state in states):
        return JobState.DONE
    return JobState.QUEUED if all(state is JobState.QUEUED for state in states) else JobState.RUNNING
