"""What a door knows of simulators, made from their rows, so that no server is needed."""

from __future__ import annotations

from gateway.protocol.door import SimulatorInfo, SimulatorState
from gateway.protocol.messages import BackendInfo, ServerLimits
from gateway.results import Capabilities
from gateway.simulators import SIMULATORS


def known(name: str, *, limits: ServerLimits | None = None, capabilities: Capabilities | None = None) -> SimulatorInfo:
    """Return what a door knows of a simulator that is ready."""
    backend = BackendInfo(
        name=name,
        version="1.0",
        gateway_version="1.0",
        capabilities=capabilities or SIMULATORS[name].capabilities,
        gates=[],
        native_gates=[],
        limits=limits or ServerLimits(),
    )
    return SimulatorInfo(name=name, state=SimulatorState.READY, backend=backend)


def all_known() -> tuple[SimulatorInfo, ...]:
    """Return what a door knows of all simulators of the registry, all of them ready."""
    return tuple(map(known, SIMULATORS))
