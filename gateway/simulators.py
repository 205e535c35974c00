"""THE registry: one row per simulator, which carries everything about it.

Extras, locks, import rules, the image, compose.yaml, the tables of the documents and the ids of
tests are rendered from the rows or derived from them (``scripts/render``), and a test fails when
one is stale. Names and ports are those that released Qrisp clients expect.
"""

from __future__ import annotations

import difflib
import importlib
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING

from gateway import environments
from gateway.errors import RequestError, SimulatorNotInstalled
from gateway.results import Capabilities, ResultType

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Simulator:
    """One row: a simulation method offered under a name."""

    name: str
    port: int
    summary: str
    """What it is, in a few words."""
    adapter: str
    """Where the adapter lives: ``module:Class``."""
    distribution: str
    """The package whose version counts, as package indexes spell it."""
    capabilities: Capabilities
    """What it can do; the adapter's class takes it from here, so that it is known without the framework."""
    requires: tuple[str, ...] = ()
    """What its extra installs, with bounds; ``python_version`` markers where a package ends."""
    packages: tuple[str, ...] = ()
    """The top-level modules of frameworks that its adapter may load; the first one is its own."""
    warm: tuple[str, ...] = ()
    """The modules that the adapter and a run import: the image has byte code of these, and of no others."""
    group: str = "main"
    """The environment in which its server runs: simulators of one group have packages that fit together."""
    extra: str = ""
    """The extra of this project that installs it; its name, unless several rows share one."""

    @property
    def requirement(self) -> str:
        """The extra of this project that installs it."""
        return self.extra or self.name

    def installed_version(self) -> str | None:
        """Return the version of its framework, here or in its group's environment; imports nothing of it."""
        from importlib import metadata  # noqa: PLC0415 - a server's start does not need it, and waits for it

        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            return environments.find_version(self.group, self.distribution)

    def python(self) -> str:
        """Return the Python that runs its server: this one, or that of its group's environment.

        It is this one as well where none has the packages; a server then says which one is absent.
        """
        if self.packages and find_spec(self.packages[0]) is not None:
            return sys.executable
        return str(environments.find_python(self.group, self.distribution) or sys.executable)


_ALL = tuple(ResultType)

SIMULATORS: dict[str, Simulator] = {
    row.name: row
    for row in (
        Simulator(
            name="cirq",
            port=8083,
            summary="Cirq state vector",
            adapter="adapters.cirq:CirqAdapter",
            distribution="cirq-core",
            capabilities=Capabilities(result_types=_ALL, bytes_per_amplitude=72, native_dynamic=True),
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
            capabilities=Capabilities(result_types=_ALL, exact_bytes_per_amplitude=320, native_dynamic=True),
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
            capabilities=Capabilities(result_types=_ALL, bytes_per_amplitude=72),
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
            capabilities=Capabilities(result_types=_ALL, bytes_per_amplitude=48, threads=True, native_dynamic=True),
            requires=(
                "pytket>=2.18,<2.19",
                "pytket-qiskit>=0.79,<0.80",
                # pytket-qiskit imports it; without a bound some resolvers go back to a broken one
                "qiskit-ibm-runtime>=0.51,<0.52",
            ),
            packages=("pytket", "qiskit", "qiskit_aer", "qiskit_ibm_runtime"),  # pytket's Aer backend is Qiskit's
            warm=("pytket.extensions.qiskit",),
        ),
        Simulator(
            name="qulacs",
            port=8088,
            summary="Qulacs state vector",
            adapter="adapters.qulacs:QulacsAdapter",
            distribution="qulacs",
            capabilities=Capabilities(result_types=_ALL, bytes_per_amplitude=48, threads=True),
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
            capabilities=Capabilities(result_types=_ALL, bytes_per_amplitude=48, threads=True, native_dynamic=True),
            requires=("qiskit>=2.6,<2.7", "qiskit-aer>=0.18.2,<0.19"),
            packages=("qiskit", "qiskit_aer"),
            warm=("qiskit", "qiskit.circuit.library", "qiskit_aer"),
        ),
    )
}


def find(name: str) -> Simulator:
    """Return the row of a simulator.

    Raises:
        RequestError: no simulator of that name; the message lists those there are.
    """
    try:
        return SIMULATORS[name]
    except (KeyError, TypeError):
        close = difflib.get_close_matches(str(name), SIMULATORS, n=1)
        hint = f"did you mean {close[0]!r}? " if close else ""
        msg = f"there is no simulator named {name!r}: {hint}known are {', '.join(SIMULATORS)}"
        raise RequestError(msg, field="simulator") from None


def load(target: str) -> object:
    """Import ``module:Class`` and return an instance of the class.

    This is the only place where an adapter is imported.

    Raises:
        SimulatorNotInstalled: the framework behind the adapter is absent.
    """
    module, _, attribute = target.partition(":")
    try:
        return getattr(importlib.import_module(module), attribute)()
    except ModuleNotFoundError as exc:
        row = next((row for row in rows() if row.adapter == target), None)
        if row is None or (exc.name or "").split(".")[0] in {"gateway", "adapters"}:
            raise
        msg = (
            f"the simulator {row.name!r} needs the package {exc.name!r}, which is not installed: "
            f"pip install 'simulator-gateway[{row.requirement}]'"
        )
        raise SimulatorNotInstalled(msg, simulator=row.name, requirement=row.requirement) from exc


def rows() -> Iterator[Simulator]:
    """Yield the rows in order of port."""
    return iter(SIMULATORS.values())
