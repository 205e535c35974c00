"""What a hypothesis is: a name for what may be wrong with a simulator, and the distribution that follows from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from gateway.compare.diagnosis.marginals import Floats
from gateway.compare.statistics.outcomes import Distribution


class Prediction(NamedTuple):
    """What a simulator would give if a hypothesis were true.

    Args:
        distribution: of its outcomes.
        detail: the hypothesis as the end of the sentence "its counts fit ...".
    """

    distribution: Distribution
    detail: str


@dataclass(frozen=True, slots=True, eq=False)
class Hypothesis:
    """One way in which a simulator may be wrong.

    Args:
        name: the name of the cause, such as ``bits-reversed`` or ``angle-negated:rz``.
        predict: computes the prediction; ``None`` if the hypothesis cannot be true of what was observed.
        parameters: how many numbers of the prediction are fitted to what was observed.
        family: hypotheses of one family are alternatives of each other, and share what is thought likely beforehand; by
            default it is the name without the gate.
        ones: the probability of each clbit to be 1, where it is known before the prediction is computed.
    """

    name: str
    predict: Callable[[], Prediction | None]
    parameters: int = 0
    family: str = ""
    ones: Floats | None = None

    def __post_init__(self) -> None:
        if not self.family:
            object.__setattr__(self, "family", kind_of(self.name))


def kind_of(name: str) -> str:
    """Return the name of a cause without the gate."""
    return name.partition(":")[0]


KINDS = (
    "bits-reversed", "clbits-exchanged", "register-bits-reversed", "registers-reversed", "clbits-permuted",
    "clbit-inverted", "clbit-unwritten", "clbit-stuck", "first-write-kept", "idle-qubit-dropped", "gate-dropped",
    "angle-negated", "angle-halved", "angle-doubled", "angle-in-degrees", "angle-in-half-turns", "angle-modulo",
    "angles-exchanged", "inverse-taken", "operands-exchanged", "phase-lost", "condition-ignored", "condition-inverted",
    "condition-reversed", "reset-ignored", "measurement-postponed", "depolarised", "readout-error", "seed-ignored",
    "shots-missing", "shots-correlated",
)  # fmt: skip
"""The kinds of causes; of two that explain the same equally well, the earlier one is named first."""

RARE = frozenset({
    "clbits-permuted", "clbit-inverted", "clbit-stuck", "angle-in-degrees", "angle-in-half-turns", "angle-modulo",
    "phase-lost", "readout-error",
})  # fmt: skip
"""Kinds that are seldom what is wrong with a simulator; of causes that explain it equally well, they are named last."""
