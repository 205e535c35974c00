"""Amazon Braket: its circuits to and from the shared circuit.

Importing this package does not load Amazon Braket; using one of its names does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.frameworks.braket.dumping import dump
    from gateway.frameworks.braket.parsing import parse

__all__ = ["dump", "parse"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the value of the name
    if name in {"dump", "parse"}:
        from gateway.frameworks.braket import dumping, parsing

        return dumping.dump if name == "dump" else parsing.parse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
