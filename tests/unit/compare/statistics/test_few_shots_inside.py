from __future__ import annotations

import numpy as np
import pytest

from gateway.compare.statistics import tests
from gateway.compare.statistics.outcomes import Distribution, Sample
from gateway.compare.statistics.reference import prepare


@pytest.mark.parametrize("inside", [0, 1, 5])
def test_a_sample_that_is_almost_all_in_impossible_outcomes_is_tested_by_what_remains(inside: int):
    probabilities = np.random.default_rng(1).dirichlet(np.ones(64))
    reference = prepare(Distribution(7, np.arange(64), probabilities))
    codes, counts = np.array([probabilities.argmin(), 64]), np.array([inside, 1000])
    sample = Sample(7, codes[counts > 0], counts[counts > 0])
    (support,) = (test for test in tests.against(sample, reference) if test.name == "support")
    assert support.p_value < 1e-12
    assert tests.fit(sample, reference) < 1e-12
