"""What stands around the results of a RunResponse, so that each can be written, kept and sent by itself."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from gateway.protocol.encodings import Encoding
from gateway.protocol.messages import RunResponse


class Frame(NamedTuple):
    """What stands before the first result, between two of them, and after the last."""

    beginning: bytes
    separator: bytes
    end: bytes


_JSON = Frame(msgspec.json.encode(RunResponse(results=[])).split(b"]")[0], b",", b"]}")
_PACKED_BEGINNING = msgspec.msgpack.encode(RunResponse(results=[]))[:-1]

_MOST_IN_ONE_BYTE, _MOST_IN_TWO_BYTES = 15, 2**16 - 1


def frame(number: int, encoding: Encoding) -> Frame:
    """Return the frame of so many results."""
    return _JSON if encoding is Encoding.JSON else Frame(_PACKED_BEGINNING + head_of_list(number), b"", b"")


def head_of_list(number: int) -> bytes:
    """Return what stands before the items of a list in MessagePack."""
    if number <= _MOST_IN_ONE_BYTE:
        return bytes([0x90 | number])
    if number <= _MOST_IN_TWO_BYTES:
        return b"\xdc" + number.to_bytes(2, "big")
    return b"\xdd" + number.to_bytes(4, "big")
