"""What every conformance test gets: a simulator to run circuits on.

The simulators are the rows of the registry, or the one that ``--target`` names; no test names one.
``--through`` decides what stands between the test and the simulator. Tests that look inside an adapter
(they take the fixture ``adapter``) only make sense in process and are deselected otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import pytest
from support.groups import is_here

from adapters.base import Adapter
from gateway.backends.base import Backend
from gateway.backends.docker import DockerSimulator
from gateway.backends.local import LocalSimulator
from gateway.circuit import Circuit
from gateway.counts import Statevector
from gateway.results import Capabilities, Provenance, ResultType, Sampling
from gateway.simulators import SIMULATORS, Simulator, find, load


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


class ThroughServer:
    """The whole way: a backend, HTTP, the server's worker process, the adapter."""

    def __init__(self, simulator) -> None:
        self._simulator = simulator
        self.capabilities = simulator.capabilities()

    def __call__(self, circuit, *, shots, seed=None, result=None, sampling=Sampling.AUTO):
        return outcome_of(self._simulator.run(circuit, shots=shots, seed=seed, result=result, sampling=sampling))


def outcome_of(result):
    value = np.asarray(result) if isinstance(result, Statevector) else dict(result)
    return Outcome(result.provenance, **{result.kind: value})


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on each simulator under test."""
    if "row" in metafunc.fixturenames:
        rows = _rows(metafunc.config.getoption("--target"), metafunc.config.getoption("--through"))
        metafunc.parametrize("row", rows, ids=[row.name for row in rows], indirect=True, scope="session")


def _rows(target: str | None, through: str) -> list[Simulator]:
    """Return the simulators under test; in process only those of this environment, the others run in theirs."""
    if target is None:
        return [row for row in SIMULATORS.values() if through != "adapter" or is_here(row.name)]
    if ":" not in target:
        return [find(target)]
    capabilities = load(target).capabilities
    return [Simulator(name=target, port=0, summary="", adapter=target, distribution="", capabilities=capabilities)]


@pytest.fixture(scope="session")
def row(request: pytest.FixtureRequest) -> Simulator:
    return request.param


@pytest.fixture(scope="session")
def adapter(row: Simulator) -> Adapter:
    return load(row.adapter)


@pytest.fixture(scope="session")
def run(row: Simulator, request: pytest.FixtureRequest) -> Iterator[Run]:
    through = request.config.getoption("--through")
    if through == "adapter":
        yield ThroughAdapter(request.getfixturevalue("adapter"))
        return
    with _backend(row, through) as simulator:
        yield ThroughServer(simulator)


def _backend(row: Simulator, through: str) -> Backend:
    if through == "docker":
        return DockerSimulator(row.name)
    return LocalSimulator(adapter=row.adapter) if ":" in row.name else LocalSimulator(row.name)


@pytest.fixture
def probabilities(run: Run) -> Callable[[Circuit], dict[str, float]]:
    """Return what gives a circuit's exact probabilities."""
    if ResultType.PROBABILITIES not in run.capabilities.result_types:
        pytest.skip("declares no exact probabilities")
    return lambda circuit: run(circuit, shots=None).probabilities


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--through") == "adapter":
        return
    inside = [item for item in items if "adapter" in getattr(item, "fixturenames", ())]
    config.hook.pytest_deselected(items=inside)
    items[:] = [item for item in items if item not in inside]
