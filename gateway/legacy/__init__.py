"""Interfaces for released clients of other projects.

Each interface is a room, a folder beside this file. Whoever does not want it deletes the folder; nothing else names it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from gateway.errors import RequestError
from gateway.legacy.room import Option, Room

if TYPE_CHECKING:
    from gateway.server.service import Interface

ROOMS: dict[str, Room] = {}
"""Name of a room -> the room."""

try:
    from gateway.legacy.qrisp import room as _qrisp
except ModuleNotFoundError as _error:
    if _error.name != "gateway.legacy.qrisp":
        raise
else:
    ROOMS[_qrisp.ROOM.name] = _qrisp.ROOM

__all__ = ["ROOMS", "Option", "Room", "open_interfaces"]


def open_interfaces(settings: Mapping[str, Mapping[str, object]], host: str) -> tuple[Interface, ...]:
    """Return the interface of every room; its sockets listen already.

    Args:
        settings: name of a room -> its settings; a room without settings has its defaults.
        host: address on which the sockets listen.

    Raises:
        RequestError: there is no such room, or it has no such setting.
        ServerStartError: a port is taken.
    """
    unknown = settings.keys() - ROOMS.keys()
    if unknown:
        names = ", ".join(ROOMS) or "none"
        raise RequestError(f"there is no interface {min(unknown)!r} for older clients: there are {names}")
    return tuple(room.open(settings.get(name, {}), host) for name, room in ROOMS.items())
