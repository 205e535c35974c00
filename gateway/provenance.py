"""Provenance: where a result comes from."""

from __future__ import annotations

import msgspec

BIT_ORDER = "clbit0-rightmost"
"""The bit order of every bitstring in this project: clbit 0 is the rightmost character."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a result comes from; part of every result.

    Args:
        simulator: the simulator's name in the registry, or the name of a function's server.
        version: the version that the simulator's framework reports.
        shots: the number of shots of the run, ``None`` for an exact result.
        seed: the seed of the run; where the caller gave none, the one drawn at random.
        sampler: what drew the shots: ``shared`` (NumPy PCG64 multinomial over the exact
            distribution), ``native`` (the framework's own), ``none`` (an exact result).
        bit_order: always clbit 0 rightmost.
        queue_s: seconds that the request waited for a worker.
        parse_s: seconds spent on parsing text into a circuit, 0 when the caller sent a circuit.
        build_s: seconds spent on lowering the circuit and building the framework's object.
        run_s: seconds spent on simulating and sampling.
        sample_s: how many of these seconds the shared sampler took; ``None`` where no shared sampler drew the shots.
        gateway_version: the version of the gateway that ran the circuit.
        threads: the number of threads that the simulator could use; ``None`` where that is not known.
        peak_memory_bytes: the largest resident memory of the worker's process, framework included, during the run;
            ``None`` where the system does not say.
        notes: what else there is to know, such as that a delay has no effect on an ideal simulator.
    """

    simulator: str
    version: str
    shots: int | None = None
    seed: int | None = None
    sampler: str = "none"
    bit_order: str = BIT_ORDER
    queue_s: float = 0.0
    parse_s: float = 0.0
    build_s: float = 0.0
    run_s: float = 0.0
    sample_s: float | None = None
    gateway_version: str = ""
    threads: int | None = None
    peak_memory_bytes: int | None = None
    notes: tuple[str, ...] = ()
