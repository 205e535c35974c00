"""The same seed, circuit and simulator give equal counts."""

from __future__ import annotations

import pytest
from support.circuits import bell, random_dynamic_circuit, teleportation, wide

from gateway.errors import RequestError, UnsupportedError
from gateway.results import Sampling

SHOTS = 300
BOUNDARIES = (0, 1, 2**31 - 1, 2**31, 2**32 - 1)


@pytest.fixture(params=Sampling, ids=str)
def sampling(request):
    return request.param


@pytest.fixture
def draw(sampling, seeded, fit):
    """Return ``(circuit, seed) -> counts`` for each way of sampling the simulator has."""
    return lambda circuit, seed: seeded(fit(circuit), shots=SHOTS, seed=seed, sampling=sampling).counts


def test_same_seed_gives_equal_counts(draw):
    assert draw(wide(), 7) == draw(wide(), 7)


def test_what_ran_before_does_not_matter(draw):
    first = {seed: draw(wide(), seed) for seed in (3, 4)}
    draw(bell(), 3)
    assert {seed: draw(wide(), seed) for seed in (4, 3)} == first


def test_different_seeds_give_different_counts(draw):
    seen = [draw(wide(), seed) for seed in range(5)]
    assert all(a != b for k, a in enumerate(seen) for b in seen[:k])


def test_every_seed_of_the_range_is_taken_and_is_another_one(draw):
    seen = [draw(wide(), seed) for seed in BOUNDARIES]
    assert all(a != b for k, a in enumerate(seen) for b in seen[:k])
    assert draw(wide(), BOUNDARIES[-1]) == seen[-1]


def test_dynamic_circuits_are_seeded_too(draw, sampling, run):
    if sampling is Sampling.NATIVE and not run.capabilities.native_dynamic:
        with pytest.raises(UnsupportedError, match="auto"):
            draw(teleportation(), 7)
        return
    assert draw(teleportation(), 7) == draw(teleportation(), 7)
    assert draw(teleportation(), 7) != draw(teleportation(), 8)


def test_random_dynamic_circuits_are_seeded(seeded, fit):
    circuit = fit(random_dynamic_circuit(5))
    first = seeded(circuit, shots=SHOTS, seed=9).counts
    seeded(fit(wide()), shots=SHOTS, seed=1)
    assert seeded(circuit, shots=SHOTS, seed=9).counts == first


def test_seed_is_reported_and_reproduces_the_counts(seeded, fit):
    drawn = seeded(fit(wide()), shots=SHOTS)
    assert 0 <= drawn.provenance.seed < 2**32
    assert seeded(fit(wide()), shots=SHOTS, seed=drawn.provenance.seed).counts == drawn.counts


def test_without_a_seed_runs_differ(run, fit):
    assert run(fit(wide()), shots=SHOTS).counts != run(fit(wide()), shots=SHOTS).counts


def test_exact_result_has_no_seed(run, fit):
    assert run(fit(wide()), shots=None).provenance.seed is None


@pytest.mark.parametrize("seed", [-1, 2**32])
def test_seed_out_of_range_is_refused(run, fit, seed):
    with pytest.raises(RequestError, match="seed"):
        run(fit(wide()), shots=SHOTS, seed=seed)
