"""THE registry: one row per simulator.

Ports in the README, command-line choices, extras, import rules and test ids are derived from it
(``scripts/render``), and a test fails when they are stale. Names and ports are those that released
Qrisp clients expect.
"""

from __future__ import annotations

import difflib
import importlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gateway.errors import RequestError, SimulatorNotInstalled
from gateway.results import Capabilities, ResultType

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Simulator:
    """One row: a simulation method offered under a name."""

    name: str
    port: int
    adapter: str
    """Where the adapter lives: ``module:Class``."""
    requirement: str
    """The extra of this project that installs it."""
    distribution: str
    """The package whose version counts."""
    summary: str
    capabilities: Capabilities
    """What it can do; the adapter's class takes it from here, so that it is known without the framework."""

    def installed_version(self) -> str | None:
        """Return the installed version of its framework, or ``None``; imports nothing of it."""
        from importlib import metadata  # noqa: PLC0415 - a server's start does not need it, and waits for it

        try:
            return metadata.version(self.distribution)
        except metadata.PackageNotFoundError:
            return None


_ALL = tuple(ResultType)

SIMULATORS: dict[str, Simulator] = {
    row.name: row
    for row in (
        Simulator(
            "cirq", 8083, "adapters.cirq:CirqAdapter", "cirq", "cirq-core", "Cirq state vector",
            Capabilities(result_types=_ALL, bytes_per_amplitude=72, native_dynamic=True),
        ),
        Simulator(
            "mqt", 8085, "adapters.mqt:MqtAdapter", "mqt", "mqt.ddsim", "MQT DDSIM decision diagrams",
            Capabilities(result_types=_ALL, native_dynamic=True),
        ),
        Simulator(
            "rigetti", 8086, "adapters.rigetti:RigettiAdapter", "rigetti", "pyquil", "pyQuil numpy wavefunction",
            Capabilities(result_types=_ALL, bytes_per_amplitude=72),
        ),
        Simulator(
            "pytket", 8087, "adapters.pytket:PytketAdapter", "pytket", "pytket-qiskit", "pytket AerBackend",
            Capabilities(result_types=_ALL, bytes_per_amplitude=48, threads=True, native_dynamic=True),
        ),
        Simulator(
            "qulacs", 8088, "adapters.qulacs:QulacsAdapter", "qulacs", "qulacs", "Qulacs state vector",
            Capabilities(result_types=_ALL, bytes_per_amplitude=48, threads=True),
        ),
        Simulator(
            "qiskit", 8090, "adapters.qiskit:QiskitAdapter", "qiskit", "qiskit-aer", "Qiskit Aer state vector",
            Capabilities(result_types=_ALL, bytes_per_amplitude=48, threads=True, native_dynamic=True),
        ),
    )
}  # fmt: skip


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
    """Yield the rows in order of name."""
    return iter(SIMULATORS.values())
