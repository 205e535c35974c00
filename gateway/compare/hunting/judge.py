"""Decides who differs on one circuit: exactly where that is possible, else by samples that are drawn again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from random import Random

from gateway.circuit import Circuit
from gateway.compare.closeness import tolerance
from gateway.compare.hunting.accusation import OURSELVES, Accusation
from gateway.compare.hunting.differences import Difference, Kind, difference, difference_of_error, reference_of
from gateway.compare.hunting.evidence import (
    Evidence,
    against_itself,
    against_other,
    against_reference,
    difference_between,
    exact_difference,
)
from gateway.compare.hunting.observation import Observation, Plan
from gateway.compare.hunting.participants import Participants
from gateway.compare.hunting.spending import Spending
from gateway.look import numbers
from gateway.results import Precision, Sampling

CONFIRMING = (10, 100)
"""A suspicious sample is drawn again with so many times the shots; with more only if the last was unclear."""

REDUCING_RATE = 1e-6
"""The p-value below which a circuit that is being reduced still shows a difference of counts."""

LEAST_SHARE = 0.01
"""The share of a difference of exact results that a circuit must still show, so that the search does not slip from a
fault to an inaccuracy."""


class Judge:
    """Decides who differs.

    Args:
        participants: those that are judged.
        shots: the number of shots of the first sample of each circuit.
        rate: the false-alarm rate of all samples together.
        random: where fresh seeds come from.

    Attributes:
        spending: how much of the rate was spent.
        without_reference: how many circuits were too large for our own exact simulator.
    """

    def __init__(self, participants: Participants, *, shots: int, rate: float, random: Random) -> None:
        self._participants = participants
        self._shots = shots
        self._random = random
        self.spending = Spending(rate)
        self.without_reference = 0

    def plan(self, times: int = 1, sampling: Sampling | None = None) -> Plan:
        """Return a plan with a fresh seed, with so many times the shots, and a random sampler unless one is given."""
        sampler = sampling or self._random.choice(list(Sampling))
        return Plan(times * self._shots, self._random.randrange(2**32), sampler)

    def accusations(self, circuit: Circuit, observations: Mapping[str, Observation]) -> Iterator[Accusation]:
        """Yield the simulators that differ on a circuit.

        Args:
            circuit: the circuit.
            observations: what each simulator gave for it.
        """
        reference = reference_of(circuit)
        if reference.is_empty:
            self.without_reference += 1
            yield from self._among_themselves(circuit, observations)
            return
        differences = self._differences(circuit, observations)
        if are_all_against_us(circuit, observations, differences):
            yield self._of_ourselves(differences)
            return
        for name, seen in differences.items():
            if seen is not None:
                evidence = against_reference(self._participants, name)
                yield from self._accusation(name, circuit, observations[name].sampling, seen, evidence)

    def _differences(self, circuit: Circuit, observations: Mapping[str, Observation]) -> dict[str, Difference | None]:
        reference = reference_of(circuit)
        return {
            name: difference(each, reference, circuit, self._participants[name].capabilities.precision)
            for name, each in observations.items()
        }

    def _accusation(
        self,
        name: str,
        circuit: Circuit,
        sampling: Sampling,
        seen: Difference,
        evidence: Evidence,
        against: str | None = None,
    ) -> Iterator[Accusation]:
        """Yield an accusation, if it is of counts only after samples with fresh seeds and more shots confirm it."""
        certain = self._confirmed(circuit, evidence, sampling) if seen.kind is Kind.COUNTS else seen
        if certain is not None:
            yield Accusation(name, certain, partial(self._shows, certain, evidence, sampling), sampling, against)

    def _confirmed(self, circuit: Circuit, evidence: Evidence, sampling: Sampling) -> Difference | None:
        for times in CONFIRMING:
            rate = self.spending.next()
            seen = evidence(circuit, self.plan(times, sampling))
            if seen is None:
                return None
            if seen.p_value is None or seen.p_value < rate:
                return seen
        return None

    def _shows(self, seen: Difference, evidence: Evidence, sampling: Sampling, circuit: Circuit) -> bool:
        """Return whether a simulator differs on another circuit in the same way."""
        is_counted = seen.kind is Kind.COUNTS
        plan = self.plan(CONFIRMING[0] if is_counted else 1, sampling) if is_counted or seen.shape else None
        again = evidence(circuit, plan)
        if again is None or again.kind is not seen.kind or again.shape != seen.shape:
            return False
        if again.size is not None and seen.size is not None:
            return again.size >= LEAST_SHARE * seen.size
        return again.p_value is None or again.p_value < REDUCING_RATE

    # ------------------------------------------------------------------ where our own simulator is the one that differs

    def _of_ourselves(self, differences: Mapping[str, Difference | None]) -> Accusation:
        names = [name for name, each in differences.items() if each is not None]
        seen = next(each for each in differences.values() if each is not None)

        def shows(other: Circuit) -> bool:
            given = {name: self._participants.observe_one(name, other, None) for name in names}
            observations = {name: each for name, each in given.items() if each is not None}
            return not reference_of(other).is_empty and are_all_against_us(
                other, observations, self._differences(other, observations)
            )

        detail = f"differs from {numbers.listing(names)}, which agree with each other"
        return Accusation(OURSELVES, seen._replace(detail=detail), shows, against=names[0])

    # ------------------------------------------------------------------ where there is no reference

    def _among_themselves(self, circuit: Circuit, observations: Mapping[str, Observation]) -> Iterator[Accusation]:
        """Yield who fails where others do not, and who differs from most others, or from itself if it is alone."""
        given = {name: each for name, each in observations.items() if each.has_results}
        for name, observation in observations.items():
            failure = None if observation.error is None else difference_of_error(observation.error, circuit)
            if failure is not None and given:
                evidence = against_reference(self._participants, name)
                yield from self._accusation(name, circuit, observation.sampling, failure, evidence)
        if len(given) == 1:
            name, observation = given.popitem()
            evidence = against_itself(self._participants, name, self._random.randrange(2**32))
            seen = evidence(circuit, self.plan(sampling=observation.sampling))
            if seen is not None:
                yield from self._accusation(name, circuit, observation.sampling, seen, evidence, name)
        for name, other, seen in outsiders(circuit, given):
            evidence = against_other(self._participants, name, other)
            yield from self._accusation(name, circuit, observations[name].sampling, seen, evidence, other)


def are_all_against_us(
    circuit: Circuit, observations: Mapping[str, Observation], differences: Mapping[str, Difference | None]
) -> bool:
    """Return whether two simulators or more have exact results, and all agree with each other but not with us."""
    exact = {name: each for name, each in observations.items() if each.exact is not None or each.state is not None}
    seen = [differences[name] for name in exact]
    if len(exact) < 2 or any(each is None or each.size is None for each in seen):  # noqa: PLR2004
        return False
    first, *others = exact.values()
    bound = 2 * tolerance(circuit, Precision.DOUBLE)
    return all((exact_difference(first, other) or 0.0) <= bound for other in others)


def outsiders(circuit: Circuit, observations: Mapping[str, Observation]) -> list[tuple[str, str, Difference]]:
    """Return who differs from the largest group of those that agree, with one of the group, and how.

    Where two groups are the largest, nobody knows which of them is right: the pair only differs.
    """
    groups: list[list[str]] = []
    for name, observation in observations.items():
        for group in groups:
            if difference_between(circuit, observation, observations[group[0]], "") is None:
                group.append(name)
                break
        else:
            groups.append([name])
    groups.sort(key=len, reverse=True)
    pairs = [(name, groups[0][0]) for group in groups[1:] for name in group]
    found = [(a, b, difference_between(circuit, observations[a], observations[b], f"than {b}")) for a, b in pairs]
    return [(a, b, seen) for a, b, seen in found if seen is not None]
