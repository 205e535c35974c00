"""One circuit, many quantum simulators.

::

    from gateway import Circuit, LocalSimulator

    bell = Circuit(2).h(0).cx(0, 1).measure_all()
    LocalSimulator("qulacs").run(bell, shots=1000)

Importing this package loads next to nothing: each name is loaded when it is first used, because a
server, which starts in a fraction of a second, needs none of what a client needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from gateway import conversions
from gateway.version import __version__

if TYPE_CHECKING:
    from gateway.backends.base import Backend, BackendStatus
    from gateway.backends.client import BackendClient
    from gateway.backends.docker import DockerSimulator
    from gateway.backends.iqm import IQMBackend as IQMBackend
    from gateway.backends.job import Job
    from gateway.backends.local import LocalSimulator
    from gateway.backends.qiskit import QiskitBackend as QiskitBackend
    from gateway.backends.qiskit_runtime import QiskitRuntimeBackend as QiskitRuntimeBackend
    from gateway.backends.server import BackendServer
    from gateway.backends.virtual import VirtualBackend
    from gateway.circuit import Circuit, Operation
    from gateway.counts import Counts, Probabilities, Statevector
    from gateway.errors import GatewayError
    from gateway.results import Capabilities, JobState, Precision, Progress, Provenance, ResultType, Sampling
    from gateway.simulators import SIMULATORS

__all__ = [
    "SIMULATORS",
    "Backend",
    "BackendClient",
    "BackendServer",
    "BackendStatus",
    "Capabilities",
    "Circuit",
    "Counts",
    "DockerSimulator",
    "GatewayError",
    "Job",
    "JobState",
    "LocalSimulator",
    "Operation",
    "Precision",
    "Probabilities",
    "Progress",
    "Provenance",
    "ResultType",
    "Sampling",
    "Statevector",
    "VirtualBackend",
    "__version__",
]

# ``from gateway import *`` must work without any vendor's package, so backends that need one are not in it.

_HOMES = {
    "Backend": "gateway.backends.base",
    "BackendClient": "gateway.backends.client",
    "BackendServer": "gateway.backends.server",
    "BackendStatus": "gateway.backends.base",
    "Capabilities": "gateway.results",
    "Circuit": "gateway.circuit",
    "Counts": "gateway.counts",
    "DockerSimulator": "gateway.backends.docker",
    "GatewayError": "gateway.errors",
    "IQMBackend": "gateway.backends.iqm",
    "Job": "gateway.backends.job",
    "LocalSimulator": "gateway.backends.local",
    "Operation": "gateway.circuit",
    "JobState": "gateway.results",
    "Precision": "gateway.results",
    "Probabilities": "gateway.counts",
    "Progress": "gateway.results",
    "Provenance": "gateway.results",
    "QiskitBackend": "gateway.backends.qiskit",
    "QiskitRuntimeBackend": "gateway.backends.qiskit_runtime",
    "ResultType": "gateway.results",
    "SIMULATORS": "gateway.simulators",
    "Sampling": "gateway.results",
    "Statevector": "gateway.counts",
    "VirtualBackend": "gateway.backends.virtual",
}


def _dump(circuit: Any, framework: str) -> Any:  # noqa: ANN401 - the framework's own class
    """Do the work of ``Circuit.to``: circuits know no frameworks, and this package knows both."""
    from gateway.frameworks.conversions import dump  # noqa: PLC0415 - nothing is loaded before it is used

    return dump(circuit, framework)


conversions.register(_dump)


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_HOMES[name]), name)
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
