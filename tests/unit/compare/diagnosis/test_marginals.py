from __future__ import annotations

import numpy as np
import pytest

from gateway.compare.diagnosis.marginals import Marginals, ones
from gateway.compare.statistics.outcomes import Distribution

RIGHT = Distribution.of({"000": 0.5, "001": 0.25, "101": 0.25}, 3)
OBSERVED = Distribution.of({"000": 0.3, "001": 0.3, "101": 0.4}, 3)


@pytest.mark.parametrize("width", [3, 70])
def test_the_ones_of_each_clbit_are_summed(width):
    wide = Distribution.of({key.zfill(width): p for key, p in RIGHT.to_dict().items()}, width)
    assert ones(wide).tolist() == [0.5, 0.0, 0.25, *[0.0] * (width - 3)]


def test_clbits_that_deviate_most_are_suspected_first():
    marginals = Marginals(RIGHT, OBSERVED, 1000)
    assert marginals.suspects(3) == [0, 2, 1]
    assert marginals.suspects(2) == [0, 2]


def test_what_chance_explains_is_not_refuted():
    random = np.random.default_rng(0)
    for shots in (10, 1000, 100_000):
        for counts in random.multinomial(shots, RIGHT.probabilities, size=200):
            observed = Distribution(3, RIGHT.codes, counts / shots)
            assert not Marginals(RIGHT, observed, shots).refute(ones(RIGHT))


def test_what_chance_does_not_explain_is_refuted():
    assert Marginals(RIGHT, OBSERVED, 10_000).refute(ones(RIGHT))
    assert not Marginals(RIGHT, OBSERVED, 10).refute(ones(RIGHT))
    assert Marginals(RIGHT, OBSERVED, 100).refute(np.array([0.0, 0.0, 0.25]))
