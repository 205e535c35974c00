"""Our backends as a ``BackendV2`` and as the two primitives of Qiskit, checked against Qiskit 2.6.2.

The host needs Qiskit but no simulator. Our simulators give counts. Where Qiskit asks for single shots, it gets
them in random order: shots are independent, so every order that gives these counts is equally likely, and a
random one is a sample like any other.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from qiskit.circuit import Measure, QuantumCircuit, Reset
from qiskit.circuit.controlflow import ForLoopOp, IfElseOp, SwitchCaseOp
from qiskit.circuit.library import Barrier, get_standard_gate_name_mapping
from qiskit.primitives import (
    BackendSamplerV2,
    BaseEstimatorV2,
    DataBin,
    EstimatorPubLike,
    PrimitiveJob,
    PrimitiveResult,
    PubResult,
)
from qiskit.primitives.containers.estimator_pub import EstimatorPub
from qiskit.providers import BackendV2, JobStatus, JobV1, Options
from qiskit.result import Result
from qiskit.result.models import ExperimentResult, ExperimentResultData
from qiskit.transpiler import Target

from gateway.backends.base import Backend
from gateway.backends.job import Job
from gateway.circuit import Circuit, Operation
from gateway.counts import Counts
from gateway.errors import RequestError
from gateway.frameworks.qiskit.parsing import parse
from gateway.frameworks.shared.shots import shots_of
from gateway.results import JobState

DEFAULT_SHOTS = 1024
_NOT_OURS = frozenset({"delay"})
"""The standard operations of Qiskit without an equivalent in the shared circuit."""

_STATES = {
    JobState.QUEUED: JobStatus.QUEUED,
    JobState.RUNNING: JobStatus.RUNNING,
    JobState.DONE: JobStatus.DONE,
    JobState.FAILED: JobStatus.ERROR,
    JobState.CANCELLED: JobStatus.CANCELLED,
}


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
            UnsupportedError, CircuitInvalidError: see :func:`gateway.frameworks.qiskit.parsing.parse`.
        """
        unknown = options.keys() - set(self.options)
        if unknown:
            raise RequestError(f"there is no option {min(unknown)!r}", field=min(unknown))
        chosen = dict(self.options) | options
        circuits = [run_input] if isinstance(run_input, QuantumCircuit) else list(run_input)
        job = self._backend.run_async(
            [parse(circuit) for circuit in circuits],
            shots=chosen["shots"],
            seed=chosen["seed_simulator"],
            timeout_s=chosen["timeout_s"],
        )
        return GatewayJob(self, job, circuits, memory=chosen["memory"])


