"""The tail of a sum over independent cells, given their total: a double saddlepoint approximation.

The counts of a multinomial are independent Poisson variables given their sum, and those of one of two samples are
independent binomial variables given theirs. Every statistic of the referee is T = sum of f_i(x_i) over such cells, so
one mechanism serves all of them: the joint cumulant function ``K(t, s) = sum log E exp(t f_i(x_i) + s (x_i - E x_i))``
is solved for the point where it predicts the observed T and the total, and the tail follows from there.

Sources: I. M. Skovgaard, Saddlepoint expansions for conditional distributions, J. Appl. Prob. 24 (1987) 875, for the
conditional tail; O. E. Barndorff-Nielsen, Inference on full or partial parameters based on the standardized signed
log likelihood ratio, Biometrika 73 (1986) 307, for the form ``1 - Phi(r*)``; H. E. Daniels, Tail probability
approximations, Int. Stat. Rev. 55 (1987) 37, for the correction where T takes steps.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

from scipy.special import ndtr, ndtri

NEAR_MEAN = 0.15
"""Standard deviations from the mean within which r* is interpolated: ``log(u / r) / r`` is 0 / 0 at the mean."""

_ITERATIONS = 80
_HALVINGS = 50
_CONVERGED = 1e-10
_NEAR = 10.0
_CERTAIN = 700.0
"""Where the exponent is beyond this, exp() of it is 0 or infinite for every purpose."""

_ROUNDING = 1e-13
_SECANTS = 12
_CLOSE = 1e-3
_LEAST = 1e-300

_STIRLING = 1.1
"""1 / sqrt(2 pi variance) is at most so many times the probability of the total: exp(1/12) for one shot, then less."""


@dataclass(frozen=True, slots=True)
class Moments:
    """The joint cumulant function and its derivatives at one point.

    Args:
        value: K(t, s).
        statistic: the mean of T, which is dK/dt.
        total: the mean of the total, less that at (0, 0), which is dK/ds.
        variance: of T.
        covariance: of T and the total.
        total_variance: of the total.
    """

    value: float
    statistic: float
    total: float
    variance: float
    covariance: float
    total_variance: float

    @property
    def determinant(self) -> float:
        """The determinant of the covariance matrix."""
        return self.variance * self.total_variance - self.covariance**2


class Cells(Protocol):
    """Independent cells, as their joint cumulant function."""

    def moments(self, t: float, s: float) -> Moments:
        """Return K(t, s), which is 0 at (0, 0), and its derivatives; not finite where floating-point numbers end."""


@dataclass(frozen=True, slots=True)
class _Saddle:
    """A point of Newton's way to the saddlepoint.

    Args:
        t: of the point.
        s: of the point.
        moments: there.
        exponent: ``t T - K(t, s)``, which is largest at the saddlepoint.
        exact: whether it is the saddlepoint.
    """

    t: float
    s: float
    moments: Moments
    exponent: float
    exact: bool = False


def upper_tail(cells: Cells, statistic: float, *, step: float = 0.0) -> float:
    """Return the probability that T is at least as large, given the total.

    It is right within a factor of about 2 down to 1e-12 and below, and rather too large than too small; of a few dozen
    shots, which take few values, it may be some times too small where that is below 1e-6. Where there is no
    saddlepoint, because T is at the end of its range, Chernoff's bound takes its place.

    Args:
        cells: the cells; the total is what they have at (0, 0).
        statistic: the value of T.
        step: the distance to the next smaller value that T can have; 0 if values are dense, infinity if there is none.
    """
    null = _null(cells)
    if null is None or step == math.inf:
        return 1.0
    spread = _spread(null.moments)
    distance = (statistic - null.moments.statistic) / spread
    if distance >= NEAR_MEAN:
        return _far_tail(cells, null, statistic, step)
    ends = [null.moments.statistic + side * NEAR_MEAN * spread for side in (-1, 1)]
    below, above = (_root(null, _solve(cells, null, end), step) for end in ends)
    if below is None or above is None:
        return 1.0
    if distance > -NEAR_MEAN:
        return float(ndtr(-(below + (above - below) * (distance / NEAR_MEAN + 1) / 2)))
    root = _root(null, _solve(cells, null, statistic), step)
    return 1.0 if root is None else float(ndtr(-min(root, below)))


def quantile(cells: Cells, probability: float) -> float:
    """Return the value of T that is reached with a small probability, the total being given.

    The secant method in the normal quantile of the tail, which is nearly linear in T.
    """
    null = cells.moments(0.0, 0.0)
    wanted = -float(ndtri(probability))
    low, high = 0.0, 0.0
    here, after = null.statistic, null.statistic + wanted * _spread(null)
    for _ in range(_SECANTS):
        high = -float(ndtri(max(upper_tail(cells, after), _LEAST)))
        if abs(high - wanted) < _CLOSE or high == low:
            break
        here, after, low = after, max(after + (wanted - high) * (after - here) / (high - low), null.statistic), high
    return after


def standard_deviation(cells: Cells) -> float:
    """Return about how much T varies, given the total."""
    return _spread(cells.moments(0.0, 0.0))


def _spread(moments: Moments) -> float:
    return math.sqrt(max(moments.determinant, 0.0) / moments.total_variance)


def _far_tail(cells: Cells, null: _Saddle, statistic: float, step: float) -> float:
    saddle = _solve(cells, null, statistic)
    root, bound = _root(null, saddle, step), _chernoff(null, saddle)
    return bound if root is None else min(float(ndtr(-root)), bound)


def _null(cells: Cells) -> _Saddle | None:
    """Return the point (0, s) where the total is as it should be, or nothing if T cannot vary there."""
    s, moments = 0.0, cells.moments(0.0, 0.0)
    for _ in range(_ITERATIONS):
        if not moments.total_variance > 0:
            return None
        if moments.total**2 <= _CONVERGED * moments.total_variance:
            break
        s -= moments.total / moments.total_variance
        moments = cells.moments(0.0, s)
    if moments.determinant <= _ROUNDING * moments.total_variance * (1 + moments.statistic**2):
        return None
    return _Saddle(0.0, s, moments, -moments.value)


def _solve(cells: Cells, null: _Saddle, statistic: float) -> _Saddle:
    """Return the saddlepoint, or the last point on the way if there is none: the maximum of the concave exponent."""
    here = null
    for _ in range(_ITERATIONS):
        moments = here.moments
        if not moments.determinant > 0:
            return here
        missing, excess = statistic - moments.statistic, -moments.total
        along_t = (moments.total_variance * missing - moments.covariance * excess) / moments.determinant
        along_s = (moments.variance * excess - moments.covariance * missing) / moments.determinant
        decrement = along_t * missing + along_s * excess
        if decrement <= _CONVERGED:
            return replace(here, exact=True)
        after = _line_search(cells, here, (along_t, along_s), statistic, decrement)
        if after is None:
            return here
        here = after
        if here.exponent - null.exponent > _CERTAIN:
            return here
    return here


def _line_search(
    cells: Cells, here: _Saddle, direction: tuple[float, float], statistic: float, decrement: float
) -> _Saddle | None:
    """Return the first point at a length of 1, 1/2, 1/4, ... where the exponent has grown enough (Armijo's rule).

    Far from the saddlepoint, the length is halved for as long as the exponent grows: a first point far beyond it, where
    nothing varies any more, would be a dead end.
    """
    best: _Saddle | None = None
    for halving in range(_HALVINGS):
        length = 0.5**halving
        t, s = here.t + length * direction[0], here.s + length * direction[1]
        moments = cells.moments(t, s)
        exponent = t * statistic - moments.value
        if best is not None and not exponent > best.exponent:
            return best
        slack = _ROUNDING * (abs(here.exponent) + abs(t * statistic))
        if math.isfinite(exponent) and exponent >= here.exponent + 1e-4 * length * decrement - slack:
            best = _Saddle(t, s, moments, exponent)
            if decrement < _NEAR:
                return best
    return best


def _root(null: _Saddle, saddle: _Saddle, step: float) -> float | None:
    """Return r*, the standard normal quantile that belongs to the tail, or nothing where there is no saddlepoint."""
    exponent = saddle.exponent - null.exponent
    if not saddle.exact or exponent <= 0:
        return None
    r = math.copysign(math.sqrt(2 * exponent), saddle.t)
    tilt = -math.expm1(min(-saddle.t * step, _CERTAIN)) / step if step else saddle.t
    ratio = tilt / r * math.sqrt(max(saddle.moments.determinant / null.moments.total_variance, 0))
    return r + math.log(ratio) / r if ratio > 0 else None


def _chernoff(null: _Saddle, saddle: _Saddle) -> float:
    """Return the bound on the joint probability of tail and total, which holds for t >= 0, over that of the total."""
    if saddle.t < 0:
        return 1.0
    scale = math.sqrt(2 * math.pi * null.moments.total_variance) * _STIRLING
    return min(1.0, math.exp(null.exponent - saddle.exponent) * scale)
