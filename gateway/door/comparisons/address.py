"""Where a comparison finds a simulator."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from gateway.protocol.messages import BackendInfo


class SimulatorAddress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A simulator that the door knows.

    Args:
        url: the base URL of its server, ``http://cirq:8083``.
        token: the bearer token that is sent with each request.
        headers: other headers that are sent with each request.
        certificates: the path of a file or folder of certificates, which are trusted instead of the system's.
        info: what it said of itself last; ``None`` before it has answered once.
        reason: a sentence that says why it takes no work; empty if it does.
    """

    url: str
    token: str | None = None
    headers: dict[str, str] = {}
    certificates: str | None = None
    info: BackendInfo | None = None
    reason: str = ""


Addresses = Callable[[str], Mapping[str, SimulatorAddress]]
"""Returns at once name -> simulator in the door's order, for requests of the holder of a token, by the token's name."""
