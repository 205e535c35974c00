"""The registry: each simulator has one row, which holds everything that the project knows about it.

``scripts/render`` derives extras, locks, import rules, the image, compose.yaml and the tables of the documents from
these rows, and a test fails when one of them is stale. Names and ports are those that released Qrisp clients expect.

The module can be called: ``gateway.simulators()`` lists all simulators, with what each can do and whether it is
installed.
"""

from __future__ import annotations

import contextlib
import difflib
import importlib
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gateway import environments
from gateway.callable_module import make_callable
from gateway.errors import RequestError, SimulatorError, SimulatorNotInstalled
from gateway.noise import PAULI, READOUT, Channel
from gateway.resources import memory_of_environment
from gateway.results import CLIFFORD, Capabilities, ResultType

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from importlib.metadata import EntryPoint, EntryPoints

    from gateway.simulator_list import ListedSimulator, SimulatorList

ENTRY_POINTS = "gateway.simulators"
"""The entry point group through which other distributions offer theirs: each entry point gives a :class:`Simulator`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """One row: a simulation method offered under a name."""

    name: str
    port: int
    summary: str
    """A few words that describe the simulator."""
    adapter: str
    """The adapter's class, written ``module:Class``."""
    distribution: str
    """The package whose version is reported as the simulator's, as package indexes spell it."""
    capabilities: Capabilities
    """What the simulator can do. The adapter's class reads it from here, so that it is known without the framework."""
    requires: tuple[str, ...] = ()
    """The requirements that its extra installs, with bounds, and with markers where a package lacks newer Pythons."""
    packages: tuple[str, ...] = ()
    """The top-level modules of frameworks that its adapter may import; the first one is the simulator's own."""
    warm: tuple[str, ...] = ()
    """The modules that the adapter and a run import. The image has byte code of these and of no others."""
    group: str = "main"
    """The group of simulators whose packages fit together; all servers of a group run in one environment."""
    extra: str = ""
    """The extra of this project that installs the simulator, where it is not named like the simulator."""
    engine: str = ""
    """The library that computes, where it is not the simulator's own: simulators of one engine are one witness."""

    @property
    def requirement(self) -> str:
        """The extra of this project that installs the simulator."""
        return self.extra or self.name

    def installed_version(self) -> str | None:
        """Return the version of its package here or in its group's environment, or ``None``, without importing it."""
        from importlib import metadata  # noqa: PLC0415 - slow to import, and a starting server does not need it

        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            return environments.find_version(self.group, self.distribution)

    def python(self) -> str:
        """Return the Python that runs its server: this one, or that of its group's environment.

        Where neither has the packages, this Python is returned, and its server reports which package is absent.
        """
        if self.packages and find_spec(self.packages[0]) is not None:
            return sys.executable
        return str(environments.find_python(self.group, self.distribution) or sys.executable)


_ALL_TYPES = tuple(ResultType)
_ALL_NOISE = (*map(str, Channel), READOUT)
_PAULI_NOISE = (*map(str, PAULI), READOUT)

