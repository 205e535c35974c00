"""A participant whose results are held to what they should be; the first that is not ends the row of the battery."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gateway.circuit import Circuit
from gateway.compare.closeness import largest_difference, most_different, state_difference, tolerance
from gateway.compare.exact import distribution, statevector
from gateway.compare.hunting.matrix import Failure
from gateway.compare.hunting.participant import Participant
from gateway.compare.statistics import tests
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.compare.writing import openqasm_of
from gateway.counts import Counts, Probabilities, Result
from gateway.errors import GatewayError, TransportError, UnsupportedError
from gateway.look import numbers
from gateway.results import ResultType, Sampling

SAMPLES_AT_MOST = 1000
"""The number of samples of one simulator among which the false-alarm rate is shared; the battery has fewer."""


class NotOffered(Exception):  # noqa: N818 - no error: the row says so
    """The simulator does not declare what a row needs."""


class Failed(Exception):  # noqa: N818 - the name says what happened
    """The simulator fails a row; ``failure`` says why."""

    def __init__(self, expected: str, came: str, circuit: Circuit | None = None, seed: int | None = None) -> None:
        super().__init__(came)
        text = "" if circuit is None else openqasm_of(circuit)
        self.failure = Failure(expected=expected, came=came, openqasm=text, seed=seed)


class Subject:
    """A participant that is examined.

    Args:
        participant: the participant, which was started.
        shots: the number of shots where samples are judged.
        seed: the seed of the samples.
        rate: the false-alarm rate of all samples of this subject together.
    """

    def __init__(self, participant: Participant, *, shots: int, seed: int, rate: float) -> None:
        self.participant = participant
        self.scope = participant.scope
        self.capabilities = participant.capabilities
        self.shots = shots
        self.seed = seed
        self.rate = rate / SAMPLES_AT_MOST

    def results(
        self,
        circuits: Sequence[Circuit],
        kind: ResultType,
        *,
        shots: int | None = None,
        seed: int | None = None,
        sampling: Sampling = Sampling.AUTO,
    ) -> list[Result]:
        """Return the results of circuits, all of one request.

        Raises:
            NotOffered: a circuit, the sampler or the result type is not declared.
            Failed: the simulator gave something else than results.
            TransportError: it could not be reached.
        """
        if not all(self.participant.takes(circuit, kind, sampling) for circuit in circuits):
            raise NotOffered
        try:
            return self.participant.ask(circuits, kind, shots=shots, seed=seed, sampling=sampling)
        except TransportError:
            raise
        except GatewayError as exc:
            if sampling is Sampling.NATIVE and _is_refusal_of_own_sampler(exc):
                raise NotOffered from exc
            index = 0 if len(circuits) == 1 else exc.circuit
            culprit = None if index is None else circuits[index]
            raise Failed("a result", f"{type(exc).__name__}: {exc}", culprit, seed) from exc

    def counts(self, circuits: Sequence[Circuit], shots: int, seed: int | None, sampling: Sampling) -> list[Counts]:
        """Return the counts of circuits; the errors are those of :meth:`results`."""
        results = self.results(circuits, ResultType.COUNTS, shots=shots, seed=seed, sampling=sampling)
        return [result for result in results if isinstance(result, Counts)]

    # ------------------------------------------------------------------ holding to something

    def hold_to_distributions(self, circuits: Sequence[Circuit], *, sampled: bool) -> None:
        """Hold the exact results of circuits to their distributions; samples too, or where there is nothing exact.

        Those of the circuits that are not declared are left out.

        Raises:
            NotOffered: no circuit is left.
            Failed: a result differs, or is none.
        """
        circuits = [circuit for circuit in circuits if self.participant.takes(circuit, ResultType.COUNTS)]
        if not circuits:
            raise NotOffered
        references = [distribution(circuit) for circuit in circuits]
        is_exact = self.participant.offers(ResultType.PROBABILITIES)
        if is_exact:
            for circuit, reference, result in zip(
                circuits, references, self.results(circuits, ResultType.PROBABILITIES), strict=True
            ):
                self._hold_probabilities(circuit, reference, result)
        if sampled or not is_exact:
            self.hold_samples(circuits, references)

    def _hold_probabilities(self, circuit: Circuit, reference: Distribution, result: Result) -> None:
        assert isinstance(result, Probabilities)  # noqa: S101 - the result type that was asked for
        exact = Distribution.of(result, circuit.num_clbits)
        if largest_difference(reference, exact) > tolerance(circuit, self.capabilities.precision):
            outcome = most_different(reference, exact)
            expected, came = (each.to_dict().get(outcome, 0.0) for each in (reference, exact))
            raise Failed(_probability(outcome, expected), _probability(outcome, came), circuit)

    def hold_samples(
        self,
        circuits: Sequence[Circuit],
        references: Sequence[Distribution],
        sampling: Sampling = Sampling.AUTO,
        shots: int | None = None,
    ) -> None:
        """Hold the counts of circuits to distributions."""
        sampled = self.counts(circuits, shots or self.shots, self.seed, sampling)
        for index, (circuit, reference, counts) in enumerate(zip(circuits, references, sampled, strict=True)):
            sample = Sample.of(counts, circuit.num_clbits)
            outcomes = tests.against(sample, tests.prepare(reference))
            worst = min(outcomes, key=lambda test: test.p_value)
            if worst.p_value * len(outcomes) < self.rate:
                came = f"{_leading(counts.probabilities())} ({worst.name}, {numbers.p_is(worst.p_value)})"
                raise Failed(_leading(reference.to_dict()), came, circuit, self.seed + index)

    def hold_states(self, circuits: Sequence[Circuit]) -> None:
        """Hold the state vectors of unmeasured circuits, global phase included, to the right ones."""
        circuits = [circuit for circuit in circuits if self.participant.takes(circuit, ResultType.STATEVECTOR)]
        if not circuits:
            raise NotOffered
        for circuit, result in zip(circuits, self.results(circuits, ResultType.STATEVECTOR), strict=True):
            difference, is_phase = state_difference(statevector(circuit), np.asarray(result))
            if difference > tolerance(circuit, self.capabilities.precision):
                what = "another global phase" if is_phase else f"amplitudes off by {difference:.2g}"
                raise Failed("the state vector, global phase included", what, circuit)


def _is_refusal_of_own_sampler(exc: GatewayError) -> bool:
    """Return whether a simulator says that its framework's own sampler cannot do something, which it may."""
    return isinstance(exc, UnsupportedError) and str(exc.feature).startswith("native")


def _probability(outcome: str, probability: float) -> str:
    return f"{outcome} with probability {probability:.6g}"


def _leading(probabilities: dict[str, float]) -> str:
    """Return the most likely outcomes of a distribution as text."""
    likely = sorted(probabilities.items(), key=lambda item: (-item[1], item[0]))
    more = f", {len(likely) - 4} more" if len(likely) > 4 else ""  # noqa: PLR2004 - a line
    return ", ".join(f"{outcome}: {probability:.3f}" for outcome, probability in likely[:4]) + more