class GatewayJob(JobV1):
    """One of our jobs as one of Qiskit's, with the same id.

    Args:
        backend: the backend that runs the job.
        job: our job.
        circuits: Qiskit's circuits, for the names and registers in the result.
        memory: whether the result has single shots.
    """

    def __init__(self, backend: GatewayBackend, job: Job[Any], circuits: Sequence[Any], *, memory: bool) -> None:
        super().__init__(backend, job.id)
        self._job = job
        self._circuits = circuits
        self._memory = memory

    def submit(self) -> None:
        """Do nothing, since the job was submitted before this object was made."""

    def status(self) -> Any:  # noqa: ANN401 - a JobStatus
        """Return the present state of the job."""
        return _STATES[self._job.status()]

    def cancel(self) -> bool:
        """Cancel the job unless it has ended, and return whether it is cancelled."""
        return self._job.cancel()

    def result(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - a Result
        """Wait for the result.

        Args:
            timeout: how many seconds to wait at most.

        Raises:
            GatewayError: the run failed, or (JobTimeout) did not end in time.
        """
        results = self._job.result(timeout)
        outcomes = zip(self._circuits, results, strict=True)
        return Result(
            results=[_experiment(circuit, counts, memory=self._memory) for circuit, counts in outcomes],
            backend_name=self.backend().name,
            backend_version=self.backend().backend_version,
            job_id=self.job_id(),
            success=True,
        )


def _target(num_qubits: int | None) -> Any:  # noqa: ANN401 - a Target
    target = Target(num_qubits=num_qubits)
    for name, operation in get_standard_gate_name_mapping().items():
        if name not in _NOT_OURS and not isinstance(operation, Measure | Reset | Barrier):
            target.add_instruction(operation)
    target.add_instruction(Measure())
    target.add_instruction(Reset())
    for kind, name in ((IfElseOp, "if_else"), (SwitchCaseOp, "switch_case"), (ForLoopOp, "for_loop")):
        target.add_instruction(kind, name=name)
    return target


def _experiment(circuit: Any, counts: Counts, *, memory: bool) -> Any:  # noqa: ANN401 - of Qiskit's
    """Return the result of one circuit, with what Qiskit needs to write spaces between registers."""
    data: dict[str, Any] = {"counts": {hex(int(key or "0", 2)): times for key, times in counts.items()}}
    provenance = counts.provenance
    if memory:
        data["memory"] = [hex(int(key or "0", 2)) for key in shots_of(counts)]
    return ExperimentResult(
        shots=counts.shots,
        success=True,
        data=ExperimentResultData(**data),
        header={
            "name": circuit.name,
            "creg_sizes": [[register.name, register.size] for register in circuit.cregs],
            "qreg_sizes": [[register.name, register.size] for register in circuit.qregs],
            "memory_slots": circuit.num_clbits,
            "n_qubits": circuit.num_qubits,
            "global_phase": float(circuit.global_phase),
            "metadata": circuit.metadata,
        },
        seed=None if provenance is None else provenance.seed,
        status="DONE",
    )


# ---------------------------------------------------------------------------- primitives


class GatewaySampler(BackendSamplerV2):
    """Qiskit's ``SamplerV2`` on one of our backends.

    Args:
        backend: one of our backends.
        default_shots: the number of shots, unless a run or a PUB has another.
        seed: makes every run repeatable.
    """

    def __init__(self, backend: Backend, *, default_shots: int = DEFAULT_SHOTS, seed: int | None = None) -> None:
        super().__init__(
            backend=GatewayBackend(backend), options={"default_shots": default_shots, "seed_simulator": seed}
        )


class GatewayEstimator(BaseEstimatorV2):
    """Qiskit's ``EstimatorV2`` on one of our backends: exact, or with as many shots as a precision takes.

    Pauli products are measured together if they have the same Pauli on each qubit that they share.

    Args:
        backend: one of our backends; exact values need one that returns probabilities.
        default_precision: the precision, unless a run or a PUB has another; 0 for exact values.
        seed: makes every run repeatable.
    """

    def __init__(self, backend: Backend, *, default_precision: float = 0.0, seed: int | None = None) -> None:
        self._backend = backend
        self._default_precision = default_precision
        self._seed = seed

    def run(self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None) -> Any:  # noqa: ANN401 - a job
        """Estimate the observables of each PUB.

        Args:
            pubs: ``(circuit, observables, parameter values, precision)``, the last two optional.
            precision: the standard error to aim at, with ``ceil(1 / precision**2)`` shots; exact for 0.

        Returns:
            A ``PrimitiveJob``; each result has ``data.evs`` and ``data.stds`` in the shape the
            observables and the parameter values broadcast to.
        """
        chosen = self._default_precision if precision is None else precision
        estimator_pubs = [EstimatorPub.coerce(pub, chosen) for pub in pubs]
        job = PrimitiveJob(self._run, estimator_pubs)
        job._submit()  # noqa: SLF001 - how Qiskit's own primitives start their jobs
        return job

    def _run(self, pubs: Sequence[Any]) -> Any:  # noqa: ANN401 - a PrimitiveResult
        return PrimitiveResult([self._estimate(pub) for pub in pubs], metadata={"version": 2})

    def _estimate(self, pub: Any) -> Any:  # noqa: ANN401 - a PubResult
        shots = math.ceil(1 / pub.precision**2) if pub.precision else None
        bound_circuits = pub.parameter_values.bind_all(pub.circuit)
        circuits, observables = np.broadcast_arrays(bound_circuits, pub.observables)
        means, errors = np.zeros(circuits.shape), np.zeros(circuits.shape)
        settings = [
            (place, setting)
            for place in np.ndindex(circuits.shape)
            for setting in _settings(parse(circuits[place]), dict(observables[place]))
        ]
        outcomes = self._outcomes([setting.circuit for _, setting in settings], shots)
        for (place, setting), outcome in zip(settings, outcomes, strict=True):
            mean, variance = _moments(setting, outcome)
            means[place] += mean
            errors[place] += variance / shots if shots else 0.0
        data = DataBin(evs=means, stds=np.sqrt(errors), shape=means.shape)
        metadata = {"target_precision": pub.precision, "shots": shots, "circuit_metadata": pub.circuit.metadata}
        return PubResult(data, metadata=metadata)

    def _outcomes(self, circuits: list[Circuit], shots: int | None) -> list[Mapping[str, float]]:
        """Return counts or probabilities."""
        if not circuits:
            return []
        results: Any = self._backend.run(circuits, shots=shots, seed=self._seed)
        return list(results)


class _Term(NamedTuple):
    """A product of Paulis and projectors, with the value that it has for an outcome.

    Args:
        coefficient: the coefficient of the product.
        parity: mask of the measured bits whose parity is the sign.
        projector_mask: mask of the measured bits that projectors act on.
        projector_values: the values of these bits onto which they project.
    """

    coefficient: float
    parity: int
    projector_mask: int
    projector_values: int

    def value(self, bits: int) -> float:
        """Return the value of the term when the measured bits are the bits of a number."""
        if bits & self.projector_mask != self.projector_values:
            return 0.0
        return -self.coefficient if (bits & self.parity).bit_count() & 1 else self.coefficient


class _Setting(NamedTuple):
    """A circuit that measures some qubits in given bases, and the terms that can be read from it.

    Args:
        circuit: the circuit, with one more clbit for each measured qubit, after its own clbits.
        num_own_clbits: the number of the circuit's own clbits.
        terms: the terms of the observable.
    """

    circuit: Circuit
    num_own_clbits: int
    terms: list[_Term]


_BASES = {"X": "X", "+": "X", "-": "X", "Y": "Y", "r": "Y", "l": "Y", "Z": "Z", "0": "Z", "1": "Z"}
"""Letter of an observable -> the Pauli basis to measure in; letters other than Paulis are projectors."""
_ROTATIONS = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
_ONES = frozenset("-l1")


def _settings(circuit: Circuit, observable: Mapping[str, float]) -> Iterator[_Setting]:
    """Yield the settings that measure an observable, grouped by first fit so that there are few."""
    groups: list[tuple[dict[int, str], list[tuple[str, float]]]] = []
    for label, coefficient in observable.items():
        letters = {qubit: letter for qubit, letter in enumerate(reversed(label)) if letter != "I"}
        term_bases = {qubit: _BASES[letter] for qubit, letter in letters.items()}
        for bases, members in groups:
            if all(bases.get(qubit, basis) == basis for qubit, basis in term_bases.items()):
                bases.update(term_bases)
                members.append((label, coefficient))
                break
        else:
            groups.append((term_bases, [(label, coefficient)]))
    for bases, members in groups:
        yield _setting(circuit, bases, members)


def _setting(circuit: Circuit, bases: Mapping[int, str], members: Iterable[tuple[str, float]]) -> _Setting:
    target = Circuit(circuit.num_qubits, circuit.num_clbits + len(bases), list(circuit.operations))
    places = {}
    for place, (qubit, basis) in enumerate(sorted(bases.items())):
        places[qubit] = place
        target.operations += [Operation(name, (qubit,)) for name in _ROTATIONS[basis]]
        target.measure(qubit, circuit.num_clbits + place)
    return _Setting(target, circuit.num_clbits, [_term(label, factor, places) for label, factor in members])


def _term(label: str, coefficient: float, places: Mapping[int, int]) -> _Term:
    parity = projector_mask = projector_values = 0
    for qubit, letter in enumerate(reversed(label)):
        if letter in "XYZ":
            parity |= 1 << places[qubit]
        elif letter != "I":
            projector_mask |= 1 << places[qubit]
            projector_values |= (letter in _ONES) << places[qubit]
    return _Term(float(np.real(coefficient)), parity, projector_mask, projector_values)


def _moments(setting: _Setting, outcome: Mapping[str, float]) -> tuple[float, float]:
    """Return the mean of the terms' sum over an outcome's bitstrings, and its variance for one shot."""
    total = math.fsum(outcome.values())
    worth = []
    for key, weight in outcome.items():
        bits = int(key or "0", 2) >> setting.num_own_clbits
        worth.append((weight / total, math.fsum(term.value(bits) for term in setting.terms)))
    mean = math.fsum(weight * value for weight, value in worth)
    return mean, max(math.fsum(weight * value * value for weight, value in worth) - mean * mean, 0.0)
