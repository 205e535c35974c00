"""Our backends as a ``SamplerV2`` of Qiskit's, checked against Qiskit 2.6.2."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from qiskit.primitives import BaseSamplerV2, BitArray, DataBin, SamplerPubLike, SamplerPubResult
from qiskit.primitives.containers.sampler_pub import SamplerPub

from gateway.backends.base import Backend
from gateway.backends.batch import start
from gateway.counts import Counts
from gateway.errors import GatewayError
from gateway.frameworks.qiskit.backend import DEFAULT_SHOTS
from gateway.frameworks.qiskit.primitive_job import GatewayPrimitiveJob, per_pub
from gateway.frameworks.qiskit.sweeps import circuits_of
from gateway.frameworks.shared.shots import shot_table


@dataclass
class SamplerOptions:
    """What a sampler does unless a run or a PUB says something else.

    Args:
        default_shots: the number of shots.
        seed_simulator: makes every run repeatable.
        timeout_s: seconds after which a run is killed.
    """

    default_shots: int = DEFAULT_SHOTS
    seed_simulator: int | None = None
    timeout_s: float | None = None


class GatewaySampler(BaseSamplerV2):
    """Qiskit's ``SamplerV2`` on one of our backends.

    A PUB that measures nothing has zeros in its registers, and one without registers has no data, as in Qiskit's
    reference. Where a PUB fails, the others keep their results.

    Args:
        backend: one of our backends.
        default_shots: the number of shots, unless a run or a PUB has another.
        seed: makes every run repeatable.
        timeout_s: seconds after which a run is killed; by default the server's limit.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        default_shots: int = DEFAULT_SHOTS,
        seed: int | None = None,
        timeout_s: float | None = None,
    ) -> None:
        self._backend = backend
        self._options = SamplerOptions(default_shots, seed, timeout_s)

    @property
    def options(self) -> SamplerOptions:
        """The defaults of later runs, which may be changed."""
        return self._options

    def run(self, pubs: Iterable[SamplerPubLike], *, shots: int | None = None) -> GatewayPrimitiveJob:
        """Sample the circuit of each PUB.

        Args:
            pubs: ``(circuit, parameter values, shots)``, the last two optional.
            shots: the number of shots of PUBs that have none of their own.

        Returns:
            A job; each result has ``data`` with a ``BitArray`` for each register, in the shape of the parameter values.

        Raises:
            ValueError, TypeError: something is not a PUB, or its parameter values do not fit.
            GatewayError: the backend accepts no request now.
        """
        chosen = [SamplerPub.coerce(pub, self._options.default_shots if shots is None else shots) for pub in pubs]
        for place, pub in enumerate(chosen):
            if not pub.circuit.cregs:
                warnings.warn(
                    f"PUB {place} has no classical register, so its result has no data: does it lack measurements?",
                    stacklevel=2,
                )
        circuits = circuits_of(self._backend, chosen)
        batch = start(
            self._backend,
            [circuit for part in circuits for circuit in part],
            [pub.shots for pub, part in zip(chosen, circuits, strict=True) for _ in part],
            seed=self._options.seed_simulator,
            timeout_s=self._options.timeout_s,
        )

        def finish(outcomes: list[Any]) -> list[Any]:
            parts = per_pub(outcomes, [pub.size for pub in chosen])
            return [
                part if isinstance(part, GatewayError) else _pub_result(pub, part)
                for pub, part in zip(chosen, parts, strict=True)
            ]

        return GatewayPrimitiveJob(batch, finish)


def _pub_result(pub: Any, counts: Sequence[Counts]) -> Any:  # noqa: ANN401 - a SamplerPubResult
    tables = [shot_table(one) for one in counts]
    arrays = {}
    for register in pub.circuit.cregs:
        clbits = [pub.circuit.find_bit(bit).index for bit in register]
        packed = [_packed(table[:, clbits]) for table in tables]
        shape = (*pub.shape, pub.shots, math.ceil(register.size / 8))
        arrays[register.name] = BitArray(np.array(packed, dtype=np.uint8).reshape(shape), register.size)
    metadata = {"shots": pub.shots, "circuit_metadata": pub.circuit.metadata}
    return SamplerPubResult(DataBin(**arrays, shape=pub.shape), metadata=metadata)


def _packed(bits: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return bits, the least significant one first, as rows of bytes, the most significant byte first."""
    return np.packbits(bits, axis=-1, bitorder="little")[:, ::-1]
