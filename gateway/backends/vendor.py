"""VendorBackend: the common part of Backends over a vendor's SDK; a subclass adds how to build, submit and find."""

from __future__ import annotations

import re
import time
from abc import abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import msgspec

from gateway.backends.base import Backend
from gateway.backends.vendor_errors import access_error
from gateway.backends.vendor_job import Part, Prepared, VendorJob, VendorRun
from gateway.backends.vendor_plan import Terms, plan, seeds_of, without_idle_qubits
from gateway.circuit import Circuit
from gateway.circuit.needs import needs
from gateway.enforcement import RunOptions, check_details, check_measured, refuse, result_type
from gateway.errors import GatewayError, JobNotFound, JobTimeout, SimulatorError, UnsupportedError
from gateway.execution.started import announce
from gateway.frameworks.sources import as_circuit
from gateway.protocol.messages import RunRequest
from gateway.results import Capabilities, Result


class VendorBackend(Backend):
    """A Backend over a vendor's SDK.

    Attributes:
        name: the name of the machine, which a result's provenance reports as ``simulator``.
        terms: the limits of one submission to the machine.
        seedable: whether a submission may carry a seed; then each one carries one.
    """

    name: str
    terms: Terms
    seedable: bool = False
    ends_late_runs = True

    @property
    @abstractmethod
    def version(self) -> str:
        """The version of the machine or, where it has none, of the SDK."""

    @abstractmethod
    def build(self, circuit: Circuit) -> Any:  # noqa: ANN401 - the SDK's own circuit
        """Convert a circuit without idle qubits to the gates and the connectivity of the machine."""

    @abstractmethod
    def submit(self, natives: Sequence[Any], *, shots: int, seed: int | None) -> VendorRun:
        """Submit circuits to the machine and return at once."""

    def refresh(self) -> None:
        """Check whether the machine has changed; this is called before the circuits of a request are built."""

    def find(self, vendor_id: str) -> VendorRun:
        """Return a job that was submitted earlier.

        Raises:
            JobNotFound: the vendor has no such job, or keeps none.
        """
        raise JobNotFound(f"{self.name} keeps no jobs: keep the job that run_async() returned", job=vendor_id)

    def error(self, exc: Exception) -> GatewayError:
        """Return the gateway error for an exception of the SDK, with its text."""
        return access_error(exc, self.name) or SimulatorError(
            f"{self.name} failed: {type(exc).__name__}: {exc}",
            simulator=self.name,
            version=self.version,
            detail=str(exc),
        )

    @contextmanager
    def translated(self) -> Iterator[None]:
        """Raise a gateway error instead of whatever the SDK raises; all calls of the SDK are made inside this."""
        try:
            yield
        except GatewayError:
            raise
        except Exception as exc:
            raise self.error(exc) from exc

    # ------------------------------------------------------------------ running

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request; a run that takes longer than ``timeout_s``, fails or is interrupted is cancelled."""
        job = self._submit(request)
        try:
            return self._results(job, request.timeout_s)
        except JobTimeout:
            raise
        except BaseException:
            with suppress(GatewayError):
                job.cancel()  # only what has not ended
            raise

    def _results(self, job: VendorJob, timeout_s: float | None) -> list[Result]:
        if timeout_s is not None and not job.wait(timeout_s):
            outcome = "was cancelled" if job.cancel() else "could not be cancelled"
            raise JobTimeout(
                f"{self.name} had no result after {timeout_s:g} s; the job {job.id} {outcome}", timeout_s=timeout_s
            )
        return job.all_results()

    def job(self, job_id: str) -> VendorJob:
        """Return the job with this ``id``, which is one of ours or the vendor's own id of a job."""
        is_list = job_id[:1] == "[" and job_id[-1:] == "]"
        parts = [self._find_part(text) for text in (job_id[1:-1] if is_list else job_id).split("+")]
        return VendorJob(self, parts, is_list=is_list)

    def _find_part(self, text: str) -> Part:
        vendor_id, _, places = text.partition("@")
        if not vendor_id or ("@" in text and not re.fullmatch(r"\d+(\.\d+)*", places)):
            raise JobNotFound(f"{text!r} does not name a job", job=text)
        with self.translated():
            run = self.find(vendor_id)
        return Part(run, tuple(map(int, places.split("."))) if places else (0,))

    def begin(self, request: RunRequest) -> VendorJob:
        """Submit the circuits and return at once with a job that the vendor runs.

        Raises:
            UnsupportedError: the request has a ``timeout_s``, which nothing would enforce.
        """
        if request.timeout_s is not None:
            raise UnsupportedError(
                f"{self.name} runs a job without a deadline: leave timeout_s out, and cancel the job when it is late",
                feature="timeout_s",
                simulator=self.name,
            )
        return self._submit(request)

    def _submit(self, request: RunRequest) -> VendorJob:
        """Check, build and submit a request.

        Raises:
            GatewayError: the request failed; whatever was submitted of it has been cancelled.
        """
        kind = result_type(request.shots, request.result)
        options = RunOptions(kind, seeded=request.seed is not None, details=request.details())
        with self.translated():
            self.refresh()
        version = self.version
        capabilities = msgspec.structs.replace(self.capabilities(), max_qubits=self.terms.max_qubits)
        prepared = [
            self._prepare(source, capabilities, options, index if isinstance(request.circuits, list) else None)
            for index, source in enumerate(request.circuit_list())
        ]
        shots = [number or 0 for number in request.shots_list()]
        seeds = seeds_of(request.seed, len(shots)) if self.seedable else None
        parts: list[Part] = []
        try:
            for submission in plan(shots, seeds, self.terms, self.name):
                natives = [prepared[index].native for index in submission.circuits]
                with self.translated():
                    run = self.submit(natives, shots=submission.shots, seed=submission.seed)
                seed = None if seeds is None else submission.seed
                parts.append(Part(run, submission.circuits, submission.shots, seed))  # from now on it can be cancelled
                with self.translated():
                    announce(run.id)
        except BaseException:
            with suppress(GatewayError):
                VendorJob(self, parts).cancel()
            raise
        return VendorJob(self, parts, prepared, seeds, is_list=isinstance(request.circuits, list), version=version)

    def _prepare(
        self, source: Circuit | str, capabilities: Capabilities, options: RunOptions, index: int | None
    ) -> Prepared:
        """Check and build one circuit; ``index`` is its position in a list of circuits."""
        try:
            start = time.perf_counter()
            circuit = as_circuit(source)
            parsing_end = time.perf_counter()
            circuit.validate()
            dense = without_idle_qubits(circuit)
            self._check(dense, capabilities, options)
            with self.translated():
                native = self.build(dense)
            parse_s = parsing_end - start if isinstance(source, str) else 0.0
            return Prepared(native, circuit.num_clbits, parse_s, time.perf_counter() - parsing_end)
        except GatewayError as exc:
            exc.circuit = index
            raise

    def _check(self, circuit: Circuit, capabilities: Capabilities, options: RunOptions) -> None:
        """Refuse a circuit that needs something which the machine does not have."""
        needs_of_circuit = needs(circuit)
        if options.details.clbits is not None:
            raise UnsupportedError(
                f"{self.name} counts all clbits: leave clbits out, and choose some with counts.marginal(clbits)",
                feature="clbits",
                simulator=self.name,
            )
        refuse(needs_of_circuit, capabilities, options, simulator=self.name)
        check_details(options, circuit, None)
        check_measured(needs_of_circuit, options, simulator=self.name)
