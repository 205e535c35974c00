"""Our backends inside Qiskit: a ``BackendV2`` and the two primitives, checked against Qiskit 2.6.2.

The host needs Qiskit and no simulator. A simulator of ours gives counts; where Qiskit asks for single
shots, it gets them in random order: of shots that do not depend on each other, every order that
gives these counts is equally likely, so this is a sample like any other.
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
"""Of Qiskit's standard operations those that a circuit of ours has no equivalent for."""

_STATES = {
    JobState.QUEUED: JobStatus.QUEUED,
    JobState.RUNNING: JobStatus.RUNNING,
    JobState.DONE: JobStatus.DONE,
    JobState.FAILED: JobStatus.ERROR,
    JobState.CANCELLED: JobStatus.CANCELLED,
}


class GatewayBackend(BackendV2):
    """A backend of ours as one of Qiskit's: all qubits connected, every standard gate, control flow.

    Args:
        backend: of ours: a LocalSimulator, a DockerSimulator, ...
        num_qubits: how many qubits the target has; by default what the simulator says, or any number.
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
        """What the transpiler may use."""
        return self._target

    @property
    def max_circuits(self) -> None:
        """How many circuits a job may have: no limit here."""
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
            RequestError: an option that is not known, or circuits that are none.
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
    """A job of ours as one of Qiskit's; its id is that of ours.

    Args:
        backend: it runs on.
        job: of ours.
        circuits: of Qiskit's, for the names and registers in the result.
        memory: whether single shots are wanted.
    """

    def __init__(self, backend: GatewayBackend, job: Job[Any], circuits: Sequence[Any], *, memory: bool) -> None:
        super().__init__(backend, job.id)
        self._job = job
        self._circuits = circuits
        self._memory = memory

    def submit(self) -> None:
        """Do nothing: it was submitted when it was made."""

    def status(self) -> Any:  # noqa: ANN401 - a JobStatus
        """Return its state now."""
        return _STATES[self._job.status()]

    def cancel(self) -> bool:
        """Cancel it unless it has ended; say whether it is cancelled now."""
        return self._job.cancel()

    def result(self, timeout: float | None = None) -> Any:  # noqa: ANN401 - a Result
        """Wait for the result.

        Args:
            timeout: in seconds.

        Raises:
            GatewayError: whatever made the run fail, or JobTimeout.
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
    """Qiskit's ``SamplerV2`` on a backend of ours.

    Args:
        backend: of ours.
        default_shots: unless a run or a PUB says otherwise.
        seed: makes every run repeatable.
    """

    def __init__(self, backend: Backend, *, default_shots: int = DEFAULT_SHOTS, seed: int | None = None) -> None:
        super().__init__(
            backend=GatewayBackend(backend), options={"default_shots": default_shots, "seed_simulator": seed}
        )


class GatewayEstimator(BaseEstimatorV2):
    """Qiskit's ``EstimatorV2`` on a backend of ours: exact, or with as many shots as a precision takes.

    Paulis that can be measured together are: two of them on the same qubit must be the same.

    Args:
        backend: of ours; exact values need one that returns probabilities.
        default_precision: unless a run or a PUB says otherwise; 0 for exact values.
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
            precision: the standard error to aim at; ``ceil(1 / precision**2)`` shots, none for 0.

        Returns:
            A ``PrimitiveJob``; each result has ``data.evs`` and ``data.stds`` in the shape the
            observables and the parameter values broadcast to.
        """
        chosen = self._default_precision if precision is None else precision
        coerced = [EstimatorPub.coerce(pub, chosen) for pub in pubs]
        job = PrimitiveJob(self._run, coerced)
        job._submit()  # noqa: SLF001 - how Qiskit's own primitives start their jobs
        return job

    def _run(self, pubs: Sequence[Any]) -> Any:  # noqa: ANN401 - a PrimitiveResult
        return PrimitiveResult([self._estimate(pub) for pub in pubs], metadata={"version": 2})

    def _estimate(self, pub: Any) -> Any:  # noqa: ANN401 - a PubResult
        shots = math.ceil(1 / pub.precision**2) if pub.precision else None
        bound = pub.parameter_values.bind_all(pub.circuit)
        circuits, observables = np.broadcast_arrays(bound, pub.observables)
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
    """A product of Paulis and projectors, as what it is worth for an outcome.

    Args:
        coefficient: of the product.
        parity: mask of the measured bits whose parity is the sign.
        fixed: mask of the measured bits that projectors look at.
        wanted: their values.
    """

    coefficient: float
    parity: int
    fixed: int
    wanted: int

    def value(self, bits: int) -> float:
        """Return what the term is worth when the measured bits are those of a number."""
        if bits & self.fixed != self.wanted:
            return 0.0
        return -self.coefficient if (bits & self.parity).bit_count() & 1 else self.coefficient


