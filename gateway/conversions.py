"""Connects ``Circuit.to`` with the frameworks, which import circuits and are not imported by them.

``Circuit.to("cirq")`` calls what was registered here. The package registers the conversion of
:mod:`gateway.frameworks` when it is imported, without loading it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Dump = Callable[[Any, str], Any]
"""Takes a circuit and the name of a framework, and returns the framework's own circuit."""

_dump_functions: list[Dump] = []


def register(dump: Dump) -> None:
    """Make ``Circuit.to`` call this function from now on."""
    _dump_functions[:] = [dump]


def dump(circuit: Any, framework: str) -> Any:  # noqa: ANN401 - the circuit's and the framework's own class
    """Return a circuit as an object of a framework; see :func:`gateway.frameworks.dump`."""
    return _dump_functions[0](circuit, framework)