SIMULATORS: dict[str, Simulator] = {
    row.name: row
    for row in (
        Simulator(
            name="cirq",
            port=8083,
            summary="Cirq state vector",
            adapter="adapters.cirq:CirqAdapter",
            distribution="cirq-core",
            capabilities=Capabilities(
                result_types=_ALL_TYPES,
                assignment=True,
                loops=True,
                bytes_per_amplitude=72,
                native_dynamic=True,
                noise=_ALL_NOISE,
            ),
            requires=("cirq-core>=1.7,<1.8",),
            packages=("cirq",),
            warm=("cirq", "sympy"),
        ),
        Simulator(
            name="mqt",
            port=8085,
            summary="MQT DDSIM decision diagrams",
            adapter="adapters.mqt:MqtAdapter",
            distribution="mqt.ddsim",
            capabilities=Capabilities(
                result_types=_ALL_TYPES,
                assignment=True,
                loops=True,
                exact_bytes_per_amplitude=320,
                native_dynamic=True,
            ),
            requires=("mqt.ddsim>=2.7,<2.8",),
            packages=("mqt", "qiskit"),  # mqt.core offers converters for Qiskit where it is installed
            warm=("mqt.ddsim", "mqt.core"),
        ),
        Simulator(
            name="rigetti",
            port=8086,
            summary="pyQuil numpy wavefunction",
            adapter="adapters.rigetti:RigettiAdapter",
            distribution="pyquil",
            capabilities=Capabilities(result_types=_ALL_TYPES, assignment=True, loops=True, bytes_per_amplitude=72),
            # its numpy simulator is deprecated and leaves in pyquil 5
            requires=("pyquil==4.22.0; python_version < '3.13'",),
            group="rigetti",
            packages=("pyquil",),
            warm=("pyquil", "pyquil.simulation"),
        ),
        Simulator(
            name="pytket",
            port=8087,
            summary="pytket AerBackend",
            adapter="adapters.pytket:PytketAdapter",
            distribution="pytket-qiskit",
            capabilities=Capabilities(
                result_types=_ALL_TYPES,
                assignment=True,
                loops=True,
                bytes_per_amplitude=48,
                threads=True,
                native_dynamic=True,
            ),
            requires=(
                "pytket>=2.18,<2.19",
                "pytket-qiskit>=0.79,<0.80",
                # pytket-qiskit imports it; without a bound some resolvers go back to a broken one
                "qiskit-ibm-runtime>=0.51,<0.52",
            ),
            packages=("pytket", "qiskit", "qiskit_aer", "qiskit_ibm_runtime"),  # pytket's Aer backend is Qiskit's
            engine="qiskit-aer",
            warm=("pytket.extensions.qiskit",),
        ),
        Simulator(
            name="qulacs",
            port=8088,
            summary="Qulacs state vector",
            adapter="adapters.qulacs:QulacsAdapter",
            distribution="qulacs",
            capabilities=Capabilities(
                result_types=_ALL_TYPES,
                assignment=True,
                loops=True,
                bytes_per_amplitude=48,
                threads=True,
                noise=_ALL_NOISE,
            ),
            requires=("qulacs>=0.6.14,<0.7; python_version < '3.14'",),
            packages=("qulacs",),
            warm=("qulacs",),
        ),
        Simulator(
            name="qiskit",
            port=8090,
            summary="Qiskit Aer state vector",
            adapter="adapters.qiskit:QiskitAdapter",
            distribution="qiskit-aer",
            capabilities=Capabilities(
                result_types=_ALL_TYPES,
                assignment=True,
                loops=True,
                bytes_per_amplitude=48,
                threads=True,
                native_dynamic=True,
                noise=_ALL_NOISE,
            ),
            requires=("qiskit>=2.6,<2.7", "qiskit-aer>=0.18.2,<0.19"),
            packages=("qiskit", "qiskit_aer"),
            engine="qiskit-aer",
            warm=("qiskit", "qiskit.circuit.library", "qiskit_aer"),
        ),
        Simulator(
            name="stim",
            port=8093,
            summary="Stim stabilizer circuits",
            adapter="adapters.stim:StimAdapter",
            distribution="stim",
            capabilities=Capabilities(
                result_types=(ResultType.COUNTS, ResultType.PROBABILITIES, ResultType.EXPECTATION, ResultType.MEMORY),
                gates=CLIFFORD,
                assignment=True,
                loops=True,
                native_dynamic=True,
                noise=_PAULI_NOISE,
            ),
            requires=("stim>=1.16,<1.17",),
            packages=("stim",),
            warm=("stim",),
        ),
    )
}


# ---------------------------------------------------------------------- simulators of other people


@dataclass(frozen=True, slots=True)
class Offer:
    """A simulator that another distribution offers through the entry point group ``gateway.simulators``.

    Args:
        name: the name of the entry point and of the simulator.
        distribution: the distribution's name and version.
        row: the row that the entry point gives, or ``None`` where the offer cannot be used.
        fault: why the offer cannot be used; empty where it can.
    """

    name: str
    distribution: str
    row: Simulator | None
    fault: str = ""


def offers(name: str | None = None) -> list[Offer]:
    """Return the offers of other distributions, all or those of one name, with the fault of each that is broken."""
    from importlib import metadata  # noqa: PLC0415 - needed only for simulators that are not our own

    points = metadata.entry_points(group=ENTRY_POINTS)
    return [_offer(point, points) for point in points if name is None or point.name == name]


