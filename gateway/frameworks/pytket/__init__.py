"""pytket: its circuits to and from the shared circuit, and our backends as its backends.

Importing this package does not load pytket; using one of its names does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.frameworks.pytket.backend import GatewayBackend
    from gateway.frameworks.pytket.dumping import dump
    from gateway.frameworks.pytket.parsing import parse

__all__ = ["GatewayBackend", "dump", "parse"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the value of the name
    if name in {"dump", "parse"}:
        from gateway.frameworks.pytket import dumping, parsing

        return dumping.dump if name == "dump" else parsing.parse
    if name in __all__:
        from gateway.frameworks.pytket import backend

        return getattr(backend, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
