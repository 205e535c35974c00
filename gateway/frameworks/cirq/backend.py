"""Our backends as a ``cirq.Sampler``, checked against cirq-core 1.7.0.

The host needs Cirq but no simulator.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

import cirq
import numpy as np

from gateway.backends.base import Backend
from gateway.backends.batch import Convertible, Sweep, run_together
from gateway.counts import Counts
from gateway.errors import GatewayError
from gateway.frameworks.cirq.parsing import parameter_names, parse_with_keys
from gateway.frameworks.shared.shots import shot_table

_SEEDS = 2**32

Keys = Mapping[str, list[tuple[int, ...]]]
"""Key -> for each of its measurements the clbits of its outcome."""


class GatewaySampler(cirq.Sampler):
    """A backend of ours as a ``cirq.Sampler``.

    A sweep is sent as one request, or as several if a server's limits ask for that. A key that is measured several
    times has as many records, and one in a loop only that of the last turn. The shots are in random order, see
    :func:`gateway.frameworks.shared.shots.shots_of`.

    Args:
        backend: one of our backends: a LocalSimulator, a DockerSimulator, ...
        seed: makes the sequence of runs of this sampler repeatable.
        timeout_s: how many seconds the request of a sweep may take before it is killed.
    """

    def __init__(self, backend: Backend, *, seed: int | None = None, timeout_s: float | None = None) -> None:
        self._backend = backend
        self._random = np.random.default_rng(seed)
        self._timeout_s = timeout_s

    def run_sweep(self, program: Any, params: Any, repetitions: int = 1) -> Sequence[Any]:  # noqa: ANN401 - of Cirq
        """Run a circuit once for each point of a sweep.

        Args:
            program: a ``Circuit`` or ``FrozenCircuit`` with measurements.
            params: a sweep, or anything else that Cirq can turn into parameter resolvers.
            repetitions: the number of shots of each point.

        Returns:
            One ``cirq.Result`` for each point.

        Raises:
            ValueError: the circuit measures nothing.
            GatewayError: see :func:`gateway.frameworks.cirq.parsing.parse` and :mod:`gateway.errors`.
        """
        if not cirq.is_measurement(program):
            raise ValueError("the circuit has no measurements to sample")
        resolvers = list(cirq.to_resolvers(params))
        circuits, keys = self._converted(program, resolvers)
        batch: Sequence[Counts | None] = [None] * len(resolvers)
        if repetitions and resolvers:
            batch = run_together(
                self._backend,
                circuits,
                [repetitions] * len(circuits),
                seed=int(self._random.integers(_SEEDS)),
                timeout_s=self._timeout_s,
            )
        return [
            cirq.ResultDict(params=resolver, records=_records(keys_here, counts))
            for resolver, keys_here, counts in zip(resolvers, keys, batch, strict=True)
        ]

    def _converted(self, program: Any, resolvers: Sequence[Any]) -> tuple[list[Convertible], list[Keys]]:  # noqa: ANN401
        """Return what runs for a sweep, one circuit for all points or one for each, and the keys of each point."""
        sweep = _sweep(program, resolvers) if self._backend.takes_parameters and len(resolvers) > 1 else None
        if sweep is not None:
            return [sweep[0]], [sweep[1]] * len(resolvers)
        pairs = [parse_with_keys(cirq.resolve_parameters(program, resolver)) for resolver in resolvers]
        return [circuit for circuit, _ in pairs], [keys for _, keys in pairs]


def _sweep(program: Any, resolvers: Sequence[Any]) -> tuple[Sweep, Keys] | None:  # noqa: ANN401
    """Return a circuit with its points; ``None`` where only circuits with values can be converted, or some are none."""
    try:
        circuit, keys = parse_with_keys(program)
    except GatewayError:
        return None
    symbols = {name: symbol for symbol, name in parameter_names(program).items()}
    values = {name: [resolver.value_of(symbols[name]) for resolver in resolvers] for name in circuit.parameters}
    if not values or any(not isinstance(value, Real) for column in values.values() for value in column):
        return None
    return Sweep(circuit, {name: list(map(float, column)) for name, column in values.items()}, len(resolvers)), keys


def _records(keys: Keys, counts: Counts | None) -> dict[str, Any]:
    """Return, for each key, an array of the shape (repetitions, measurements of the key, qubits)."""
    bits = None if counts is None else shot_table(counts)
    records = {}
    for key, times in keys.items():
        places = np.array(times, dtype=int)
        records[key] = np.zeros((0, *places.shape), dtype=np.uint8) if bits is None else bits[:, places]
    return records