def _offer(point: EntryPoint, points: EntryPoints) -> Offer:
    distribution = _distribution(point)
    rivals = [_distribution(other) for other in points.select(name=point.name)]
    if point.name in SIMULATORS:
        return Offer(point.name, distribution, None, "the name belongs to one of the gateway's own simulators")
    if len(rivals) > 1:
        return Offer(point.name, distribution, None, f"several distributions offer the name: {', '.join(rivals)}")
    try:
        row = point.load()
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - foreign code may raise anything, and the other offers count
        return Offer(point.name, distribution, None, f"it cannot be loaded: {type(exc).__name__}: {exc}")
    fault = _fault(row, point.name)
    return Offer(point.name, distribution, None if fault else row, fault)


def _distribution(point: EntryPoint) -> str:
    return f"{point.dist.name} {point.dist.version}" if point.dist else "a distribution without a name"


_KINDS = {"name": str, "port": int, "summary": str, "adapter": str, "distribution": str, "capabilities": Capabilities}
"""Field that every row gives -> its type, since nobody's type checker may have seen another distribution's row."""


def _fault(row: object, name: str) -> str:
    """Return why the object of an entry point cannot be used as a row beside ours; empty when it can."""
    if not isinstance(row, Simulator):
        return f"the entry point gives a {type(row).__name__}, and should give a gateway.simulators.Simulator"
    for field, kind in _KINDS.items():
        if not isinstance(value := getattr(row, field), kind) or value == "":
            return f"the {field} of its row must be of type {kind.__name__} and not empty, and is {value!r}"
    if row.name != name:
        return f"the entry point is named {name!r} and its row {row.name!r}"
    holders = [ours.name for ours in SIMULATORS.values() if ours.port == row.port]
    return f"its port {row.port} belongs to {holders[0]!r}; 0 takes any that is free" if holders else ""


# ---------------------------------------------------------------------- find and load


