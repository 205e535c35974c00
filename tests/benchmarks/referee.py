"""The statistics of the referee: a million shots over 2**20 outcomes, and a Bell pair."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

import numpy as np
from measuring import Row, compared, freeze

from gateway.compare.statistics import tests
from gateway.compare.statistics.detectable import detectable
from gateway.compare.statistics.outcomes import Distribution, Sample, decode

NAME = "referee"
WIDTH = 20
SHOTS = 1_000_000
RATE = 1e-7


def measure(_: str, *, quick: bool) -> list[Row]:
    """Time everything that is said of one simulator's counts, from a mapping of bitstrings on."""
    random = np.random.default_rng(1)
    flat = Distribution(WIDTH, np.arange(1 << WIDTH), random.dirichlet(np.ones(1 << WIDTH)))
    counts = random.multinomial(SHOTS, flat.probabilities)
    seen = np.flatnonzero(counts)
    many = dict(zip(decode(seen, WIDTH), counts[seen].tolist(), strict=True))
    prepared = tests.prepare(flat)
    rounds = 1 if quick else 3
    return [
        _row("10^6 shots, 2^20 outcomes", lambda: _tested(many, flat), 1.0, rounds),
        _row("10^6 shots, 2^20 outcomes, two samples", lambda: _between(many), 1.5, rounds),
        _row("10^6 shots, 2^20 outcomes, detectable", lambda: detectable(prepared, SHOTS, rate=RATE), 0.3, rounds),
        _row("Bell pair, with what is detectable", _bell, 0.005, 100),
    ]


def _row(case: str, function: Callable[[], object], seconds: float, rounds: int) -> Row:
    """Return the smallest time beside the seconds that it may take at most."""
    function()
    freeze()
    times = []
    for _ in range(rounds):
        began = process_time()
        function()
        times.append(process_time() - began)
    return compared(NAME, f"{case} : {seconds:g} s", min(times), seconds, 1.0)


def _tested(counts: dict[str, int], distribution: Distribution) -> object:
    return tests.against(Sample.of(counts, WIDTH), tests.prepare(distribution))


def _between(counts: dict[str, int]) -> object:
    sample = Sample.of(counts, WIDTH)
    return tests.between(sample, Sample(WIDTH, sample.codes, sample.counts[::-1]))


def _bell() -> object:
    bell = tests.prepare(Distribution.of({"00": 0.5, "11": 0.5}, 2))
    return tests.against(Sample.of({"00": 511, "11": 489}, 2), bell), detectable(bell, 1000, rate=RATE)
