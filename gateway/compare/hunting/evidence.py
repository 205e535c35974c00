"""Evidence against a simulator: what it gives for a circuit is held to an exact reference, to another, or to itself.

A piece of evidence is a function of a circuit, so that it can be asked again with more shots, and of smaller circuits.
Other simulators are needed only where a circuit is too large for our own exact simulator, and a simulator is held to
itself only where it is alone besides: to its results for a changed circuit that has the same distribution.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from gateway.circuit import Circuit
from gateway.compare.closeness import largest_difference, state_difference, tolerance
from gateway.compare.hunting.differences import (
    SUSPICIOUS,
    Difference,
    Kind,
    difference,
    difference_of_counts,
    p_value,
    reference_of,
)
from gateway.compare.hunting.observation import Observation, Plan, is_measured
from gateway.compare.hunting.participants import Participants
from gateway.compare.hunting.relations import changed
from gateway.look import numbers
from gateway.results import Precision

Evidence = Callable[[Circuit, Plan | None], Difference | None]
"""A function from a circuit, and how to draw samples (``None`` for no samples), to how the simulator differs."""


def against_reference(participants: Participants, name: str) -> Evidence:
    """Return the evidence that holds a simulator to our own exact simulator."""

    def evidence(circuit: Circuit, plan: Plan | None) -> Difference | None:
        observation = participants.observe_one(name, circuit, plan)
        if observation is None:
            return None
        return difference(observation, reference_of(circuit), circuit, participants[name].capabilities.precision)

    return evidence


def against_other(participants: Participants, name: str, other: str) -> Evidence:
    """Return the evidence that holds a simulator to another one."""

    def evidence(circuit: Circuit, plan: Plan | None) -> Difference | None:
        first, second = (participants.observe_one(each, circuit, plan) for each in (name, other))
        if first is None or second is None:
            return None
        return difference_between(circuit, first, second, f"than {other}")

    return evidence


def against_itself(participants: Participants, name: str, seed: int) -> Evidence:
    """Return the evidence that holds a simulator to its own results for a changed circuit.

    Args:
        participants: all that take part.
        name: the simulator.
        seed: the seed of the changes.
    """

    def evidence(circuit: Circuit, plan: Plan | None) -> Difference | None:
        if not is_measured(circuit):
            return None
        other = changed(circuit, Random(seed), participants[name].scope)
        first, second = (participants.observe_one(name, each, plan) for each in (circuit, other))
        if first is None or second is None:
            return None
        return difference_between(circuit, first, second, "for a circuit that has the same distribution")

    return evidence


def difference_between(circuit: Circuit, first: Observation, second: Observation, whose: str) -> Difference | None:
    """Return how two observations differ, which should be equal; ``None`` too if they cannot be compared."""
    size = exact_difference(first, second)
    if size is not None:
        if size <= 2 * tolerance(circuit, Precision.DOUBLE):
            return None
        what = f"gives other exact results {whose}, off by {numbers.exact_difference(size)}"
        return Difference(Kind.PROBABILITIES if first.state is None else Kind.STATE, what, size)
    if first.sample is None or second.sample is None:
        return None
    value = p_value(first.sample, second.sample)
    if value >= SUSPICIOUS:
        return None
    return difference_of_counts(value, f"gives other counts {whose}", first.sample.shots)


def exact_difference(first: Observation, second: Observation) -> float | None:
    """Return the largest difference of two exact results; ``None`` if one has none."""
    if first.exact is not None and second.exact is not None:
        return largest_difference(first.exact, second.exact)
    if first.state is not None and second.state is not None:
        return state_difference(first.state, second.state)[0]
    return None