def find(name: str) -> Simulator:
    """Return the row of a simulator, ours or another distribution's.

    Raises:
        RequestError: there is no simulator of that name; the message lists the existing ones.
        SimulatorError: another distribution offers the simulator, and the offer cannot be used.
    """
    if isinstance(name, str) and name in SIMULATORS:
        return SIMULATORS[name]
    for offer in offers(str(name)):
        if offer.row is not None:
            return offer.row
        msg = f"the simulator {offer.name!r} of {offer.distribution} cannot be used: {offer.fault}"
        raise SimulatorError(msg, simulator=offer.name, detail=offer.fault)
    names = list(dict.fromkeys([*SIMULATORS, *(offer.name for offer in offers() if offer.row)]))
    close = difflib.get_close_matches(str(name), names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    msg = f"there is no simulator named {name!r}: {hint}known are {', '.join(names)}"
    raise RequestError(msg, field="simulator")


def load(target: str) -> object:
    """Import ``module:Class`` and return an instance of the class.

    No other code imports adapters.

    Raises:
        RequestError: there is no such module or class, or the class is no adapter; or the variable with the memory of
            a run is not a size, which would otherwise show only once a run is large.
        SimulatorNotInstalled: the framework behind the adapter is absent.
    """
    memory_of_environment()
    module, colon, name = target.partition(":")
    if not (module and colon and name.isidentifier()):
        raise RequestError(f"an adapter is written module:Class, and {target!r} is not", field="adapter")
    try:
        adapter_module = importlib.import_module(module)
    except ModuleNotFoundError as exc:
        if exc.name is not None and f"{module}.".startswith(f"{exc.name}."):
            msg = f"there is no module {exc.name!r}, which the adapter {target!r} is in: is its folder on PYTHONPATH?"
            raise RequestError(msg, field="adapter") from exc
        raise _not_installed(target, exc.name) from exc
    try:
        return _adapter_class(getattr(adapter_module, name, None), target)()
    except ModuleNotFoundError as exc:
        raise _not_installed(target, exc.name) from exc


def import_class(target: str) -> Callable[[], object]:
    """Return a class of ours, written ``module:Class``, that is no adapter and that only worker processes import."""
    module, _, name = target.partition(":")
    found: Callable[[], object] = getattr(importlib.import_module(module), name)
    return found


def import_ahead(module: str) -> None:
    """Import the module of an adapter, and pass over every failure: :func:`load` meets it again, and reports it."""
    with contextlib.suppress(Exception, SystemExit):
        importlib.import_module(module)


def _adapter_class(cls: object, target: str) -> Callable[[], object]:
    """Return an adapter's class after checking that it is one.

    Raises:
        RequestError: the module has no such class, or the class lacks members of an adapter.
    """
    module, _, name = target.partition(":")
    if cls is None:
        raise RequestError(f"the module {module!r} has no class {name!r}", field="adapter")
    if unimplemented := sorted(getattr(cls, "__abstractmethods__", ())):
        raise RequestError(f"the adapter {target!r} does not implement {', '.join(unimplemented)}", field="adapter")
    missing = [member for member in _ADAPTER_MEMBERS if not hasattr(cls, member)]
    if not isinstance(cls, type) or missing:
        details = f", it has no {', no '.join(missing)}" if missing else ""
        raise RequestError(f"{target!r} is no adapter{details}: subclass adapters.base.Adapter", field="adapter")
    return cls


_ADAPTER_MEMBERS = ("name", "capabilities", "run", "version")
"""The attributes that a server uses of every adapter, and of functions and backends that it serves."""


def _not_installed(target: str, package: str | None) -> SimulatorNotInstalled:
    row = next((row for row in rows() if row.adapter == target), None)
    if row is None:
        msg = f"the adapter {target!r} needs the package {package!r}, which is not installed beside it"
        return SimulatorNotInstalled(msg, simulator=target, requirement=package)
    elsewhere = f", or {environments.VARIABLE}=FOLDER names the folder of an environment {row.group!r} that has it"
    msg = (
        f"the simulator {row.name!r} needs the package {package!r}, which is not installed: "
        f"pip install 'simulator-gateway[{row.requirement}]' ({', '.join(row.requires)}){elsewhere}"
    )
    return SimulatorNotInstalled(msg, simulator=row.name, requirement=row.requirement)


def check_installed(row: Simulator) -> None:
    """Check that the framework of a simulator is installed, without importing it.

    Raises:
        SimulatorNotInstalled: the framework is absent; the message has the line that installs it.
    """
    for package in (*row.warm, *row.packages)[:1]:
        if not is_importable(package):
            raise _not_installed(row.adapter, package)


def is_importable(module: str) -> bool:
    """Return whether a module exists, without importing it or its parent packages."""
    top, *inner = module.split(".")
    spec = sys.modules[top].__spec__ if top in sys.modules else find_spec(top)
    for part in inner:
        if spec is None:
            return False
        # By its bare name: under its whole name the folder of a namespace package asks for its imported parent.
        spec = PathFinder.find_spec(part, list(spec.submodule_search_locations or ()))
    return spec is not None


def rows() -> Iterator[Simulator]:
    """Yield the rows of our own simulators in order of port."""
    return iter(SIMULATORS.values())


# ---------------------------------------------------------------------- list


def simulators() -> SimulatorList:
    """Return all simulators, ours and those of other distributions, as a mapping that is shown as a table."""
    from gateway.simulator_list import SimulatorList  # noqa: PLC0415 - a server lists nothing

    others = offers()
    listed = [_listed(offer.row, offer.distribution) for offer in others if offer.row is not None]
    faults = [f"{offer.name} of {offer.distribution}: {offer.fault}" for offer in others if offer.fault]
    return SimulatorList([*map(_listed, rows()), *listed], faults)


def _listed(row: Simulator, distribution: str = "") -> ListedSimulator:
    from gateway.simulator_list import ListedSimulator  # noqa: PLC0415 - a server lists nothing

    package = row.distribution if distribution else f"'simulator-gateway[{row.requirement}]'"
    return ListedSimulator(
        name=row.name,
        summary=row.summary,
        version=row.installed_version(),
        port=row.port,
        capabilities=row.capabilities,
        installing=f"pip install {package}",
        offered_by=distribution,
    )


make_callable(__name__)
