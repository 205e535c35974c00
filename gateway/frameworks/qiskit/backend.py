"""Our backends as a ``BackendV2`` of Qiskit's, checked against Qiskit 2.6.2.

The host needs Qiskit but no simulator. Our simulators give counts. Where Qiskit asks for single shots, it gets
them in random order: shots are independent, so every order that gives these counts is equally likely, and a
random one is a sample like any other.

A circuit that measures nothing has an outcome, as on Qiskit's own simulators: its clbits are 0. Where some circuits
of a job fail, the result has the others, and Qiskit raises a ``QiskitError`` when such a circuit is asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qiskit.circuit import Measure, QuantumCircuit, Reset, Store
from qiskit.circuit.controlflow import (
    BoxOp,
    BreakLoopOp,
    ContinueLoopOp,
    ForLoopOp,
    IfElseOp,
    SwitchCaseOp,
    WhileLoopOp,
)
from qiskit.circuit.library import Barrier, UnitaryGate, get_standard_gate_name_mapping
from qiskit.exceptions import QiskitError
from qiskit.providers import BackendV2, JobError, JobStatus, JobTimeoutError, JobV1, Options
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData
from qiskit.transpiler import Target

from gateway.backends.base import Backend
from gateway.backends.batch import Batch, Running
from gateway.counts import Counts
from gateway.errors import GatewayError, JobTimeout, RequestError
from gateway.frameworks.qiskit.parsing import parse
from gateway.frameworks.shared.errors import also
from gateway.frameworks.shared.shots import shots_of
from gateway.results import JobState

DEFAULT_SHOTS = 1024

STATES = {
    JobState.QUEUED: JobStatus.QUEUED,
    JobState.RUNNING: JobStatus.RUNNING,
    JobState.DONE: JobStatus.DONE,
    JobState.FAILED: JobStatus.ERROR,
    JobState.CANCELLED: JobStatus.CANCELLED,
}
"""State of a job of ours -> its state in Qiskit."""

_WITHOUT_A_GATE = (
    (IfElseOp, "if_else"),
    (SwitchCaseOp, "switch_case"),
    (ForLoopOp, "for_loop"),
    (WhileLoopOp, "while_loop"),
    (BreakLoopOp, "break_loop"),
    (ContinueLoopOp, "continue_loop"),
    (BoxOp, "box"),
    (Store, "store"),
    (UnitaryGate, "unitary"),
)
"""Operations that have no standard form, so that a target knows them by their classes."""


class GatewayBackend(BackendV2):
    """One of our backends as one of Qiskit's, with all qubits connected, every standard gate and control flow.

    Args:
        backend: one of our backends: a LocalSimulator, a DockerSimulator, ...
        num_qubits: the number of qubits of the target; by default the simulator's limit, or none.
    """

    def __init__(self, backend: Backend, *, num_qubits: int | None = None) -> None:
        status = backend.status()
        super().__init__(
            name=status.name, description=f"{status.name} behind a gateway", backend_version=status.version
        )
        self._backend = backend
        self._target = _target(num_qubits or backend.capabilities().max_qubits)

    @property
    def target(self) -> Any:  # noqa: ANN401 - a Target
        """The operations that the transpiler may use."""
        return self._target

    @property
    def max_circuits(self) -> None:
        """The number of circuits that a job may have, which has no limit."""
        return

    @classmethod
    def _default_options(cls) -> Any:  # noqa: ANN401 - Options
        return Options(shots=DEFAULT_SHOTS, seed_simulator=None, memory=False, timeout_s=None)

    def run(self, run_input: Any, **options: Any) -> GatewayJob:  # noqa: ANN401 - a circuit or several
        """Run circuits; they need not be transpiled.

        Args:
            run_input: a ``QuantumCircuit`` or a list of them.
            **options: ``shots``, ``seed_simulator``, ``memory`` (single shots too), ``timeout_s``.

        Raises:
            RequestError: an option is unknown, or something is not a circuit.
            UnsupportedError, CircuitInvalidError: see :func:`gateway.frameworks.qiskit.parsing.parse`. These errors
                are Qiskit's ``QiskitError`` as well.
        """
        unknown = options.keys() - set(self.options)
        if unknown:
            raise RequestError(f"there is no option {min(unknown)!r}", field=min(unknown))
        chosen = dict(self.options) | options
        circuits = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input)
        try:
            batch = Batch(
                self._backend,
                [parse(circuit) for circuit in circuits],
                [chosen["shots"] or DEFAULT_SHOTS] * len(circuits),
                seed=chosen["seed_simulator"],
                timeout_s=chosen["timeout_s"],
            )
        except GatewayError as exc:
            raise also(exc, QiskitError) from exc
        return GatewayJob(self, batch, circuits, memory=chosen["memory"])


class GatewayJob(JobV1):
    """One of our jobs as one of Qiskit's, with the same id.

    Args:
        backend: the backend that runs the job.
        batch: our job.
        circuits: Qiskit's circuits, for the names and registers in the result.
        memory: whether the result has single shots.
    """

    def __init__(self, backend: GatewayBackend, batch: Batch, circuits: Sequence[Any], *, memory: bool) -> None:
        super().__init__(backend, batch.id)
        self._batch = batch
        self._circuits = circuits
        self._memory = memory

    def submit(self) -> None:
        """Do nothing, since the job was submitted before this object was made."""

    def status(self) -> Any:  # noqa: ANN401 - a JobStatus
        """Return the present state of the job."""
        return STATES[self._batch.status()]

    def cancel(self) -> bool:
        """Cancel the job unless it has ended, and return whether it is cancelled."""
        return self._batch.cancel()

    def result(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - a Result
        """Wait for the result; ``success`` of each circuit's part says whether it has an outcome.

        Args:
            timeout: how many seconds to wait at most.

        Raises:
            GatewayError: no circuit has an outcome, the job was cancelled, or (JobTimeout) it did not end in time.
                The error is Qiskit's ``JobError`` or ``JobTimeoutError`` as well.
        """
        outcomes = outcomes_of(self._batch, timeout)
        error = self._batch.error()
        if error is not None:
            raise also(error, JobError)
        experiments = [
            _failure(circuit, outcome)
            if isinstance(outcome, GatewayError)
            else _experiment(circuit, outcome, memory=self._memory)
            for circuit, outcome in zip(self._circuits, outcomes, strict=True)
        ]
        complete = all(experiment.success for experiment in experiments)
        return Result(
            results=experiments,
            backend_name=self.backend().name,
            backend_version=self.backend().backend_version,
            job_id=self.job_id(),
            success=complete,
            status="COMPLETED" if complete else "PARTIAL COMPLETED",
        )


def outcomes_of(batch: Running, timeout: float | None = None) -> list[Any]:
    """Wait for the outcome or the error of each circuit, and raise what Qiskit's users expect.

    Raises:
        JobError: the job was cancelled, or its server could not be reached; it is an error of ours as well.
        JobTimeoutError: the job did not end in time; it is a JobTimeout as well.
    """
    try:
        outcomes = batch.outcomes(timeout)
        batch.raise_if_cancelled()
    except GatewayError as exc:
        raise also(exc, JobTimeoutError if isinstance(exc, JobTimeout) else JobError) from exc
    return outcomes


def _target(num_qubits: int | None) -> Any:  # noqa: ANN401 - a Target
    target = Target(num_qubits=num_qubits)
    for operation in get_standard_gate_name_mapping().values():
        if not isinstance(operation, Measure | Reset | Barrier):
            target.add_instruction(operation)
    target.add_instruction(Measure())
    target.add_instruction(Reset())
    for kind, name in _WITHOUT_A_GATE:
        target.add_instruction(kind, name=name)
    return target


def _experiment(circuit: Any, counts: Counts, *, memory: bool) -> Any:  # noqa: ANN401 - of Qiskit's
    """Return the result of one circuit."""
    data: dict[str, Any] = {"counts": {hex(int(key or "0", 2)): times for key, times in counts.items()}}
    provenance = counts.provenance
    if memory:
        data["memory"] = [hex(int(key or "0", 2)) for key in shots_of(counts)]
    return ExperimentResult(
        shots=counts.shots,
        success=True,
        data=ExperimentResultData(**data),
        header=_header(circuit),
        seed=None if provenance is None else provenance.seed,
        status="DONE",
    )


def _failure(circuit: Any, error: GatewayError) -> Any:  # noqa: ANN401 - of Qiskit's
    """Return the result of a circuit that has none; Qiskit raises its status as an error when it is asked for."""
    return ExperimentResult(
        shots=0,
        success=False,
        data=ExperimentResultData(),
        header=_header(circuit),
        status=f"{type(error).__name__}: {error}",
    )


def _header(circuit: Any) -> dict[str, Any]:  # noqa: ANN401 - of Qiskit's
    """Return what Qiskit needs to find a circuit's result, and to write spaces between registers."""
    return {
        "name": circuit.name,
        "creg_sizes": [[register.name, register.size] for register in circuit.cregs],
        "qreg_sizes": [[register.name, register.size] for register in circuit.qregs],
        "memory_slots": circuit.num_clbits,
        "n_qubits": circuit.num_qubits,
        "global_phase": float(circuit.global_phase),
        "metadata": circuit.metadata,
    }
