"""The hypotheses that explain the distribution of what a simulator gave.

Each hypothesis predicts a distribution. Where the simulator's exact probabilities are not the right ones, those
hypotheses remain that predict just these probabilities; else those under which the counts are likely. A prior prefers
simple hypotheses: all families of them are equally likely, those of a family (which gate, which clbit) share that, and
a fitted parameter costs half the logarithm of the number of shots (G. Schwarz, Annals of Statistics 6 (1978) 461). Of
hypotheses that explain what was observed equally well, those that are common come before those that are rare.
"""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import NamedTuple

from gateway.circuit import Circuit
from gateway.compare.diagnosis.dynamic_mutants import clbits_of_conditions
from gateway.compare.diagnosis.evidence import Evidence, evidence_of
from gateway.compare.diagnosis.hypotheses import KINDS, RARE, Hypothesis, Prediction, kind_of
from gateway.compare.diagnosis.marginals import Marginals
from gateway.compare.diagnosis.mixtures import mixtures
from gateway.compare.diagnosis.mutants import mutants
from gateway.compare.diagnosis.observations import Observations
from gateway.compare.diagnosis.permutations import permutations
from gateway.compare.diagnosis.readings import exchanges, readings
from gateway.compare.diagnosis.readout_errors import readout_errors
from gateway.compare.statistics.outcomes import Distribution

WINDOW = math.log(1000)
"""A hypothesis is dropped when another one, or that nothing is wrong, is more likely by this factor (a logarithm)."""

LARGEST_PRIOR = math.log(10_000)
"""The size of the largest family (a logarithm)."""

MOST_CLBITS = 64
"""Of more clbits, only those whose frequencies deviate most may be stuck, inverted, exchanged or misread."""


class Explanation(NamedTuple):
    """A hypothesis that what was observed does not contradict.

    Args:
        hypothesis: what may be wrong.
        prediction: what it predicts.
        likelihood: the logarithm of how likely what was observed is.
        score: the logarithm of likelihood and prior; larger is better.
        p_value: of the counts.
    """

    hypothesis: Hypothesis
    prediction: Prediction
    likelihood: float
    score: float
    p_value: float = math.nan

    @property
    def name(self) -> str:
        """The name of the cause."""
        return self.hypothesis.name


def explain(
    circuit: Circuit,
    observations: Observations,
    reference: Distribution,
    *,
    registers: Sequence[int] | None = None,
    seconds: float = math.inf,
) -> list[Explanation]:
    """Return the hypotheses that explain the distribution of what a simulator gave, the most likely first.

    Args:
        circuit: what the simulator was given.
        observations: what it gave.
        reference: the right distribution.
        registers: the sizes of the circuit's registers of clbits, that of clbit 0 first, where they are known.
        seconds: no hypothesis is begun later than this.
    """
    evidence = evidence_of(observations, reference)
    if evidence is None:
        return []
    marginals = Marginals(reference, evidence.observed, evidence.shots)
    suspects = marginals.suspects(MOST_CLBITS)
    hypotheses = chain(
        _hypotheses(circuit, reference, evidence.observed, suspects, registers),
        permutations(reference, evidence.observed, evidence.shots),
    )
    explanations = []
    for explanation in _likely(hypotheses, evidence, marginals, time.monotonic() + seconds):
        p_value = evidence.p_value(explanation.prediction.distribution)
        if evidence.fits(p_value):
            explanations.append(explanation._replace(p_value=p_value))
    return explanations


def _hypotheses(
    circuit: Circuit,
    reference: Distribution,
    observed: Distribution,
    clbits: Sequence[int],
    registers: Sequence[int] | None,
) -> Iterator[Hypothesis]:
    """Yield all hypotheses, those that nothing suggests last."""
    shown = range(circuit.num_clbits)
    written = sorted({clbit for op in circuit.operations for clbit in op.clbits if clbit in shown})
    tested = clbits_of_conditions(circuit)
    yield from readings(reference, clbits, written=written, registers=registers or (), tested=tested)
    yield from mixtures(reference, observed, clbits, written)
    yield from readout_errors(reference, observed, written)
    yield from mutants(circuit)
    yield from exchanges(reference, clbits, guess=registers is None)


def _likely(
    hypotheses: Iterable[Hypothesis], evidence: Evidence, marginals: Marginals, end: float
) -> list[Explanation]:
    """Return the hypotheses that are not far less likely than the best one, the best first."""
    sizes: Counter[str] = Counter()
    candidates: list[Explanation] = []
    best = evidence.baseline
    for hypothesis in hypotheses:
        if time.monotonic() > end:
            break
        sizes[hypothesis.family] += 1
        refuted = hypothesis.ones is not None and marginals.refute(hypothesis.ones)
        prediction = None if refuted else hypothesis.predict()
        if prediction is None:
            continue
        likelihood = evidence.score(prediction.distribution)
        score = likelihood - evidence.cost * hypothesis.parameters
        possible = score > -math.inf and score >= best - WINDOW - LARGEST_PRIOR
        if possible and not evidence.is_copied(prediction.distribution, hypothesis.parameters):
            best = max(best, score)
            candidates.append(Explanation(hypothesis, prediction, likelihood, score))
    return _best(
        [one._replace(score=one.score - math.log(sizes[one.hypothesis.family])) for one in candidates], evidence
    )


def _best(explanations: Sequence[Explanation], evidence: Evidence) -> list[Explanation]:
    """Return those that are far better than that nothing is wrong, and not far worse than the best one; in order.

    Those under which the observations are just as likely stand together, and the rare ones come last.
    """
    best = max([one.score for one in explanations], default=-math.inf)
    likely = [one for one in explanations if one.score >= max(best - WINDOW, evidence.baseline + WINDOW)]
    ordered = sorted(likely, key=lambda one: (-round(one.score, 6), KINDS.index(kind_of(one.name))))
    equally_good: dict[float, list[Explanation]] = {}
    for one in ordered:
        equally_good.setdefault(round(one.likelihood, 6), []).append(one)
    return [one for those in equally_good.values() for one in sorted(those, key=_is_rare)]


def _is_rare(explanation: Explanation) -> bool:
    return kind_of(explanation.name) in RARE
