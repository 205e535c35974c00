"""Qulacs: its circuits to and from the shared circuit.

Importing this package does not load Qulacs; using one of its names does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gateway.frameworks.qulacs.dumping import dump
    from gateway.frameworks.qulacs.parsing import parse

__all__ = ["dump", "parse"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - the value of the name
    if name in {"dump", "parse"}:
        from gateway.frameworks.qulacs import dumping, parsing

        return dumping.dump if name == "dump" else parsing.parse
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
