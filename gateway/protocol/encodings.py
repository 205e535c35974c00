"""The two encodings of the messages, JSON and MessagePack, and which of them a reader is sent."""

from __future__ import annotations

import math
from enum import StrEnum
from functools import lru_cache

import msgspec


class Encoding(StrEnum):
    """How a message is written."""

    JSON = "json"
    MSGPACK = "msgpack"

    @property
    def media_type(self) -> str:
        """The name of the encoding in HTTP."""
        return _MEDIA_TYPES[self]

    @classmethod
    def of_media_type(cls, content_type: str | None) -> Encoding:
        """Return the encoding of an answer by its Content-Type; what is not MessagePack is read as JSON."""
        media_type = (content_type or "").partition(";")[0].strip().lower()
        return cls.MSGPACK if media_type == cls.MSGPACK.media_type else cls.JSON


_MEDIA_TYPES = {Encoding.JSON: "application/json", Encoding.MSGPACK: "application/msgpack"}

ACCEPT_BOTH = f"{_MEDIA_TYPES[Encoding.MSGPACK]}, {_MEDIA_TYPES[Encoding.JSON]};q=0.5"
"""The Accept of a reader who would rather have MessagePack."""


@lru_cache(maxsize=64)
def accepted(accept: str | None) -> Encoding:
    """Return the encoding that a reader prefers (RFC 9110, section 12.5.1).

    That is the one with the higher weight; of equal weights the one that is named more exactly; JSON where both are
    alike, and where the reader takes neither.

    Args:
        accept: the Accept of the request, ``None`` if there is none.
    """
    if accept is None or accept == "*/*":
        return Encoding.JSON
    ranges = [_range(item) for item in accept.lower().split(",")]
    json, msgpack = (_preference(each.media_type, ranges) for each in (Encoding.JSON, Encoding.MSGPACK))
    return Encoding.MSGPACK if msgpack > json and msgpack[0] > 0 else Encoding.JSON


def _range(item: str) -> tuple[str, float]:
    """Return a media range without its parameters, and its weight; 0 for a weight that is none."""
    media_range, *parameters = (part.strip() for part in item.split(";"))
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            try:
                weight = float(value)
            except ValueError:
                weight = math.nan
            return media_range, weight if 0 <= weight <= 1 else 0.0
    return media_range, 1.0


def _preference(media_type: str, ranges: list[tuple[str, float]]) -> tuple[float, int]:
    """Return the weight of a media type, which its most exact range has, and how exact that is."""
    family = media_type.partition("/")[0] + "/*"
    for exactness, name in ((3, media_type), (2, family), (1, "*/*")):
        weights = [weight for media_range, weight in ranges if media_range == name]
        if weights:
            return max(weights), exactness
    return 0.0, 0


def recoded(body: bytes) -> bytes:
    """Return a message in JSON as MessagePack; it has neither times nor results."""
    return msgspec.msgpack.encode(msgspec.json.decode(body))
