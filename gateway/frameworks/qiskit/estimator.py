"""Our backends as an ``EstimatorV2`` of Qiskit's, checked against Qiskit 2.6.2."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from qiskit.primitives import BaseEstimatorV2, DataBin, EstimatorPubLike, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from gateway.backends.base import Backend
from gateway.backends.batch import start
from gateway.circuit import Circuit
from gateway.errors import GatewayError
from gateway.frameworks.qiskit.parsing import parse
from gateway.frameworks.qiskit.primitive_job import GatewayPrimitiveJob, per_pub
from gateway.frameworks.shared.settings import Setting, constant, settings


class GatewayEstimator(BaseEstimatorV2):
    """Qiskit's ``EstimatorV2`` on one of our backends: exact, or with as many shots as a precision takes.

    Pauli products are measured together if they have the same Pauli on each qubit that they share; an identity is
    known without a measurement. Where a PUB fails, the others keep their results.

    Args:
        backend: one of our backends; exact values need one that returns probabilities.
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
        tasks = [_Task.of(EstimatorPub.coerce(pub, chosen)) for pub in pubs]
        batch = start(
            self._backend,
            [circuit for task in tasks for circuit in task.circuits()],
            [task.shots for task in tasks for _ in task.circuits()],
            seed=self._seed,
            timeout_s=self._timeout_s,
        )

        def finish(outcomes: list[Any]) -> list[Any]:
            parts = per_pub(outcomes, [len(task.circuits()) for task in tasks])
            return [
                part if isinstance(part, GatewayError) else task.result(part)
                for task, part in zip(tasks, parts, strict=True)
            ]

        return GatewayPrimitiveJob(batch, finish)


class _Task(NamedTuple):
    """What has to be measured for a PUB.

    Args:
        pub: Qiskit's PUB.
        shots: the number of shots of each setting; ``None`` for exact values.
        settings: the settings, each with the place in the result to which it contributes.
        constants: what identities contribute to the result.
        error: why the circuit could not be converted.
    """

    pub: Any
    shots: int | None
    settings: list[tuple[tuple[int, ...], Setting]]
    constants: np.ndarray[Any, np.dtype[np.float64]]
    error: GatewayError | None

    @classmethod
    def of(cls, pub: Any) -> _Task:  # noqa: ANN401 - an EstimatorPub
        """Return what has to be measured for a PUB."""
        shots = math.ceil(1 / pub.precision**2) if pub.precision else None
        constants = np.zeros(pub.shape)
        found: list[tuple[tuple[int, ...], Setting]] = []
        error = None
        try:
            for place, circuit, observable in _places(pub):
                constants[place] = constant(observable)
                found += [(place, setting) for setting in settings(circuit, observable)]
        except GatewayError as exc:
            error = exc
        return cls(pub, shots, found, constants, error)

    def circuits(self) -> list[Circuit | GatewayError]:
        """Return what has to be run: a circuit for each setting, or only the error."""
        return [setting.circuit for _, setting in self.settings] if self.error is None else [self.error]

    def result(self, outcomes: Sequence[Mapping[str, float]]) -> Any:  # noqa: ANN401 - a PubResult
        """Return the PUB's result for the outcomes of its circuits."""
        means, variances = self.constants.copy(), np.zeros(self.constants.shape)
        for (place, setting), outcome in zip(self.settings, outcomes, strict=True):
            mean, variance = setting.moments(outcome)
            means[place] += mean
            variances[place] += variance / self.shots if self.shots else 0.0
        metadata = {
            "target_precision": self.pub.precision,
            "shots": self.shots,
            "circuit_metadata": self.pub.circuit.metadata,
        }
        return PubResult(DataBin(evs=means, stds=np.sqrt(variances), shape=means.shape), metadata=metadata)


def _places(pub: Any) -> Iterator[tuple[tuple[int, ...], Circuit, Mapping[str, float]]]:  # noqa: ANN401
    """Yield each place of a PUB's result with its circuit and its observable; each circuit is converted once."""
    bound_circuits = pub.parameter_values.bind_all(pub.circuit)
    circuits: Any = np.empty(bound_circuits.shape, dtype=object)
    for place in np.ndindex(bound_circuits.shape):
        circuits[place] = parse(bound_circuits[place])
    circuits, observables = np.broadcast_arrays(circuits, pub.observables)
    for place in np.ndindex(circuits.shape):
        circuit: Circuit = circuits[place]
        yield place, circuit, {label: float(np.real(weight)) for label, weight in dict(observables[place]).items()}
