"""Whether what a simulator gave differs from what it should have given, and how."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from gateway.circuit import Circuit, Operation
from gateway.circuit.needs import needs
from gateway.compare.closeness import largest_difference, most_different, state_difference, tolerance
from gateway.compare.exact import distribution, statevector
from gateway.compare.hunting.observation import Observation, is_measured
from gateway.compare.statistics import tests
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.compare.statistics.reference import PreparedReference
from gateway.errors import GatewayError, JobTimeout, LimitError, TransportTimeout, UnsupportedError
from gateway.look import numbers
from gateway.results import Precision

SUSPICIOUS = 1e-3
"""A sample with a smaller p-value is drawn again with more shots before it counts."""


SMALL = 12
"""The number of qubits up to which no simulator has a reason to take long."""

MANY_OPERATIONS = 1000
"""The number of operations up to which the same holds."""


LONGEST_MESSAGE = 300
"""The number of characters after which the message of an error is cut."""


class Kind(StrEnum):
    """What differs."""

    PROBABILITIES = "probabilities"
    STATE = "state vector"
    COUNTS = "counts"
    ERROR = "error"
    SILENCE = "no answer in time"


class Difference(NamedTuple):
    """How a simulator differs for one circuit.

    Args:
        kind: what differs.
        detail: what was seen, as the end of a sentence that begins with the simulator's name.
        size: the largest difference of exact probabilities or amplitudes.
        p_value: of its counts.
        shape: what errors of one cause have in common; empty where there is no error.
    """

    kind: Kind
    detail: str
    size: float | None = None
    p_value: float | None = None
    shape: str = ""


class Reference(NamedTuple):
    """What simulators should give for a circuit; both are ``None`` where the circuit is too large.

    Args:
        distribution: the exact distribution of a circuit that measures.
        prepared: the same, for tests of samples.
        state: the state vector of one that does not.
    """

    distribution: Distribution | None = None
    prepared: PreparedReference | None = None
    state: NDArray[np.complex128] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing."""
        return self.distribution is None and self.state is None


def reference_of(circuit: Circuit) -> Reference:
    """Return what simulators should give for a circuit, as our own exact simulator finds it.

    It is empty if the circuit is too large, or has no single state and measures nothing.
    """
    return _reference(circuit.num_qubits, circuit.num_clbits, circuit.num_hidden, tuple(circuit.operations))


@lru_cache(maxsize=32)
def _reference(num_qubits: int, num_clbits: int, num_hidden: int, operations: tuple[Operation, ...]) -> Reference:
    circuit = Circuit(num_qubits, num_clbits, list(operations), num_hidden)
    try:
        if not is_measured(circuit):
            return Reference(state=statevector(circuit))
        exact = distribution(circuit)
        return Reference(exact, tests.prepare(exact))
    except (LimitError, UnsupportedError):
        return Reference()


def difference(
    observation: Observation, reference: Reference, circuit: Circuit, precision: Precision
) -> Difference | None:
    """Return how an observation differs from a reference; a difference of counts is only a suspicion."""
    if observation.error is not None:
        return difference_of_error(observation.error, circuit)
    if observation.state is not None and reference.state is not None:
        size, is_phase = state_difference(reference.state, observation.state)
        what = "gives another global phase" if is_phase else f"gives amplitudes that are off by {size:.2g}"
        return Difference(Kind.STATE, what, size) if size > tolerance(circuit, precision) else None
    if reference.distribution is None or reference.prepared is None:
        return None
    if observation.exact is not None:
        size = largest_difference(reference.distribution, observation.exact)
        if size > tolerance(circuit, precision):
            outcome = most_different(reference.distribution, observation.exact)
            what = f"gives exact probabilities that are off by {numbers.exact_difference(size)}, for outcome {outcome}"
            return Difference(Kind.PROBABILITIES, what, size)
    if observation.sample is None:
        return None
    value = p_value(observation.sample, reference.prepared)
    if value >= SUSPICIOUS:
        return None
    what = "gives counts that are not drawn from the exact distribution"
    return difference_of_counts(value, what, observation.sample.shots)


def p_value(sample: Sample, expected: PreparedReference | Sample) -> float:
    """Return the probability of a sample as unlikely as this one, corrected for the number of tests."""
    outcomes = tests.between(sample, expected) if isinstance(expected, Sample) else tests.against(sample, expected)
    return min([1.0, *(len(outcomes) * test.p_value for test in outcomes)])


def difference_of_counts(value: float, what: str, shots: int) -> Difference:
    """Return the difference that counts of some p-value make."""
    return Difference(Kind.COUNTS, f"{what} ({numbers.p_is(value)}, {numbers.several(shots, 'shot')})", p_value=value)


def difference_of_error(error: GatewayError, circuit: Circuit) -> Difference | None:
    """Return the difference that an error makes where others give results; none if a large circuit takes too long."""
    name, message = type(error).__name__, _one_line(error)
    if isinstance(error, (JobTimeout, TransportTimeout)):
        is_small = needs(circuit).qubits <= SMALL and len(circuit.operations) <= MANY_OPERATIONS
        return Difference(Kind.SILENCE, f"gives no answer: {message}", shape=name) if is_small else None
    shape = re.sub(r"[-+]?\d[\d.e+-]*", "0", message)
    return Difference(Kind.ERROR, f"raises {name}: {message}", shape=f"{name}: {shape}")


def _one_line(error: GatewayError) -> str:
    text = " ".join(str(error).split())
    return text if len(text) <= LONGEST_MESSAGE else f"{text[:LONGEST_MESSAGE]} ..."
