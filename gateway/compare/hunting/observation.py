"""What one simulator gave for one circuit of a hunt."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.circuit import Circuit
from gateway.compare.hunting.participant import Participant
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.counts import Counts, Probabilities
from gateway.errors import (
    AuthenticationError,
    BusyError,
    ContainerError,
    GatewayError,
    LimitError,
    ServerStartError,
    TransportError,
    UnsupportedError,
)
from gateway.results import ResultType, Sampling

UNREACHABLE = (TransportError, ServerStartError, ContainerError, AuthenticationError)
"""The errors that say that a simulator could not be reached."""


class Plan(NamedTuple):
    """How a circuit is run.

    Args:
        shots: the number of shots.
        seed: the seed, where the backend heeds seeds.
        sampling: who draws the shots, where the backend has a sampler of its own that can.
    """

    shots: int
    seed: int
    sampling: Sampling = Sampling.AUTO


@dataclass(slots=True, eq=False)
class Observation:
    """What one simulator gave for one circuit; all is ``None`` if it does not take the circuit.

    Args:
        exact: its exact distribution.
        state: its state vector, of a circuit without measurements.
        sample: its counts.
        sampling: who drew them.
        error: what it raised.
    """

    exact: Distribution | None = None
    state: NDArray[np.complex128] | None = None
    sample: Sample | None = None
    sampling: Sampling = Sampling.AUTO
    error: GatewayError | None = None

    @property
    def is_lost(self) -> bool:
        """Whether the simulator could not be reached."""
        return isinstance(self.error, UNREACHABLE)

    @property
    def is_empty(self) -> bool:
        """Whether the simulator was asked for nothing, or could not run the circuit."""
        return not self.has_results and self.error is None

    @property
    def has_results(self) -> bool:
        """Whether the simulator gave anything."""
        return self.exact is not None or self.state is not None or self.sample is not None


def observe(participant: Participant, circuit: Circuit, plan: Plan | None) -> Observation:
    """Run a circuit: the state vector if it measures nothing, else exact probabilities and counts, as far as declared.

    Without a plan there are no counts.

    A refusal of a circuit that is too large, or of an own sampler that cannot do something, is no error.
    """
    observation = Observation()
    try:
        if is_measured(circuit):
            _observe_outcomes(observation, participant, circuit, plan)
        elif participant.takes(circuit, ResultType.STATEVECTOR):
            (result,) = participant.ask([circuit], ResultType.STATEVECTOR)
            observation.state = np.asarray(result)
    except GatewayError as exc:
        observation.error = None if is_excused(exc) else exc
    return observation


def _observe_outcomes(observation: Observation, participant: Participant, circuit: Circuit, plan: Plan | None) -> None:
    if participant.takes(circuit, ResultType.PROBABILITIES):
        (result,) = participant.ask([circuit], ResultType.PROBABILITIES)
        assert isinstance(result, Probabilities)  # noqa: S101 - the result type that was asked for
        observation.exact = Distribution.of(result, circuit.num_clbits)
    if plan is None or not participant.takes(circuit, ResultType.COUNTS):
        return
    if participant.takes(circuit, ResultType.COUNTS, plan.sampling):
        observation.sampling = plan.sampling
    observation.sample = draw(participant, circuit, plan._replace(sampling=observation.sampling))


def draw(participant: Participant, circuit: Circuit, plan: Plan) -> Sample:
    """Return the counts of a circuit.

    Raises:
        GatewayError: the run failed.
    """
    (counts,) = participant.ask([circuit], ResultType.COUNTS, shots=plan.shots, seed=plan.seed, sampling=plan.sampling)
    assert isinstance(counts, Counts)  # noqa: S101 - the result type that was asked for
    return Sample.of(counts, circuit.num_clbits)


def is_measured(circuit: Circuit) -> bool:
    """Return whether a circuit measures anything."""
    return any(operation.name == "measure" for operation in circuit.operations)


def is_excused(exc: GatewayError) -> bool:
    """Return whether an error only says that a simulator, or its own sampler, cannot run this here and now."""
    if isinstance(exc, UnsupportedError):
        return str(exc.feature).startswith("native")
    return isinstance(exc, (LimitError, BusyError))
