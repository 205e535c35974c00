"""From a difference between two simulators to the smallest circuit that shows it, and a bug report."""

from __future__ import annotations

from gateway.compare.reproducer.bug_report import bug_report
from gateway.compare.reproducer.location import Located, locate
from gateway.compare.reproducer.reduction import reduce

__all__ = ["Located", "bug_report", "locate", "reduce"]
