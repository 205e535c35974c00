"""What was observed of one simulator that ran one circuit."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.compare.statistics.outcomes import Distribution, Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Observations:
    """What a simulator gave for one circuit; whatever was not observed is left out.

    Args:
        sample: its counts.
        exact: its own exact probabilities.
        tolerance: the largest difference of two exact probabilities that rounding explains.
        differs_exactly: whether exact probabilities that are not at hand are known to be wrong, too.
        requested: the number of shots of ``sample`` that were asked for.
        runs: the counts of several runs, each with a seed of its own: those that ``sample`` is the sum of, or others.
        same_seed: the counts of two runs with the same seed and the same number of shots.
    """

    sample: Sample
    exact: Distribution | None = None
    tolerance: float = 1e-9
    differs_exactly: bool = False
    requested: int | None = None
    runs: tuple[Sample, ...] = ()
    same_seed: tuple[Sample, Sample] | None = None
