"""The same circuit on many simulators: statistics and report."""

from gateway.compare.comparison import Comparison, Row, compare

__all__ = ["Comparison", "Row", "compare"]
