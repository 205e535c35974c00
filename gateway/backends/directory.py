"""What is behind a URL: a gateway with its simulators, or a server of one simulator, or neither."""

from __future__ import annotations

from contextlib import closing

from gateway.backends.access import Access
from gateway.backends.transport import Transport
from gateway.protocol import door
from gateway.protocol.door import DoorInfo, SimulatorList

_PATIENCE_S = 60.0
_ABSENT = frozenset({404, 405, 501})
"""The statuses with which a server says that it does not know a request."""


def is_gateway(access: Access) -> bool:
    """Return whether a gateway answers at a URL; a server of one simulator does not know what is asked.

    Raises:
        GatewayError: it refuses the request for another reason, such as a wrong token.
        TransportError: nobody answers, or something that is neither.
    """
    with closing(Transport(access)) as transport:
        return _is_gateway(transport)


def simulators_behind(access: Access) -> SimulatorList | None:
    """Return the simulators behind a gateway; ``None`` if no gateway answers at the URL.

    Raises:
        GatewayError, TransportError: see :func:`is_gateway`.
    """
    with closing(Transport(access)) as transport:
        return transport.call(SimulatorList, door.SIMULATORS, _PATIENCE_S) if _is_gateway(transport) else None


def _is_gateway(transport: Transport) -> bool:
    answer = transport.ask(door.DOOR, _PATIENCE_S)
    if answer.status in _ABSENT:
        return False
    if answer.status != door.DOOR.status:
        raise answer.error()
    answer.message(DoorInfo)
    return True
