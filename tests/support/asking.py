"""Runs the circuits of conformance tests: a simulator has to run what it declares, and to refuse the rest by name."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
import pytest
from support.claims import Lacking, lacking

from adapters.base import Adapter
from gateway.circuit import Circuit
from gateway.counts import Counts, Probabilities, Statevector
from gateway.errors import GatewayError, LimitError, UnsupportedError
from gateway.results import Capabilities, Provenance, Result, ResultType, Sampling
from gateway.run_details import RunDetails


@dataclass(frozen=True)
class Outcome:
    """A result: one of the values, and the provenance; all of a result that has no plain value is ``result``."""

    provenance: Provenance
    result: Result
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
        **details: Any,
    ) -> Outcome: ...


class ThroughAdapter:
    """The adapter in this process."""

    def __init__(self, adapter: Adapter) -> None:
        self._adapter = adapter
        self.capabilities = adapter.capabilities

    def __call__(self, circuit, *, shots, seed=None, result=None, sampling=Sampling.AUTO, **details):
        circuit.validate()
        run = partial(self._adapter.run, circuit, shots=shots, seed=seed, result=result, sampling=sampling)
        return outcome_of(run(details=RunDetails(**details)))


def outcome_of(result):
    plain = {Counts: dict, Probabilities: dict, Statevector: np.asarray}
    values = {result.kind: plain[type(result)](result)} if type(result) in plain else {}
    return Outcome(result.provenance, result, **values)


class RefusedAsDeclared(Exception):  # noqa: N818 - no error: the test ends, and has passed
    """A simulator refused a run for something that it does not declare, and said so."""


class AsDeclared:
    """Runs circuits, and makes sure that the simulator refuses by name whatever it does not declare."""

    def __init__(self, run: Run, name: str) -> None:
        self._run, self._name = run, name
        self.capabilities = run.capabilities

    def __call__(self, circuit, *, shots, seed=None, result=None, sampling=Sampling.AUTO, **details):
        kind = result or (ResultType.PROBABILITIES if shots is None else ResultType.COUNTS)
        run = partial(self._run, circuit, shots=shots, result=result, sampling=sampling, **details)
        consistent = ((shots is None) is kind.is_exact or kind.may_be_estimated) and (shots is None or shots > 0)
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
