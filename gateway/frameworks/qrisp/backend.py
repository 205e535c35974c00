"""Our backends as backends of Qrisp (https://qrisp.eu) 0.9, checked against 0.9.10.

``quantum_variable.get_measurement(backend=GatewayBackend(LocalSimulator("qulacs")))``

Programs for Qrisp 0.4 to 0.8 named the simulators of a running container; the same names here connect
to the same ports, so ``from qrisp.interface import QulacsSim`` only has to change its module. Each
takes ``host``, ``port`` and ``token``, and Qrisp's options. ``PyTketStimSim`` and
``PennylaneRigettiSim`` are the names Qrisp gave to two ports: behind them are pytket's AerBackend
and pyQuil's numpy simulator, which is what ``PyTketSim`` and ``RigettiSim`` say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from qrisp import QuantumCircuit
from qrisp.interface import Backend as QrispBackend
from qrisp.interface import Job as QrispJob
from qrisp.interface import JobResult, JobStatus

from gateway.backends.base import Backend, BackendStatus
from gateway.backends.batch import Batch, KeptBatch, Running
from gateway.backends.client import BackendClient
from gateway.circuit.gates import GATES
from gateway.errors import GatewayError, JobCancelled, JobTimeout, RequestError
from gateway.frameworks.qrisp.parsing import parse
from gateway.results import Capabilities, JobState
from gateway.simulators import find

_STATUS = {
    JobState.QUEUED: JobStatus.QUEUED,
    JobState.RUNNING: JobStatus.RUNNING,
    JobState.DONE: JobStatus.DONE,
    JobState.FAILED: JobStatus.ERROR,
    JobState.CANCELLED: JobStatus.CANCELLED,
}


class GatewayBackend(QrispBackend):
    """One of our backends as one of Qrisp's.

    Options, to be changed by ``update_options``: ``shots`` (``None``, the default, for exact
    probabilities, as Qrisp's own simulator gives them), ``seed`` (circuit ``k`` of a batch uses
    ``seed + k``) and ``timeout_s`` of each run.

    Args:
        backend: any Backend; the caller closes it.
        name: the name that Qrisp shows.
        options: the options that differ from the defaults.
    """

    def __init__(self, backend: Backend, *, name: str | None = None, options: Mapping[str, Any] | None = None) -> None:
        super().__init__(name=name or repr(backend))
        self.update_options(**(options or {}))
        self.backend = backend

    @classmethod
    def _default_options(cls) -> Mapping[str, Any]:
        return {"shots": None, "seed": None, "timeout_s": None}

    def run_async(
        self, circuits: QuantumCircuit | Sequence[QuantumCircuit], shots: int | Sequence[int | None] | None = None
    ) -> GatewayJob:
        """Start a run of one circuit, or of several in one request.

        Args:
            circuits: a circuit, or a sequence of them.
            shots: the number of shots for all circuits, or one for each; by default the option ``shots``.

        Raises:
            TypeError, ValueError: the shots are not positive integers, or not one for each circuit.
            RequestError: there is no circuit.
            GatewayError: a circuit cannot be converted, or the backend does not take it.
        """
        many = [circuits] if isinstance(circuits, QuantumCircuit) else list(circuits)
        self._check_circuit_limit(many)
        if not many:
            raise RequestError("the list of circuits is empty", field="circuits")
        batch = Batch(
            self.backend,
            [parse(circuit) for circuit in many],
            self._check_shots(shots, many),
            seed=self.options["seed"],
            timeout_s=self.options["timeout_s"],
        )
        return GatewayJob(self, batch)

    def _check_shots(
        self, shots: int | Sequence[int | None] | None, circuits: Sequence[QuantumCircuit]
    ) -> list[int | None]:
        """Return the number of shots of each circuit; ``None`` where it is exact."""
        numbers = list(shots) if isinstance(shots, Sequence) else [shots] * len(circuits)
        self._validate_shots_length(numbers, circuits)
        for number in numbers:
            self._validate_shots(number)
        return [self.options["shots"] if number is None else number for number in numbers]

    def retrieve_job(self, job_id: str) -> GatewayJob:
        """Return a job of an earlier run, if the backend keeps its jobs.

        Raises:
            JobNotFound: there is no such job; the error is also a LookupError.
        """
        return GatewayJob(self, KeptBatch(self.backend.job(job_id)))

    @property
    def health(self) -> BackendStatus:
        """Whether the backend takes work."""
        return self.backend.status()

    @property
    def info(self) -> Capabilities:
        """The capabilities that the backend declares."""
        return self.backend.capabilities()

    @property
    def num_qubits(self) -> int | None:
        """The largest number of qubits; ``None`` if only memory limits it."""
        return self.backend.capabilities().max_qubits

    @property
    def gate_set(self) -> tuple[str, ...]:
        """The gates that a circuit may have, which are all of the gate table."""
        return tuple(GATES)


class GatewayJob(QrispJob):
    """One of our jobs as one of Qrisp's.

    Args:
        backend: the backend that runs the job.
        batch: our job.
    """

    def __init__(self, backend: GatewayBackend, batch: Running) -> None:
        super().__init__(backend, job_id=batch.id)
        self._batch = batch
        self._last_known_status = JobStatus.QUEUED  # it may have progressed since; status() asks

    def status(self) -> JobStatus:
        """Return the present state of the job; it has failed if one of its circuits has."""
        state = self._batch.status()
        self._last_known_status = _STATUS[state]
        if state is JobState.DONE and self._error(self._batch.outcomes()) is not None:
            self._last_known_status = JobStatus.ERROR
        return self._last_known_status

    def result(self, timeout: float | None = None) -> JobResult:
        """Wait for the result: a dictionary of bitstrings for each circuit, clbit 0 rightmost.

        The metadata of the result has the ``provenance`` of each circuit.

        Raises:
            TimeoutError: the result did not come within ``timeout`` seconds; the run goes on.
            JobFailureError: a circuit failed; the cause is our error.
            JobCancelledError: the job was cancelled.
        """
        try:
            outcomes = self._batch.outcomes(timeout)
            error = self._error(outcomes)
        except GatewayError as exc:
            if isinstance(exc, JobTimeout) and not self._batch.status().ended:
                raise
            error = exc
        if isinstance(error, JobCancelled):
            self._last_known_status = JobStatus.CANCELLED
        elif error is not None:
            self._failure_cause = error
            self._last_known_status = JobStatus.ERROR
        else:
            self._last_known_status = JobStatus.DONE
            return JobResult([dict(one) for one in outcomes], provenance=[one.provenance for one in outcomes])
        return self._raise_for_status(self._last_known_status)

    @staticmethod
    def _error(outcomes: Sequence[Any]) -> GatewayError | None:
        return next((outcome for outcome in outcomes if isinstance(outcome, GatewayError)), None)

    def cancel(self) -> bool:
        """Cancel the job unless it has ended, and return whether it is cancelled."""
        return not self._batch.status().ended and self._batch.cancel()


def _simulator_at(
    simulator: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    token: str | None = None,
    **options: Any,  # noqa: ANN401 - each has its own type
) -> GatewayBackend:
    """Return the simulator behind a port; ``gateway up`` or ``gateway serve --all`` starts the servers.

    Args:
        simulator: the name of the simulator in the registry.
        host: the host of the server.
        port: the port of the server; by default the simulator's own.
        token: the token, if the server requires one.
        options: options of Qrisp, see :class:`GatewayBackend`.
    """
    client = BackendClient(host, find(simulator).port if port is None else port, token=token)
    return GatewayBackend(client, name=simulator, options=options)


CirqSim = partial(_simulator_at, "cirq")
MQTSim = partial(_simulator_at, "mqt")
QiskitSim = partial(_simulator_at, "qiskit")
QulacsSim = partial(_simulator_at, "qulacs")
PyTketSim = PyTketStimSim = partial(_simulator_at, "pytket")
RigettiSim = PennylaneRigettiSim = partial(_simulator_at, "rigetti")
