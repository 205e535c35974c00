"""Sizes and durations as people write them: ``2g``, ``512m``, ``90``, ``10m``, ``7d``."""

from __future__ import annotations

import math
import re

from gateway.errors import RequestError

_AMOUNT = re.compile(r"(\d+(?:\.\d*)?|\.\d+)\s*([a-z]*)", re.IGNORECASE | re.ASCII)
_BYTES = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30, "t": 2**40}
_LARGEST = 2**60
"""More bytes than any machine has, and few enough for every limit that a system can set."""

_SWITCHES = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
_SECONDS = {"": 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def parse_bytes(size: str | int, name: str = "memory") -> int:
    """Return a number of bytes.

    Args:
        size: bytes, or a text such as ``2g``, ``512m``, ``1.5GiB``; units are powers of 1024, as Docker's.
        name: what the size describes, for the error.

    Raises:
        RequestError: the size is written in another way, or is not a whole number of bytes above 0.
    """
    amount: float = size if isinstance(size, int) and not isinstance(size, bool) else 0
    if isinstance(size, str) and (match := _AMOUNT.fullmatch(size.strip())):
        unit = match[2].lower()
        amount = float(match[1]) * _BYTES.get(unit if unit in _BYTES else unit.removesuffix("b").removesuffix("i"), 0)
    if not 1 <= amount <= _LARGEST or amount != int(amount):
        raise RequestError(f"{name} must be a number of bytes or a size such as 512m or 2g, not {size!r}", field=name)
    return int(amount)


def parse_seconds(duration: str | float, name: str = "timeout_s") -> float:
    """Return a number of seconds.

    Args:
        duration: seconds, or a text such as ``90``, ``1.5``, ``500ms``, ``10m``, ``2h``, ``7d``.
        name: what the duration describes, for the error.

    Raises:
        RequestError: the duration is written in another way, or is not above 0.
    """
    seconds = float(duration) if isinstance(duration, int | float) and not isinstance(duration, bool) else 0.0
    if isinstance(duration, str) and (match := _AMOUNT.fullmatch(duration.strip())):
        seconds = float(match[1]) * _SECONDS.get(match[2].lower(), 0)
    if not 0 < seconds < math.inf:
        raise RequestError(
            f"{name} must be a number of seconds or a duration such as 90s, 10m or 2h, not {duration!r}", field=name
        )
    return seconds


def parse_switch(text: str) -> bool | None:
    """Return whether a word such as ``yes``, ``true``, ``on`` or ``1`` switches something on; ``None`` for others."""
    return _SWITCHES.get(text.strip().lower())