class _Setting(NamedTuple):
    """A circuit that measures some qubits in given bases, and the terms that can be read from it.

    Args:
        circuit: with one more clbit for each measured qubit, after its own.
        skipped: how many clbits are the circuit's own.
        terms: of the observable.
    """

    circuit: Circuit
    skipped: int
    terms: list[_Term]


_BASES = {"X": "X", "+": "X", "-": "X", "Y": "Y", "r": "Y", "l": "Y", "Z": "Z", "0": "Z", "1": "Z"}
"""Letter of an observable -> the Pauli matrix it is measured in; the others than Paulis are projectors."""
_ROTATIONS = {"X": ("h",), "Y": ("sdg", "h"), "Z": ()}
_ONES = frozenset("-l1")


def _settings(circuit: Circuit, observable: Mapping[str, float]) -> Iterator[_Setting]:
    """Yield the measurements that an observable takes, as few as a first fit gives."""
    groups: list[tuple[dict[int, str], list[tuple[str, float]]]] = []
    for label, coefficient in observable.items():
        letters = {qubit: letter for qubit, letter in enumerate(reversed(label)) if letter != "I"}
        wanted = {qubit: _BASES[letter] for qubit, letter in letters.items()}
        for bases, members in groups:
            if all(bases.get(qubit, basis) == basis for qubit, basis in wanted.items()):
                bases.update(wanted)
                members.append((label, coefficient))
                break
        else:
            groups.append((wanted, [(label, coefficient)]))
    for bases, members in groups:
        yield _setting(circuit, bases, members)


def _setting(circuit: Circuit, bases: Mapping[int, str], members: Iterable[tuple[str, float]]) -> _Setting:
    measured = Circuit(circuit.num_qubits, circuit.num_clbits + len(bases), list(circuit.operations))
    places = {}
    for place, (qubit, basis) in enumerate(sorted(bases.items())):
        places[qubit] = place
        measured.operations += [Operation(name, (qubit,)) for name in _ROTATIONS[basis]]
        measured.measure(qubit, circuit.num_clbits + place)
    return _Setting(measured, circuit.num_clbits, [_term(label, factor, places) for label, factor in members])


def _term(label: str, coefficient: float, places: Mapping[int, int]) -> _Term:
    parity = fixed = wanted = 0
    for qubit, letter in enumerate(reversed(label)):
        if letter in "XYZ":
            parity |= 1 << places[qubit]
        elif letter != "I":
            fixed |= 1 << places[qubit]
            wanted |= (letter in _ONES) << places[qubit]
    return _Term(float(np.real(coefficient)), parity, fixed, wanted)


def _moments(setting: _Setting, outcome: Mapping[str, float]) -> tuple[float, float]:
    """Return the mean of the terms' sum over an outcome's bitstrings, and its variance for one shot."""
    total = math.fsum(outcome.values())
    worth = []
    for key, weight in outcome.items():
        bits = int(key or "0", 2) >> setting.skipped
        worth.append((weight / total, math.fsum(term.value(bits) for term in setting.terms)))
    mean = math.fsum(weight * value for weight, value in worth)
    return mean, max(math.fsum(weight * value * value for weight, value in worth) - mean * mean, 0.0)
