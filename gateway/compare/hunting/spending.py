"""One false-alarm rate for a hunt, however many tests it takes."""

from __future__ import annotations

import math


class Spending:
    """Gives each test its part of a false-alarm rate, the earlier ones more.

    The k-th test is given ``rate * 6 / (pi k)**2``. All of these together are the rate (Euler's sum of the inverse
    squares), however many tests there are; this is alpha spending (Lan and DeMets, Biometrika 70, 1983).

    Args:
        rate: the false-alarm rate of all tests together.
    """

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.tests = 0

    def next(self) -> float:
        """Return the rate of the next test."""
        self.tests += 1
        return self.rate * 6 / (math.pi * self.tests) ** 2
