"""Converts the values of arguments, such as ``90s`` and ``2g``, to numbers."""

from __future__ import annotations

import argparse

from gateway.errors import GatewayError, RequestError
from gateway.units import parse_bytes, parse_seconds

RUNTIMES = ("auto", "docker", "local")


class UsageError(GatewayError, ValueError):
    """The command line, the environment or a file of settings contains something invalid."""


def duration(text: str) -> float:
    """Return the number of seconds in a text such as ``90``, ``90s``, ``10m`` or ``2h``."""
    try:
        return parse_seconds(text, "a duration")
    except RequestError as exc:
        raise argparse.ArgumentTypeError(exc.message) from exc


def size(text: str) -> int:
    """Return the number of bytes in a text such as ``512m`` or ``2g``."""
    try:
        return parse_bytes(text, "a size")
    except RequestError as exc:
        raise argparse.ArgumentTypeError(exc.message) from exc
