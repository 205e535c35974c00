"""Short forms of the proofs that scripts/prove gives in full."""

from __future__ import annotations

from proofs import calibration, power


def test_right_simulators_are_called_wrong_as_rarely_as_is_stated():
    tally = calibration.tally_of(60, seed=1)
    assert not tally.errors
    assert tally.comparisons["all"] == 60
    assert tally.alarms["all"] <= calibration.most_likely(60, calibration.RATE)[1]


def test_mutants_above_the_resolution_are_found_by_samples_and_all_others_by_exact_results():
    tally = power.tally_of(1, random_ones=2, mutants=1, every=16)["all"]
    assert tally["found by exact results"] == tally["differ"] > 20
    for shots in power.SHOTS:
        assert tally[f"above at {shots}, found"] >= power.FOUND * tally[f"above at {shots}"]
    assert tally["above at 100000"] > 10


def test_the_band_of_false_alarms_holds_what_is_likely():
    assert calibration.most_likely(10_000, 1e-2) == (69, 134)
