"""The same circuit on many simulators: the referee, the diagnosis, the reproducer and the report.

::

    from pathlib import Path
    from gateway.compare import compare

    compare(Path("circuit.qasm"), ["cirq", "qulacs"])

Names are loaded when they are first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gateway.compare.comparing import compare
    from gateway.compare.comparison import Comparison
    from gateway.compare.hunting.hunt import hunt
    from gateway.compare.hunting.report import HuntReport
    from gateway.compare.hunting.verification import Verification
    from gateway.compare.hunting.verify import verify
    from gateway.compare.pair import locate, reduce
    from gateway.compare.record import Cause, Reproducer, Row, Test, Verdict
    from gateway.compare.reproducer.bug_report import bug_report
    from gateway.compare.reproducer.location import Located

__all__ = [
    "Cause",
    "Comparison",
    "HuntReport",
    "Located",
    "Reproducer",
    "Row",
    "Test",
    "Verdict",
    "Verification",
    "bug_report",
    "compare",
    "hunt",
    "locate",
    "reduce",
    "verify",
]

_PUBLIC = {
    "gateway.compare.comparing": ("compare",),
    "gateway.compare.comparison": ("Comparison",),
    "gateway.compare.hunting.hunt": ("hunt",),
    "gateway.compare.hunting.report": ("HuntReport",),
    "gateway.compare.hunting.verification": ("Verification",),
    "gateway.compare.hunting.verify": ("verify",),
    "gateway.compare.pair": ("locate", "reduce"),
    "gateway.compare.record": ("Cause", "Reproducer", "Row", "Test", "Verdict"),
    "gateway.compare.reproducer.bug_report": ("bug_report",),
    "gateway.compare.reproducer.location": ("Located",),
}
_MODULES = {name: module for module, names in _PUBLIC.items() for name in names}


def __getattr__(name: str) -> object:
    """Load a public name from its module."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(_MODULES[name]), name)
    return value
