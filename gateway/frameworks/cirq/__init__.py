"""Cirq: its circuits to and from the shared circuit, and our backends as its samplers.

Importing this package does not load Cirq; using one of its names does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.frameworks.cirq.backend import GatewaySampler
    from gateway.frameworks.cirq.dumping import dump
    from gateway.frameworks.cirq.parsing import parse

__all__ = ["GatewaySampler", "dump", "parse"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the value of the name
    if name in {"dump", "parse"}:
        from gateway.frameworks.cirq import dumping, parsing

        return dumping.dump if name == "dump" else parsing.parse
    if name in __all__:
        from gateway.frameworks.cirq import backend

        return getattr(backend, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
