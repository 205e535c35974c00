"""Qrisp: its circuits to and from the shared circuit, and our backends as its backends.

Importing this package does not load Qrisp; using one of its names does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.frameworks.qrisp.backend import (
        CirqSim,
        GatewayBackend,
        GatewayJob,
        MQTSim,
        PennylaneRigettiSim,
        PyTketSim,
        PyTketStimSim,
        QiskitSim,
        QulacsSim,
        RigettiSim,
    )
    from gateway.frameworks.qrisp.dumping import dump
    from gateway.frameworks.qrisp.parsing import parse

__all__ = [
    "CirqSim",
    "GatewayBackend",
    "GatewayJob",
    "MQTSim",
    "PennylaneRigettiSim",
    "PyTketSim",
    "PyTketStimSim",
    "QiskitSim",
    "QulacsSim",
    "RigettiSim",
    "dump",
    "parse",
]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the value of the name
    if name in {"dump", "parse"}:
        from gateway.frameworks.qrisp import dumping, parsing

        return dumping.dump if name == "dump" else parsing.parse
    if name in __all__:
        from gateway.frameworks.qrisp import backend

        return getattr(backend, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
