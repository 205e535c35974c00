"""What the tests would have found: the smallest fault of each kind that is found in 99 comparisons of 100.

A fault of size e mixes the right distribution p with another one, r: it leads to p + e (r - p). Nothing is simulated:
most tests see such a fault by a closed form, and goodness of fit by the mean and the variance that it leads to.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gateway.compare.record import Detectable
from gateway.compare.statistics.outcomes import Distribution, flipped, lookup
from gateway.compare.statistics.reference import PreparedReference, prepare
from gateway.compare.statistics.sight import Fault, Sight

Floats = NDArray[np.float64]

MOST_SHOTS = 10**15
"""No fault is said to take more shots; a distance that would is out of reach."""

_MOST_FLIPS = 1 << 22
_NO_DISTANCE = 1e-9
_HALF = 0.5


def detectable(distribution: Distribution | PreparedReference, shots: int, *, rate: float) -> Detectable:
    """Return the smallest total variation distances that are found 99 times in 100, by kind of fault; 1 where none is.

    Args:
        distribution: the right one.
        shots: of the sample.
        rate: the false-alarm rate of one test: that of the comparison, divided by the number of its tests.

    Raises:
        ValueError: there are no shots, or the rate is not between 0 and 1.
    """
    sight = Sight.of(_prepared(distribution), shots, rate)
    return Detectable(**{fault: distance(sight) for fault, distance in _FAULTS.items()})


def shots_needed(
    distribution: Distribution | PreparedReference, resolution: float, *, rate: float, fault: str = "hardest"
) -> int:
    """Return how many shots find a total variation distance 99 times in 100.

    Args:
        distribution: the right one.
        resolution: the distance.
        rate: as for :func:`detectable`.
        fault: ``hardest``, ``depolarised``, ``one_outcome`` or ``one_bit``.

    Returns:
        The shots, to about one per cent; at most 10**15, which may not be enough.
    """
    reference, distance = _prepared(distribution), _FAULTS[fault]

    def enough(shots: int) -> bool:
        return distance(Sight.of(reference, shots, rate)) <= resolution

    few, many = 0, 64
    while not enough(many):
        if many >= MOST_SHOTS:
            return MOST_SHOTS
        few, many = many, min(4 * many, MOST_SHOTS)
    while many - few > max(1, many // 128):
        middle = (few + many) // 2
        few, many = (few, middle) if enough(middle) else (middle, many)
    return many


def _prepared(distribution: Distribution | PreparedReference) -> PreparedReference:
    return distribution if isinstance(distribution, PreparedReference) else prepare(distribution)


def _hardest(sight: Sight) -> float:
    """Return the distance of that fault which shows least, of these.

    Every outcome is too likely or too unlikely, by an amount proportional to p**(2/3): of many outcomes, no test sees
    that with fewer shots than a constant times ``(sum p**(2/3))**(3/2) / distance**2`` (Valiant and Valiant, see
    fit_tests). Or by an amount proportional to p, which shows least where outcomes are few. An outcome that is more
    than half of all is left as it is, since it would give these away; or it alone gives to all others, or takes.
    """
    likelihoods = sight.null.likelihoods
    if len(likelihoods) == 1:
        return _from_the_likeliest(sight)
    if len(likelihoods) == 2:  # noqa: PLR2004 - one too likely, the other too unlikely
        distances = [sight.in_counts(float(p), 1.0, 1) for p in likelihoods]
    else:
        faults = _up_and_down(sight, 2 / 3), _up_and_down(sight, 1)
        distances = [fault.distance(sight.in_deviances(fault, sight.in_outcomes(fault, math.inf))) for fault in faults]
    if likelihoods.max() <= _HALF:
        return _distance_of_size(max(distances))
    largest, number = float(sight.reference.probabilities.max()), len(sight.reference.codes) + 1
    distances += [sight.in_counts(largest, change, number) for change in (1.0, -1.0)]
    return min(max(distances), _from_the_likeliest(sight))


def _from_the_likeliest(sight: Sight) -> float:
    """Return the distance beyond which any fault takes visibly many shots from the likeliest outcome.

    The others can lose no more than they have, so that together they are at least as likely as the distance is large.
    """
    reference = sight.reference
    if len(reference.codes) == 1:
        return _only_outcome(sight)
    others = 1 - float(reference.probabilities.max())
    return _distance_of_size(others + sight.in_counts(others, 1.0, len(reference.codes) + 1))


def _up_and_down(sight: Sight, exponent: float) -> Fault:
    """Return the fault that makes one half of the outcomes too likely and the other half too unlikely.

    Args:
        sight: what is seen.
        exponent: of the probability of an outcome, to which its change is proportional.
    """
    _, values, sizes = sight.null.classes.cells()
    amounts = np.where(values > 0.5, 0.0, values**exponent)  # noqa: PLR2004 - half
    changes = amounts / (sizes / 2 @ amounts)
    indices = np.tile(np.arange(len(values)), 2)
    return Fault(indices, np.tile(values, 2), np.append(changes, -changes), np.tile(sizes / 2, 2))


def _depolarised(sight: Sight) -> float:
    """Return the distance of a mixture with the uniform distribution."""
    reference, (cells, values, sizes) = sight.reference, sight.null.classes.cells()
    uniform = 2.0**-reference.width
    outside = max(0.0, 1 - len(reference.codes) * uniform)
    fault = Fault(np.arange(len(values)), values, uniform - values, sizes, outside)
    scores = -np.log(sight.null.classes.means)[cells]
    total = sizes * fault.change
    mean = float(total @ scores) + outside * float((sizes * values) @ scores)
    seen = [
        sight.in_support(outside),
        sight.in_cross_entropy(mean, float(total @ scores**2)),
        *(_in_parities(sight, odd) for odd in (reference.odd.clbits, reference.odd.pairs, reference.odd.larger)),
    ]
    return fault.distance(sight.in_deviances(fault, sight.in_outcomes(fault, min(seen))))


def _in_parities(sight: Sight, odd: Floats) -> float:
    """Return the size at which mixing with the uniform distribution is seen in that parity where it changes most."""
    if not len(odd):
        return math.inf
    most = float(odd[np.abs(odd - 0.5).argmax()])
    return sight.in_counts(most, 0.5 - most, len(odd))


def _one_outcome(sight: Sight) -> float:
    """Return the distance of one outcome too likely, of that one where it is hardest to see."""
    likelihoods = sight.null.likelihoods
    if len(likelihoods) == 1:
        return _from_the_likeliest(sight)
    hardest = int(np.abs(likelihoods - 0.5).argmin())
    cell = int(sight.null.classes.of[hardest])
    _, values, sizes = sight.null.classes.cells()
    alone = np.arange(len(values)) == cell
    fault = Fault(
        np.append(np.arange(len(values)), cell),
        np.append(values, values[cell]),
        np.append(-values, 1 - values[cell]),
        np.append(sizes - alone, 1.0),
    )
    return fault.distance(sight.in_deviances(fault, sight.in_outcomes(fault, math.inf)))


def _one_bit(sight: Sight) -> float:
    """Return the distance of one clbit inverted now and then, of that one where it is hardest to see.

    In a large distribution, some clbits stand for all: to invert one takes a look at each outcome.
    """
    reference = sight.reference
    work = len(reference.codes) + len(reference.odd.pairs) + len(reference.odd.larger)
    number = min(reference.width, max(1, _MOST_FLIPS // work))
    clbits = {int(clbit) for clbit in np.linspace(0, reference.width - 1, number)}
    distances = [distance for clbit in clbits for distance in _inverted(sight, clbit)]
    return max(distances, default=1.0)


def _inverted(sight: Sight, clbit: int) -> Iterator[float]:
    """Yield the distance of one clbit inverted now and then; nothing if that changes nothing."""
    reference = sight.reference
    p = reference.probabilities
    r = lookup(reference.codes, p, flipped(reference.codes, clbit, reference.width))
    outside = max(0.0, 1 - float(r.sum()))
    distance = (float(np.abs(r - p).sum()) + outside) / 2
    if distance < _NO_DISTANCE:
        return
    scores = -np.log(p)
    mean = float((r - p) @ scores) + outside * float(p @ scores)
    seen = [
        sight.in_support(outside),
        sight.in_cross_entropy(mean, float((r - p) @ scores**2)),
        *(sight.in_counts(odd, 1 - 2 * odd, number) for odd, number in _parities_with(reference, clbit)),
    ]
    yield _distance_of_size(min(seen) * distance)


def _parities_with(reference: PreparedReference, clbit: int) -> Iterator[tuple[float, int]]:
    """Yield the probability that parity is odd that changes most if a clbit is inverted, for each kind of sets."""
    odd, parities = reference.odd, reference.parities
    yield float(odd.clbits[clbit]), len(odd.clbits)
    positions = np.flatnonzero(parities.varying == clbit)
    if not len(positions):
        return
    position = int(positions[0])
    chosen = odd.pairs[(parities.pairs == position).any(axis=1)], odd.larger[parities.larger >> position & 1 == 1]
    for part, number in zip(chosen, (len(odd.pairs), len(odd.larger)), strict=True):
        if len(part):
            yield float(part[np.abs(part - 0.5).argmax()]), number


def _only_outcome(sight: Sight) -> float:
    """Return the distance of any fault where there is one outcome: whatever is wrong is impossible."""
    return _distance_of_size(sight.in_support(1.0 if sight.reference.width else 0.0))


def _distance_of_size(size: float) -> float:
    """Return the distance of a fault whose size is its distance; 1 where none is seen."""
    return min(1.0, size)


_FAULTS = {"hardest": _hardest, "depolarised": _depolarised, "one_outcome": _one_outcome, "one_bit": _one_bit}
