"""How conformance tests ask a simulator: for what it declares, and the rest has to be refused by the right name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytest
from support.claims import Lacking, lacking

from adapters.base import Adapter
from gateway.circuit import Circuit
from gateway.counts import Statevector
from gateway.errors import GatewayError, LimitError, UnsupportedError
from gateway.results import Capabilities, Provenance, ResultType, Sampling


@dataclass(frozen=True)
class Outcome:
    """A result: the one of the three that was asked for, and where it comes from."""

    provenance: Provenance
    counts: dict[str, int] | None = None
    probabilities: dict[str, float] | None = None
    statevector: npt.NDArray[np.complex128] | None = None


class Run(Protocol):
    """Runs a circuit on the simulator under test."""

    capabilities: Capabilities

    def __call__(
        self,
        circuit: Circuit,
        *,
        shots: int | None,
        seed: int | None = None,
        result: ResultType | None = None,
        sampling: Sampling = Sampling.AUTO,
    ) -> Outcome: ...


class ThroughAdapter:
    """The adapter in this process."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.capabilities = adapter.capabilities

    def __call__(self, circuit, *, shots, seed=None, result=None, sampling=Sampling.AUTO):
        circuit.validate()
        found = self._adapter.run(circuit, shots=shots, seed=seed, result=result, sampling=sampling)
        return outcome_of(found)


def outcome_of(result):
    value = np.asarray(result) if isinstance(result, Statevector) else dict(result)
    return Outcome(result.provenance, **{result.kind: value})


class RefusedAsDeclared(Exception):  # noqa: N818 - no error: the test ends, and has passed
    """A run was refused because of something that is not declared, and the refusal said so."""


class AsDeclared:
    """Runs what is declared, and makes sure that the rest is refused by the right name."""

    def __init__(self, run: Run, name: str) -> None:
        self._run, self._name = run, name
        self.capabilities = run.capabilities

    def __call__(self, circuit, *, shots, seed=None, result=None, sampling=Sampling.AUTO):
        kind = result or (ResultType.PROBABILITIES if shots is None else ResultType.COUNTS)
        run = partial(self._run, circuit, shots=shots, result=result, sampling=sampling)
        consistent = (shots is None) is kind.is_exact and (shots is None or shots > 0)
        lacks = lacking(circuit, kind, self.capabilities) if consistent else []
        if lacks:
            with pytest.raises((UnsupportedError, LimitError)) as caught:
                run()
            next(lack for lack in lacks if _is_it(lack, caught.value)).assert_said_by(caught.value, self._name)
            raise RefusedAsDeclared
        if seed is not None and not self.capabilities.seedable and 0 <= seed < 2**32:
            with pytest.raises(UnsupportedError) as caught:
                run(seed=seed)
            Lacking("seed").assert_said_by(caught.value, self._name)
            return run()
        return run(seed=seed)


def _is_it(lack: Lacking, error: GatewayError) -> bool:
    return lack.feature == getattr(error, "feature", "qubits")
