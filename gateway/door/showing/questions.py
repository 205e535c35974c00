"""What the process that answers requests asks those that show comparisons."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from gateway.door.comparisons.kept import Kept
from gateway.protocol.door import ComparisonProgress


class Form(StrEnum):
    """How a comparison is shown."""

    PART = "part"
    """The part of a page."""
    REPORT = "report"
    """A page that needs nothing else."""
    SVG = "svg"
    PNG = "png"
    CSV = "csv"
    """A table of all outcomes."""


class Show(msgspec.Struct, frozen=True, kw_only=True):
    """The question how a comparison looks.

    Args:
        form: how it is shown.
        base: the address of the comparison, below which its files are.
        record: the comparison; what has finished while it runs, ``None`` if that is nothing.
        earlier: the one before it of the same circuits, simulators and noise.
        progress: how far it is; ``None`` when it has ended.
    """

    form: Form
    base: str
    record: Kept | None = None
    earlier: Kept | None = None
    progress: ComparisonProgress | None = None
