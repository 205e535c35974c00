"""Qiskit: its circuits to and from the shared circuit, and our backends as its backends and primitives.

Importing this package does not load Qiskit; using one of its names does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.frameworks.qiskit.backend import GatewayBackend, GatewayJob
    from gateway.frameworks.qiskit.dumping import dump
    from gateway.frameworks.qiskit.estimator import GatewayEstimator
    from gateway.frameworks.qiskit.parsing import parse
    from gateway.frameworks.qiskit.sampler import GatewaySampler

__all__ = ["GatewayBackend", "GatewayEstimator", "GatewayJob", "GatewaySampler", "dump", "parse"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the value of the name
    if name in {"dump", "parse"}:
        from gateway.frameworks.qiskit import dumping, parsing

        return dumping.dump if name == "dump" else parsing.parse
    if name in __all__:
        from gateway.frameworks.qiskit import backend, estimator, sampler

        room = {"GatewayEstimator": estimator, "GatewaySampler": sampler}.get(name, backend)
        return getattr(room, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
