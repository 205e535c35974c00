"""Our backends inside Qrisp (https://qrisp.eu) 0.9: checked against 0.9.10.

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
from gateway.backends.client import BackendClient
from gateway.backends.job import Job
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
        backend: any Backend; stays the caller's to close.
        name: for Qrisp to show.
        options: those that differ from the defaults.
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
            shots: for all, or for each; the option by default.

        Raises:
            TypeError, ValueError: shots that are not positive integers, or not one for each circuit.
            GatewayError: a circuit cannot be converted, or the backend does not take it.
        """
        many = [circuits] if isinstance(circuits, QuantumCircuit) else list(circuits)
        self._check_circuit_limit(many)
        job = self.backend.run_async(
            [parse(circuit) for circuit in many],
            shots=self._checked(shots, many),
            seed=self.options["seed"],
            timeout_s=self.options["timeout_s"],
        )
        return GatewayJob(self, job)

    def _checked(
        self, shots: int | Sequence[int | None] | None, circuits: Sequence[QuantumCircuit]
    ) -> int | list[int] | None:
        if not isinstance(shots, Sequence):
            self._validate_shots(shots)
            number: int | None = self.options["shots"] if shots is None else shots
            return number
        self._validate_shots_length(list(shots), circuits)
        for number in shots:
            self._validate_shots(number)
        numbers = [number for number in shots if number is not None]
        if numbers and len(numbers) < len(shots):
            raise RequestError("one job is either exact (no shots) or sampled, for all of its circuits", field="shots")
        return numbers or None

    def retrieve_job(self, job_id: str) -> GatewayJob:
        """Find a job again, where the backend keeps its jobs.

        Raises:
            JobNotFound: there is no such job; it is a LookupError.
        """
        return GatewayJob(self, self.backend.job(job_id))

    @property
    def health(self) -> BackendStatus:
        """Whether the backend takes work."""
        return self.backend.status()

    @property
    def info(self) -> Capabilities:
        """What the backend declares of itself."""
        return self.backend.capabilities()

    @property
    def num_qubits(self) -> int | None:
        """How many qubits there are at most; ``None`` where only memory limits them."""
        return self.backend.capabilities().max_qubits

    @property
    def gate_set(self) -> tuple[str, ...]:
        """The gates a circuit may have: all of the shared table."""
        return tuple(GATES)


class GatewayJob(QrispJob):
    """One of our jobs as one of Qrisp's.

    Args:
        backend: it runs on.
        job: of several circuits, so that its outcome is a list.
    """

    def __init__(self, backend: GatewayBackend, job: Job[Any]) -> None:
        super().__init__(backend, job_id=job.id)
        self._job = job
        self._last_known_status = JobStatus.QUEUED  # or further: whoever asks will know

    def status(self) -> JobStatus:
        """Ask for its state."""
        self._last_known_status = _STATUS[self._job.status()]
        return self._last_known_status

    def result(self, timeout: float | None = None) -> JobResult:
        """Wait for the result: a dictionary of bitstrings for each circuit, clbit 0 rightmost.

        Its metadata has the ``provenance`` of each.

        Raises:
            TimeoutError: not there within ``timeout`` seconds; the run goes on.
            JobFailureError: it failed; its cause is our error.
            JobCancelledError: it was cancelled.
        """
        try:
            outcomes = self._job.result(timeout)
        except JobCancelled:
            self._last_known_status = JobStatus.CANCELLED
        except GatewayError as exc:
            if isinstance(exc, JobTimeout) and not self._job.done():
                raise
            self._failure_cause = exc
            self._last_known_status = JobStatus.ERROR
        else:
            self._last_known_status = JobStatus.DONE
            outcomes = outcomes if isinstance(outcomes, list) else [outcomes]
            return JobResult([dict(one) for one in outcomes], provenance=[one.provenance for one in outcomes])
        return self._raise_for_status(self._last_known_status)

    def cancel(self) -> bool:
        """Cancel it unless it has ended."""
        return not self._job.done() and self._job.cancel()


def _released(
    simulator: str,
    host: str = "127.0.0.1",
    port: int | None = None,
    *,
    token: str | None = None,
    **options: Any,  # noqa: ANN401 - each has its own type
) -> GatewayBackend:
    """Return the simulator behind a port; ``gateway up`` or ``gateway serve --all`` starts the servers.

    Args:
        simulator: its name in the registry.
        host: where the server runs.
        port: of the server; the simulator's own by default.
        token: if the server wants one.
        options: of Qrisp, see :class:`GatewayBackend`.
    """
    client = BackendClient(host, find(simulator).port if port is None else port, token=token)
    return GatewayBackend(client, name=simulator, options=options)


CirqSim = partial(_released, "cirq")
MQTSim = partial(_released, "mqt")
QiskitSim = partial(_released, "qiskit")
QulacsSim = partial(_released, "qulacs")
PyTketSim = PyTketStimSim = partial(_released, "pytket")
RigettiSim = PennylaneRigettiSim = partial(_released, "rigetti")
