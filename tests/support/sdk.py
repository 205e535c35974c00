"""A vendor's SDK that does as it is told, and a Backend over it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

from gateway.backends.base import BackendStatus
from gateway.backends.vendor import VendorBackend
from gateway.backends.vendor_job import Reading
from gateway.backends.vendor_plan import Terms
from gateway.circuit import Circuit
from gateway.errors import JobNotFound
from gateway.results import Capabilities, JobState, ResultType


class FakeRun:
    """A job of the fake vendor's, which ends when a test tells it to."""

    def __init__(self, vendor: FakeVendor, number: int, circuits: list[Circuit], shots: int, seed: int | None) -> None:
        self.id = f"job{number}"
        self.vendor = vendor
        self.circuits, self.shots, self.seed = circuits, shots, seed
        self.now = JobState.DONE if vendor.at_once else JobState.QUEUED
        self.failure: Exception | None = None
        self.asked = 0

    def state(self) -> JobState:
        self.asked += 1
        return self.now

    def readings(self) -> list[Reading]:
        if self.failure is not None:
            raise self.failure
        if self.now is not JobState.DONE:
            raise RuntimeError("there is no result")
        return [Reading(self.vendor.counts(circuit, self.shots), 0.5) for circuit in self.circuits]

    def cancel(self) -> None:
        if self.vendor.cancels:
            self.now = JobState.CANCELLED


class FakeVendor(VendorBackend):
    """A vendor who keeps its jobs, and measures every bit as 0 unless a test gives other counts."""

    name = "fake vendor"
    version = "7"

    def __init__(self, terms: Terms = Terms(), *, seedable: bool = False, **able: Any) -> None:  # noqa: B008 - immutable
        self.terms = terms
        self.seedable = seedable
        self.able = Capabilities(result_types=(ResultType.COUNTS,), seedable=seedable, **able)
        self.at_once = True
        self.cancels = True
        self.runs: list[FakeRun] = []
        self.built: list[Circuit] = []
        self.fails_at: int | None = None
        self.counts: Callable[[Circuit, int], Any] = lambda circuit, shots: {"0" * circuit.num_clbits: shots}

    def build(self, circuit: Circuit) -> Circuit:
        self.built.append(circuit)
        return circuit

    def submit(self, natives, *, shots, seed):
        if self.fails_at == len(self.runs):
            raise ConnectionResetError("the vendor hung up")
        self.runs.append(FakeRun(self, len(self.runs), list(natives), shots, seed))
        return self.runs[-1]

    def find(self, vendor_id):
        job = next((run for run in self.runs if run.id == vendor_id), None)
        if job is None:
            raise JobNotFound(f"no job {vendor_id}", job=vendor_id)
        return job

    def status(self) -> BackendStatus:
        return BackendStatus(self.name, self.version, online=True)

    def capabilities(self) -> Capabilities:
        return self.able

    def sent(self) -> Counter[tuple[int, int]]:
        """Return (circuits of a submission, shots) -> number of such submissions."""
        return Counter((len(run.circuits), run.shots) for run in self.runs)
