"""Reduces a circuit on which a simulator differs, and writes down what is left as a reproducer."""

from __future__ import annotations

import msgspec

from gateway.backends.base import Backend, BackendStatus
from gateway.circuit import Circuit
from gateway.compare.closeness import tolerance
from gateway.compare.diagnosis import Observations, diagnose
from gateway.compare.exact.control_flow import has_control_flow
from gateway.compare.hunting.accusation import OURSELVES, Accusation, Trial
from gateway.compare.hunting.culprits import culprits
from gateway.compare.hunting.differences import Kind, reference_of
from gateway.compare.hunting.findings import Reduced
from gateway.compare.hunting.observation import Plan
from gateway.compare.hunting.participant import Participant
from gateway.compare.hunting.participants import Participants
from gateway.compare.record import Cause, Reproducer
from gateway.compare.reproducer.clock import Clock
from gateway.compare.reproducer.compacting import num_operations
from gateway.compare.reproducer.evidence import reproducer_of
from gateway.compare.reproducer.judge import Judge
from gateway.compare.reproducer.reduction import smallest
from gateway.compare.writing import as_written
from gateway.protocol.messages import RunRequest
from gateway.results import Capabilities, Result, Sampling

SHOTS = 10_000
"""The number of shots of the counts in a reproducer."""

SEED = 1
"""The seed of these counts."""

DIAGNOSIS_S = 10.0
"""The seconds that the diagnosis of a reduced circuit may take."""


def reduced(participants: Participants, trial: Trial, accusation: Accusation, seconds: float) -> Reduced:
    """Return what is left of a circuit that shows a difference.

    A difference that does not show again, a run that did not end in time, and a circuit with loops, assignments or
    hidden clbits are not reduced.

    Args:
        participants: all that take part.
        trial: the circuit.
        accusation: who differs, and how.
        seconds: the time that the search may take.
    """
    clock = Clock()
    clock.set(seconds)
    has_loops = has_control_flow(trial.circuit)
    circuit, minimal = trial.circuit if has_loops else as_written(trial.circuit), False
    is_reducible = not has_loops and accusation.difference.kind is not Kind.SILENCE and accusation.shows(circuit)
    if is_reducible:
        circuit, minimal = smallest(circuit, ShowsJudge(accusation, clock))
    is_interrupted = is_reducible and not minimal and not clock.is_over
    wrong: tuple[str, ...] = ()
    if is_reducible and not is_interrupted and not accusation.difference.shape:
        wrong = culprits(circuit, participants.scope(accusation.simulator), accusation.shows)
    reproducer = _reproducer(participants, trial, accusation, circuit)
    if accusation.simulator != OURSELVES and not accusation.difference.shape:
        causes = _causes(participants, trial, accusation, circuit, wrong)
        reproducer = msgspec.structs.replace(reproducer, causes=causes)
    return Reduced(circuit, msgspec.structs.replace(reproducer, minimal=minimal), wrong, is_interrupted)


class ShowsJudge(Judge):
    """Decides whether circuits show the difference of an accusation.

    Args:
        accusation: what is reduced.
        clock: the time that this may take.
    """

    how = "the same difference as that of the whole circuit"

    def __init__(self, accusation: Accusation, clock: Clock) -> None:
        super().__init__()
        self._accusation = accusation
        self._clock = clock

    def _judge(self, circuits: list[Circuit]) -> list[bool]:
        return [self._is_shown_by(circuit) for circuit in circuits]

    def _is_shown_by(self, circuit: Circuit) -> bool:
        self._clock.check()
        return self._accusation.shows(circuit)


class AsAsked(Backend):
    """A participant as a backend that draws its shots as an accusation says.

    Args:
        participant: the participant.
        sampling: who draws the shots, where the participant has a sampler that can.
    """

    def __init__(self, participant: Participant, sampling: Sampling) -> None:
        self._participant = participant
        self._sampling = sampling

    def send(self, request: RunRequest) -> list[Result]:
        """Run a request; seed and timeout are left out where the backend takes none."""
        seed = request.seed if self._participant.capabilities.seedable else None
        return self._participant.backend.send(
            msgspec.structs.replace(request, sampling=self._sampling, seed=seed, timeout_s=self._participant.timeout_s)
        )

    def status(self) -> BackendStatus:
        """Ask the backend whether it takes work."""
        return self._participant.backend.status()

    def capabilities(self) -> Capabilities:
        """Return what the participant can do."""
        return self._participant.capabilities


def _reproducer(participants: Participants, trial: Trial, accusation: Accusation, circuit: Circuit) -> Reproducer:
    """Return a reproducer with what the simulator, and the one it was compared with, give for the reduced circuit."""
    is_ours = accusation.simulator == OURSELVES
    name = str(accusation.against) if is_ours else accusation.simulator
    against = None if is_ours or accusation.against in {None, name} else accusation.against
    first = AsAsked(participants[name], accusation.sampling)
    second = None if against is None else AsAsked(participants[against], accusation.sampling)
    written = reproducer_of(circuit, first, second, (name, against or OURSELVES), shots=SHOTS, seed=SEED)
    return msgspec.structs.replace(
        written,
        simulator=accusation.simulator,
        circuit=trial.name,
        operations_before=num_operations(trial.circuit),
    )


def _causes(
    participants: Participants, trial: Trial, accusation: Accusation, circuit: Circuit, wrong: tuple[str, ...]
) -> tuple[Cause, ...]:
    """Return the hypotheses that explain what a simulator gives for a reduced circuit.

    A small circuit is explained by many: those about another gate than the wrong ones are left out, and those that
    explain the whole circuit as well come first, in that order.
    """
    causes = [cause for cause in _diagnosed(participants, accusation, circuit) if not wrong or _gate(cause) in wrong]
    names = [cause.name for cause in _diagnosed(participants, accusation, trial.circuit)]
    return tuple(sorted(causes, key=lambda cause: names.index(cause.name) if cause.name in names else len(names)))


def _gate(cause: Cause) -> str:
    return cause.name.partition(":")[2]


def _diagnosed(participants: Participants, accusation: Accusation, circuit: Circuit) -> tuple[Cause, ...]:
    observation = participants.observe_one(accusation.simulator, circuit, Plan(SHOTS, SEED, accusation.sampling))
    if observation is None or observation.sample is None:
        return ()
    observations = Observations(
        sample=observation.sample,
        exact=observation.exact,
        tolerance=tolerance(circuit, participants[accusation.simulator].capabilities.precision),
        requested=SHOTS,
    )
    return diagnose(circuit, observations, reference=reference_of(circuit).distribution, seconds=DIAGNOSIS_S)
