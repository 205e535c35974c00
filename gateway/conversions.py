"""The way from a circuit up to the frameworks: they know circuits, and no circuit knows them.

``Circuit.to("cirq")`` calls what was registered here. The package registers the conversion of
:mod:`gateway.frameworks` when it is imported, without loading it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Dump = Callable[[Any, str], Any]
"""Takes a circuit and the name of a framework, and returns the framework's own circuit."""

_registered: list[Dump] = []


def register(dump: Dump) -> None:
    """Let ``Circuit.to`` call this from now on."""
    _registered[:] = [dump]


def dump(circuit: Any, framework: str) -> Any:  # noqa: ANN401 - what the frameworks take and give
    """Return a circuit as an object of a framework; see :func:`gateway.frameworks.dump`."""
    return _registered[0](circuit, framework)
