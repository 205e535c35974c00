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
from typing import Any

from gateway import conversions

_PUBLIC = {
    "gateway.amplitudes": ("Amplitudes",),
    "gateway.backends.base": ("Backend", "BackendStatus"),
    "gateway.backends.client": ("BackendClient",),
    "gateway.backends.docker": ("DockerSimulator",),
    "gateway.backends.job": ("Job",),
    "gateway.backends.local": ("LocalSimulator",),
    "gateway.backends.server": ("BackendServer",),
    "gateway.backends.virtual": ("VirtualBackend",),
    "gateway.client.gateway_client": ("GatewayClient",),
    "gateway.circuit": ("Circuit", "Expression", "Operation", "bits", "parameter"),
    "gateway.counts": ("Counts", "Probabilities", "Statevector"),
    "gateway.density_matrix": ("DensityMatrix",),
    "gateway.errors": ("GatewayError",),
    "gateway.expectation": ("Expectation",),
    "gateway.observables": ("PauliSum",),
    "gateway.noise": ("NoiseModel",),
    "gateway.provenance": ("Provenance",),
    "gateway.results": ("Capabilities", "JobState", "Precision", "Progress", "ResultType", "Sampling"),
    "gateway.shot_memory": ("Memory",),
    "gateway.simulators": ("SIMULATORS", "simulators"),
    "gateway.version": ("__version__",),
}
"""Module -> the public names that come from it; ``scripts/render`` writes ``__init__.pyi`` of it for type checkers."""

_VENDOR_BACKENDS = {
    "gateway.backends.iqm": ("IQMBackend",),
    "gateway.backends.qiskit": ("QiskitBackend",),
    "gateway.backends.qiskit_runtime": ("QiskitRuntimeBackend",),
}
"""Module -> the public names that need a vendor's package, which ``from gateway import *`` therefore leaves out."""

_MODULES = {name: module for module, names in {**_PUBLIC, **_VENDOR_BACKENDS}.items() for name in names}

__all__ = sorted(name for names in _PUBLIC.values() for name in names)  # noqa: PLE0605 - each name stands in one place


def _dump(circuit: Any, framework: str) -> Any:  # noqa: ANN401 - the framework's own class
    """Convert a circuit for ``Circuit.to``, which cannot do so itself: the circuit package imports no framework."""
    from gateway.frameworks.conversions import dump  # noqa: PLC0415 - nothing is loaded before it is used

    return dump(circuit, framework)


conversions.register(_dump)


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(_MODULES[name])
    if module.__name__ == f"{__name__}.{name}":
        return module  # it can be called as its function of this name can
    value = globals()[name] = getattr(module, name)
    return value


def __dir__() -> list[str]:
    return sorted(_MODULES)
