"""What the comparison found of a wrong simulator."""

from __future__ import annotations

from dataclasses import dataclass

from proofs.real_faults.catalogue import Fault

from gateway.compare import Reproducer, Row
from gateway.compare.record import Verdict

LARGEST = 10
"""No reproducer may have more operations."""

NOTHING = "nothing named"


@dataclass(frozen=True, slots=True)
class Found:
    """What the comparison found of a wrong simulator.

    Args:
        fault: the fault.
        row: the comparison's row for the wrong simulator.
        right: its row for the right one.
        reproducer: the reduced circuit, if the wrong simulator differs.
        seconds: that comparing and reducing took together.
    """

    fault: Fault
    row: Row
    right: Row
    reproducer: Reproducer | None
    seconds: float

    @property
    def named(self) -> str:
        """The cause that is named first, or that none is."""
        return self.row.causes[0].name if self.row.causes else NOTHING

    @property
    def holds(self) -> bool:
        """Whether it was caught, named as it should be, and reduced, and the right simulator was not accused."""
        caught = self.row.verdict is Verdict.DIFFERS and self.right.verdict is Verdict.AGREES
        named = self.named in (self.fault.causes or (NOTHING,))
        return caught and named and self.reproducer is not None and self.reproducer.operations <= LARGEST
