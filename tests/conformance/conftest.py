"""Gives every conformance test the simulator under test.

The simulators are the rows of the registry, or the one that ``--target`` names; no test names one.
``--through`` decides what stands between the test and the simulator. Tests that look inside an adapter
(they take the fixture ``adapter``) only make sense in process and are deselected otherwise.

A simulator is asked for what it declares, and for all of it. Tests about a kind of result, a sampler or seeds that it
does not declare are deselected. A circuit that needs more than is declared has to be refused by the right name, and
the test ends there, well; ``fit`` puts circuits into the gates it declares.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path

import pytest
from support import claims
from support.asking import AsDeclared, Outcome, RefusedAsDeclared, Run, ThroughAdapter, outcome_of
from support.groups import is_here

from adapters.base import Adapter
from gateway.amplitudes import Amplitudes
from gateway.backends.base import Backend
from gateway.backends.docker import DockerSimulator
from gateway.backends.local import LocalSimulator
from gateway.circuit import Circuit
from gateway.density_matrix import DensityMatrix
from gateway.expectation import Expectation
from gateway.observables import observable_list
from gateway.results import Capabilities, ResultType, Sampling
from gateway.shot_memory import Memory
from gateway.simulators import SIMULATORS, Simulator, find, load


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Let a test end, well, where what it asks for was refused as declared."""
    try:
        return (yield)
    except RefusedAsDeclared:
        return True


class ThroughServer:
    """The whole way: a backend, HTTP, the server's worker process, the adapter."""

    def __init__(self, simulator) -> None:
        self._simulator = simulator
        self.capabilities = simulator.capabilities()

    def __call__(self, circuit, *, shots, seed=None, result=None, sampling=Sampling.AUTO, **details):
        run = partial(self._simulator.run, circuit, shots=shots, seed=seed, result=result, sampling=sampling)
        return outcome_of(run(**details))


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
        adapter = request.getfixturevalue("adapter")
        yield AsDeclared(ThroughAdapter(adapter), adapter.name)
        return
    with _backend(row, through) as simulator:
        yield AsDeclared(ThroughServer(simulator), simulator.status().name)


@pytest.fixture(scope="session")
def fit(run: Run) -> Callable[[Circuit], Circuit]:
    """Return what puts a circuit into the gates that are declared."""
    return partial(claims.fit, able=run.capabilities)


def _backend(row: Simulator, through: str) -> Backend:
    if through == "docker":
        return DockerSimulator(row.name)
    return LocalSimulator(adapter=row.adapter) if ":" in row.name else LocalSimulator(row.name)


@pytest.fixture
def probabilities(run: Run) -> Callable[[Circuit], dict[str, float]]:
    """Return what gives a circuit's exact probabilities."""
    return lambda circuit: run(circuit, shots=None).probabilities


@pytest.fixture
def exact_run(run: Run) -> Run:
    """Return what gives state vectors."""
    return run


@pytest.fixture
def stateless(run: Run) -> Run:
    """Return what gives exact probabilities, and no state vectors."""
    return run


@pytest.fixture
def expectation(run: Run) -> Callable[..., Expectation]:
    """Return what gives expectation values; exact ones without shots."""

    def values(circuit: Circuit, observables: object, shots: int | None = None, **options: object) -> Expectation:
        wanted = observable_list(observables)
        return run(circuit, shots=shots, result=ResultType.EXPECTATION, observables=wanted, **options).result

    return values


@pytest.fixture
def memory(run: Run) -> Callable[..., Memory]:
    """Return what gives the bits of each shot."""
    return lambda circuit, shots, **options: run(circuit, shots=shots, result=ResultType.MEMORY, **options).result


@pytest.fixture
def amplitudes(run: Run) -> Callable[..., Amplitudes]:
    """Return what gives the amplitudes of some basis states."""
    return lambda circuit, bitstrings: (
        run(circuit, shots=None, result=ResultType.AMPLITUDES, bitstrings=tuple(bitstrings)).result
    )


@pytest.fixture
def density_matrix(run: Run) -> Callable[[Circuit], DensityMatrix]:
    """Return what gives density matrices."""
    return lambda circuit: run(circuit, shots=None, result=ResultType.DENSITY_MATRIX).result


@pytest.fixture
def native(run: Run) -> Callable[..., Outcome]:
    """Return what samples with the simulator's own sampler."""
    return lambda circuit, shots, seed=3: run(circuit, shots=shots, seed=seed, sampling=Sampling.NATIVE)


@pytest.fixture
def seeded(run: Run) -> Run:
    """Return what heeds seeds."""
    return run


@pytest.fixture
def sized(run: Run) -> Run:
    """Return what has a state whose size follows from the number of qubits."""
    return run


DECLARED: dict[str, Callable[[Capabilities], bool]] = {
    "probabilities": lambda able: ResultType.PROBABILITIES in able.result_types,
    "exact_run": lambda able: ResultType.STATEVECTOR in able.result_types,
    "expectation": lambda able: ResultType.EXPECTATION in able.result_types,
    "memory": lambda able: ResultType.MEMORY in able.result_types,
    "amplitudes": lambda able: ResultType.AMPLITUDES in able.result_types,
    "density_matrix": lambda able: ResultType.DENSITY_MATRIX in able.result_types,
    "stateless": lambda able: ResultType.PROBABILITIES in able.result_types and not DECLARED["exact_run"](able),
    "native": lambda able: able.native_sampling,
    "seeded": lambda able: able.seedable,
    "sized": lambda able: able.bytes_per_amplitude is not None,
}
"""Fixture -> whether tests that take it may be asked of a simulator."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what cannot be asked."""
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    left_out = [item for item in here if not _may_be_asked(item, config.getoption("--through"))]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in set(left_out)]


def _may_be_asked(item: pytest.Item, through: str) -> bool:
    fixtures = getattr(item, "fixturenames", ())
    if "adapter" in fixtures and through != "adapter":
        return False
    row = item.callspec.params.get("row") if hasattr(item, "callspec") else None
    if row is None:
        return True
    if item.callspec.params.get("sampling") is Sampling.NATIVE and not row.capabilities.native_sampling:
        return False
    return all(declared(row.capabilities) for fixture, declared in DECLARED.items() if fixture in fixtures)
