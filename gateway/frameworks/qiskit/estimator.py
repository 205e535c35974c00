"""Our backends as an ``EstimatorV2`` of Qiskit's, checked against Qiskit 2.6.2."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from qiskit.primitives import BaseEstimatorV2, DataBin, EstimatorPubLike, PubResult
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from gateway.backends.base import Backend
from gateway.backends.batch import Batch
from gateway.circuit import Circuit, Operation
from gateway.errors import GatewayError
from gateway.frameworks.qiskit.parsing import parse
from gateway.frameworks.qiskit.primitive_job import GatewayPrimitiveJob, per_pub


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
        batch = Batch(
            self._backend,
            [circuit for task in tasks for circuit in task.circuits()],
            shots=[task.shots for task in tasks for _ in task.circuits()],
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
    settings: list[tuple[tuple[int, ...], _Setting]]
    constants: np.ndarray[Any, np.dtype[np.float64]]
    error: GatewayError | None

    @classmethod
    def of(cls, pub: Any) -> _Task:  # noqa: ANN401 - an EstimatorPub
        """Return what has to be measured for a PUB."""
        shots = math.ceil(1 / pub.precision**2) if pub.precision else None
        constants, settings, error = np.zeros(pub.shape), [], None
        try:
            for place, circuit, observable in _places(pub):
                constants[place] = math.fsum(weight for label, weight in observable.items() if _is_identity(label))
                settings += [(place, setting) for setting in _settings(circuit, observable)]
        except GatewayError as exc:
            error = exc
        return cls(pub, shots, settings, constants, error)

    def circuits(self) -> list[Circuit | GatewayError]:
        """Return what has to be run: a circuit for each setting, or only the error."""
        return [setting.circuit for _, setting in self.settings] if self.error is None else [self.error]

    def result(self, outcomes: Sequence[Mapping[str, float]]) -> Any:  # noqa: ANN401 - a PubResult
        """Return the PUB's result for the outcomes of its circuits."""
        means, variances = self.constants.copy(), np.zeros(self.constants.shape)
        for (place, setting), outcome in zip(self.settings, outcomes, strict=True):
            mean, variance = _moments(setting, outcome)
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


def _is_identity(label: str) -> bool:
    return not label.strip("I")


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
    """Yield the settings that measure an observable but for identities, grouped by first fit so that there are few."""
    groups: list[tuple[dict[int, str], list[tuple[str, float]]]] = []
    for label, coefficient in observable.items():
        if _is_identity(label):
            continue
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
    return _Term(coefficient, parity, projector_mask, projector_values)


def _moments(setting: _Setting, outcome: Mapping[str, float]) -> tuple[float, float]:
    """Return the mean of the terms' sum over an outcome's bitstrings, and its variance for one shot."""
    total = math.fsum(outcome.values())
    worth = []
    for key, weight in outcome.items():
        bits = int(key or "0", 2) >> setting.num_own_clbits
        worth.append((weight / total, math.fsum(term.value(bits) for term in setting.terms)))
    mean = math.fsum(weight * value for weight, value in worth)
    return mean, max(math.fsum(weight * value * value for weight, value in worth) - mean * mean, 0.0)
