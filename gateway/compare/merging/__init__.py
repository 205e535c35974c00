"""Two comparisons put together.

Whichever is merged into the other, the verdicts are the same: what either has against a simulator stays. Counts are
added up and tested anew; a run that both have, known by its seed and its counts, is counted once. Runs of other numbers
of shots with the same seed have shots in common, too: the longest is added, and the others are tested by themselves.
"""

from gateway.compare.merging.cases import merged

__all__ = ["merged"]
