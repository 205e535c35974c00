"""What Backends over a vendor's SDK have in common: a subclass says how to build, submit and find."""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from gateway.backends.base import Backend
from gateway.backends.vendor_errors import on_the_way
from gateway.backends.vendor_job import Part, Prepared, VendorJob, VendorRun
from gateway.backends.vendor_plan import Terms, plan, seeds_of, without_idle_qubits
from gateway.circuit import Circuit
from gateway.circuit.needs import needs
from gateway.enforcement import RunOptions, check_measured, refuse, result_type
from gateway.errors import GatewayError, JobNotFound, JobTimeout, SimulatorError, UnsupportedError
from gateway.frameworks.sources import as_circuit
from gateway.protocol.messages import RunRequest
from gateway.results import Capabilities, Result


class VendorBackend(Backend):
    """A Backend over a vendor's SDK.

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
        return on_the_way(exc, self.name) or SimulatorError(
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
        options = RunOptions(result_type(request.shots, request.result), seeded=request.seed is not None)
        with self.translated():
            self.refresh()
        version = self.version
        able = msgspec.structs.replace(self.capabilities(), max_qubits=self.terms.max_qubits)
        prepared = [
            self._prepared(source, able, options, index if isinstance(request.circuits, list) else None)
            for index, source in enumerate(request.circuit_list())
        ]
        shots = [number or 0 for number in request.shots_list()]
        seeds = seeds_of(request.seed, len(shots)) if self.seedable else None
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

    def _prepared(self, source: Circuit | str, able: Capabilities, options: RunOptions, index: int | None) -> Prepared:
        """Check and build one circuit; ``index`` is its number in a list."""
        try:
            began = time.perf_counter()
            circuit = as_circuit(source)
            parsed = time.perf_counter()
            circuit.validate()
            dense = without_idle_qubits(circuit)
            self._check(dense, able, options)
            with self.translated():
                native = self.build(dense)
            parse_s = parsed - began if isinstance(source, str) else 0.0
            return Prepared(native, circuit.num_clbits, parse_s, time.perf_counter() - parsed)
        except GatewayError as exc:
            exc.circuit = index
            raise

    def _check(self, circuit: Circuit, able: Capabilities, options: RunOptions) -> None:
        """Refuse by name what the machine does not do."""
        needed = needs(circuit)
        refuse(needed, able, options, simulator=self.name)
        check_measured(needed, options, simulator=self.name)
