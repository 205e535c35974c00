"""What a door knows of simulators, made from their rows, so that no server is needed."""

from __future__ import annotations

from typing import Any

from gateway.protocol.door import SimulatorInfo, SimulatorState
from gateway.protocol.messages import BackendInfo, ServerLimits
from gateway.results import Capabilities, ResultType
from gateway.simulators import SIMULATORS


def counting(name: str = "qulacs", version: str = "0.6", **fields: Any) -> BackendInfo:
    """Return what a server says of itself that only counts shots."""
    able = Capabilities(result_types=(ResultType.COUNTS,))
    return BackendInfo(
        name=name, version=version, gateway_version="1.0", capabilities=able, gates=[], native_gates=[], **fields
    )


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
