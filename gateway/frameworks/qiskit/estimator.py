"""Our backends as an ``EstimatorV2`` of Qiskit's, checked against Qiskit 2.6.2."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qiskit.primitives import BaseEstimatorV2, DataBin, EstimatorPubLike, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from gateway.backends.base import Backend
from gateway.backends.batch import Convertible, Observables, Sweep, start
from gateway.circuit import Circuit
from gateway.errors import GatewayError
from gateway.expectation import Expectation
from gateway.frameworks.qiskit.parsing import parse
from gateway.frameworks.qiskit.primitive_job import GatewayPrimitiveJob, per_pub
from gateway.frameworks.qiskit.sweeps import circuits_of
from gateway.frameworks.shared.settings import Setting, constant, pauli_sum, settings
from gateway.observables import Observable
from gateway.results import ResultType

Place = tuple[int, ...]
Values = NDArray[np.float64]

_MOST_REQUESTS = 16
"""So many requests may a job take for observables that differ; beyond, all are measured in one request."""

_WASTE = 4
"""How many times as many values as a PUB needs may be computed, so that its circuits have the same observables."""


class GatewayEstimator(BaseEstimatorV2):
    """Qiskit's ``EstimatorV2`` on one of our backends: exact, or with as many shots as a precision takes.

    The backend computes the expectation values. Where it does not, or where each circuit of a PUB has observables of
    its own, circuits that end in measurements are run. Pauli products are measured together if they have the same Pauli
    on each qubit that they share; an identity is known without a measurement. Where a PUB fails, the others keep their
    results.

    Args:
        backend: one of our backends; exact values need one that returns expectation values or probabilities.
        default_precision: the precision, unless a run or a PUB has another; 0 for exact values.
        seed: makes every run repeatable.
        timeout_s: seconds after which a run is killed; by default the server's limit.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        default_precision: float = 0.0,
        seed: int | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self._backend = backend
        self._default_precision = default_precision
        self._seed = seed
        self._timeout_s = timeout_s

    @cached_property
    def _has_expectations(self) -> bool:
        return ResultType.EXPECTATION in self._backend.capabilities().result_types

    def run(self, pubs: Iterable[EstimatorPubLike], *, precision: float | None = None) -> GatewayPrimitiveJob:
        """Estimate the observables of each PUB.

        Args:
            pubs: ``(circuit, observables, parameter values, precision)``, the last two optional.
            precision: the standard error to aim at, with ``ceil(1 / precision**2)`` shots; exact for 0.

        Returns:
            A job; each result has ``data.evs`` and ``data.stds`` in the shape the observables and the parameter
            values broadcast to.

        Raises:
            ValueError, TypeError: something is not a PUB, its parameter values do not fit, or an observable is not
                Hermitian.
            GatewayError: the backend accepts no request now.
        """
        chosen = self._default_precision if precision is None else precision
        tasks = self._tasks([EstimatorPub.coerce(pub, chosen) for pub in pubs])
        batch = start(
            self._backend,
            [circuit for task in tasks for circuit in task.circuits],
            [task.shots for task in tasks for _ in task.circuits],
            observables=[task.observables for task in tasks for _ in task.circuits],
            seed=self._seed,
            timeout_s=self._timeout_s,
        )

        def finish(outcomes: list[Any]) -> list[Any]:
            parts = per_pub(outcomes, [task.num_outcomes for task in tasks])
            return [
                part if isinstance(part, GatewayError) else task.result(part)
                for task, part in zip(tasks, parts, strict=True)
            ]

        return GatewayPrimitiveJob(batch, finish)

    def _tasks(self, pubs: Sequence[Any]) -> list[_Task]:
        """Return what has to be run for each PUB."""
        if not self._has_expectations:
            return [_measuring(pub) for pub in pubs]
        tasks = [_asking(pub, circuits) for pub, circuits in zip(pubs, circuits_of(self._backend, pubs), strict=True)]
        if len({task.observables for task in tasks}) > _MOST_REQUESTS:
            return [_measuring(pub) for pub in pubs]
        return tasks


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task(ABC):
    """What has to be run for a PUB.

    Args:
        pub: Qiskit's PUB.
        circuits: the circuits, or the error of one that cannot be converted.
        observables: the observables of all of these circuits; ``None`` if the circuits measure them.
    """

    pub: Any
    circuits: Sequence[Convertible]
    observables: Observables | None = None

    @property
    def num_outcomes(self) -> int:
        """The number of outcomes of the circuits."""
        return sum(one.size if isinstance(one, Sweep) else 1 for one in self.circuits)

    @property
    def shots(self) -> int | None:
        """The number of shots of each circuit; ``None`` for exact values."""
        return math.ceil(1 / self.pub.precision**2) if self.pub.precision else None

    def result(self, outcomes: Sequence[Any]) -> Any:  # noqa: ANN401 - a PubResult
        """Return the PUB's result for the outcomes of its circuits."""
        means, variances = self.moments(outcomes)
        metadata = {
            "target_precision": self.pub.precision,
            "shots": self.shots,
            "circuit_metadata": self.pub.circuit.metadata,
        }
        return PubResult(DataBin(evs=means, stds=np.sqrt(variances), shape=means.shape), metadata=metadata)

    @abstractmethod
    def moments(self, outcomes: Sequence[Any]) -> tuple[Values, Values]:
        """Return the means and the squares of their standard errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused(_Task):
    """A PUB whose circuit cannot be converted: its error is the only outcome."""

    def moments(self, outcomes: Sequence[GatewayError]) -> tuple[Values, Values]:
        """Raise the error, which leaves nothing to compute."""
        (error,) = outcomes
        raise error


# ---------------------------------------------------------------------------- expectation values of the backend


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking(_Task):
    """A PUB whose expectation values the backend computes.

    Args:
        picks: where each value of the result is found: the positions of its circuit and of its observable.
    """

    picks: tuple[NDArray[np.int64], NDArray[np.int64]]

    def moments(self, outcomes: Sequence[Expectation]) -> tuple[Values, Values]:
        """Pick the values."""
        values = np.array([outcome.values for outcome in outcomes])[self.picks]
        errors = np.array([outcome.std_errors for outcome in outcomes])[self.picks]
        return values, errors**2


def _asking(pub: Any, circuits: Sequence[Convertible]) -> _Task:  # noqa: ANN401 - an EstimatorPub
    """Return what a backend that computes expectation values has to run for a PUB."""
    observables, which = _distinct_observables(pub.observables)
    points = pub.parameter_values
    shape = np.broadcast_shapes(points.shape, which.shape)
    size = math.prod(shape)
    if observables is None or not size or points.size * len(observables) > _WASTE * size:
        return _measuring(pub)
    error = next((one for one in circuits if isinstance(one, GatewayError)), None)
    if error is not None:
        return _Refused(pub=pub, circuits=[error])
    positions = np.arange(points.size).reshape(points.shape)
    picks = (np.broadcast_to(positions, shape), np.broadcast_to(which, shape))
    return _Asking(pub=pub, circuits=circuits, observables=tuple(observables), picks=picks)


def _distinct_observables(array: Any) -> tuple[list[Observable] | None, NDArray[np.int64]]:  # noqa: ANN401
    """Return the observables of an array, each once, and which of them stands at each place.

    There is no list if one is far longer as a sum of Pauli strings.
    """
    places: dict[Observable, int] = {}
    which = np.zeros(array.shape, dtype=np.int64)
    for place in np.ndindex(array.shape):
        terms = pauli_sum(_labels(array[place]))
        if terms is None:
            return None, which
        which[place] = places.setdefault(terms.terms, len(places))
    return list(places), which


# ---------------------------------------------------------------------------- measurements


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measuring(_Task):
    """A PUB whose circuits measure the observables.

    Args:
        measured: for each circuit its setting, and the place in the result to which it contributes.
        constants: what identities contribute to the result.
    """

    measured: Sequence[tuple[Place, Setting]]
    constants: Values

    def moments(self, outcomes: Sequence[Mapping[str, float]]) -> tuple[Values, Values]:
        """Add up what the settings contribute."""
        means, variances = self.constants.copy(), np.zeros(self.constants.shape)
        for (place, setting), outcome in zip(self.measured, outcomes, strict=True):
            mean, variance = setting.moments(outcome)
            means[place] += mean
            variances[place] += variance / self.shots if self.shots else 0.0
        return means, variances


def _measuring(pub: Any) -> _Task:  # noqa: ANN401 - an EstimatorPub
    """Return what any backend has to run for a PUB."""
    constants = np.zeros(pub.shape)
    measured: list[tuple[Place, Setting]] = []
    try:
        for place, circuit, observable in _places(pub):
            constants[place] = constant(observable)
            measured += [(place, setting) for setting in settings(circuit, observable)]
    except GatewayError as exc:
        return _Refused(pub=pub, circuits=[exc])
    circuits = [setting.circuit for _, setting in measured]
    return _Measuring(pub=pub, circuits=circuits, measured=measured, constants=constants)


def _places(pub: Any) -> Iterator[tuple[Place, Circuit, Mapping[str, float]]]:  # noqa: ANN401
    """Yield each place of a PUB's result with its circuit and its observable; each circuit is converted once."""
    bound_circuits = pub.parameter_values.bind_all(pub.circuit)
    circuits: Any = np.empty(bound_circuits.shape, dtype=object)
    for place in np.ndindex(bound_circuits.shape):
        circuits[place] = parse(bound_circuits[place])
    circuits, observables = np.broadcast_arrays(circuits, pub.observables)
    for place in np.ndindex(circuits.shape):
        circuit: Circuit = circuits[place]
        yield place, circuit, _labels(observables[place])


def _labels(observable: Any) -> dict[str, float]:  # noqa: ANN401 - a mapping of Qiskit's
    return {label: float(np.real(weight)) for label, weight in dict(observable).items()}
