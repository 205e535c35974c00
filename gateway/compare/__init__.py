"""The same circuit on many simulators: the referee, the diagnosis, the reproducer and the report.

::

    from gateway.compare import compare

    compare("circuit.qasm", ["cirq", "qulacs"])

Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.compare.comparison import Comparison, Row, compare

__all__ = ["Comparison", "Row", "compare"]

_MODULES = {
    "Comparison": "gateway.compare.comparison",
    "Row": "gateway.compare.comparison",
    "compare": "gateway.compare.comparison",
}


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value
