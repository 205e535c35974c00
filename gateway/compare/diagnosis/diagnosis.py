"""The diagnosis: the causes that explain what a simulator gave."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gateway.circuit import Circuit
from gateway.compare import exact
from gateway.compare.diagnosis.explanations import Explanation, explain
from gateway.compare.diagnosis.observations import Observations
from gateway.compare.diagnosis.samples import findings
from gateway.compare.record import Cause
from gateway.compare.statistics.outcomes import Distribution
from gateway.errors import LimitError, RequestError

MOST_OUTCOMES = 256
"""Of more outcomes, a cause carries the likeliest."""

MOST_DETAILS = 3
"""So many variants of a cause are spelled out."""

AS_LIKELY = math.log(5)
"""A fitted variant that is less likely than the best one by this factor (a logarithm) is not spelled out."""


def diagnose(
    circuit: Circuit,
    observations: Observations,
    *,
    reference: Distribution | None = None,
    registers: Sequence[int] | None = None,
    seconds: float = 30.0,
) -> tuple[Cause, ...]:
    """Return the causes that explain what a simulator gave, the most likely first; none if nothing does.

    Causes that predict (almost) the same cannot be told apart and are all returned.

    Args:
        circuit: what the simulator was given.
        observations: what it gave.
        reference: the right distribution; if ``None``, it is computed where the circuit is small enough.
        registers: the sizes of the circuit's registers of clbits, that of clbit 0 first, where they are known.
        seconds: no hypothesis is begun later than this.

    Raises:
        RequestError: the counts, or the registers, have another number of clbits than the circuit.
    """
    width = observations.sample.width
    if width != circuit.num_clbits:
        raise RequestError(f"the counts have {width} clbits, the circuit {circuit.num_clbits}", field="observations")
    if registers is not None and sum(registers) != width:
        raise RequestError(f"the registers have {sum(registers)} clbits, the circuit {width}", field="registers")
    reference = _computed(circuit) if reference is None else reference
    in_shots, sample = findings(observations, observations.exact or reference)
    if reference is None:
        return in_shots
    judged = replace(observations, sample=sample)
    return (*_causes(explain(circuit, judged, reference, registers=registers, seconds=seconds)), *in_shots)


def _computed(circuit: Circuit) -> Distribution | None:
    try:
        return exact.distribution(circuit)
    except LimitError:
        return None


def _causes(explanations: Sequence[Explanation]) -> list[Cause]:
    """Return the causes; the variants of one are put together."""
    variants: dict[str, list[Explanation]] = {}
    for explanation in explanations:
        variants.setdefault(explanation.name, []).append(explanation)
    return [
        Cause(
            name=name,
            detail=_joined([each.prediction.detail for each in _worth_saying(those)]),
            p_value=those[0].p_value,
            probabilities=_likeliest(those[0].prediction.distribution),
        )
        for name, those in variants.items()
    ]


def _worth_saying(variants: Sequence[Explanation]) -> list[Explanation]:
    """Return the variants of a cause without those that are fitted, but fit less well than the best one."""
    best = max(each.score for each in variants)
    return [each for each in variants if not each.hypothesis.parameters or each.score >= best - AS_LIKELY]


def _likeliest(prediction: Distribution) -> dict[str, float]:
    """Return the likeliest outcomes of a prediction, which are those worth showing."""
    likeliest = np.sort(np.argsort(-prediction.probabilities, kind="stable")[:MOST_OUTCOMES])
    return Distribution(prediction.width, prediction.codes[likeliest], prediction.probabilities[likeliest]).to_dict()


def _joined(details: Sequence[str]) -> str:
    distinct = list(dict.fromkeys(details))
    more = len(distinct) - MOST_DETAILS
    return ", or ".join(distinct[:MOST_DETAILS] + ([f"{more} more like these"] if more > 0 else []))
