from itertools import pairwise

from adapters.shared.seeds import spread


def test_spread_keeps_different_seeds_different():
    assert len({spread(seed) for seed in range(100_000)}) == 100_000


def test_spread_stays_below_the_end_of_seeds():
    assert all(0 <= spread(seed) < 2**32 for seed in (0, 1, 2**31, 2**32 - 1))


def test_spread_puts_neighbours_further_apart_than_a_million_shots():
    images = sorted(map(spread, range(1000)))
    gaps = [after - before for before, after in pairwise(images)]
    assert min(gaps) > 1_000_000
