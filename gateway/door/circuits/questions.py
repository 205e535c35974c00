"""What the process that answers requests asks those that look at texts."""

from __future__ import annotations

import msgspec

from gateway.door.comparisons.kept import Kept
from gateway.protocol.door import CircuitRequest, SimulatorInfo


class Look(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The question what a text is.

    Args:
        request: the request.
        simulators: what is known of the simulators.
        factors: simulator -> by which factor its runs take longer than they are estimated to.
    """

    request: CircuitRequest
    simulators: tuple[SimulatorInfo, ...]
    factors: dict[str, float]


class Learn(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The question how long the runs of a comparison took, and were estimated to take without any factor.

    Args:
        record: of the comparison.
    """

    record: Kept


class Took(msgspec.Struct, frozen=True):
    """How long a run took.

    Args:
        simulator: the name of the simulator.
        estimated_s: seconds that it was estimated to take.
        seconds: that it took.
    """

    simulator: str
    estimated_s: float
    seconds: float
