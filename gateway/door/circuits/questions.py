"""What the process that answers requests asks those that look at texts."""

from __future__ import annotations

import msgspec

from gateway.protocol.door import CircuitInfo, CircuitRequest, Diagnostic, SimulatorInfo


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


class Time(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The question how long a run was estimated to take, without any factor.

    Args:
        openqasm: the circuit.
        shots: of the run.
        simulators: the names of the simulators.
    """

    openqasm: str
    shots: int
    simulators: tuple[str, ...]


def too_large() -> CircuitInfo:
    """Return what is said of a text that takes more memory than a process has for it."""
    message = "this text takes more memory than there is for looking at it: ask for fewer operations"
    return CircuitInfo(errors=(Diagnostic(message=message),))
