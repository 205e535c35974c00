"""Provenance: where a result comes from."""

from __future__ import annotations

import msgspec

BIT_ORDER = "clbit0-rightmost"
"""The bit order of every bitstring in this project: clbit 0 is the rightmost character."""


class Provenance(msgspec.Struct, frozen=True, kw_only=True):
    """Where a result comes from; part of every result.

    Args:
        simulator: the name in the registry, or the name given to a function's server.
        version: of the framework, as the framework reports it.
        shots: how many were asked for, ``None`` for an exact result.
        seed: the seed that was used; drawn at random and reported when none was given.
        sampler: what drew the shots: ``shared`` (NumPy PCG64 multinomial over the exact
            distribution), ``native`` (the framework's own), ``none`` (an exact result).
        bit_order: always clbit 0 rightmost.
        parse_s: seconds to turn text into the shared circuit, 0 when it came as one.
        build_s: seconds to lower it and build the framework's object.
        run_s: seconds to simulate and sample.
        gateway_version: of the server's gateway.
        threads: how many the simulator could use; ``None`` where that is not known.
    """

    simulator: str
    version: str
    shots: int | None = None
    seed: int | None = None
    sampler: str = "none"
    bit_order: str = BIT_ORDER
    parse_s: float = 0.0
    build_s: float = 0.0
    run_s: float = 0.0
    gateway_version: str = ""
    threads: int | None = None
