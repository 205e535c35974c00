"""PennyLane: its tapes to and from the shared circuit, and our backends as its devices.

Importing this package does not load PennyLane; using one of its names does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.frameworks.pennylane.backend import GatewayDevice
    from gateway.frameworks.pennylane.dumping import dump
    from gateway.frameworks.pennylane.parsing import parse

__all__ = ["GatewayDevice", "dump", "parse"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the value of the name
    if name in {"dump", "parse"}:
        from gateway.frameworks.pennylane import dumping, parsing

        return dumping.dump if name == "dump" else parsing.parse
    if name in __all__:
        from gateway.frameworks.pennylane import backend

        return getattr(backend, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
