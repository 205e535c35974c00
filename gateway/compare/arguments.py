"""Refuses numbers that an argument cannot be, by the argument's name."""

from __future__ import annotations

import math

from gateway.compare.record import SMALLEST_RATE
from gateway.errors import RequestError


def check_number(
    field: str,
    value: object,
    *,
    above: float = -math.inf,
    below: float = math.inf,
    lowest: float = -math.inf,
    whole: bool = False,
) -> None:
    """Check an argument; ``None`` stands for one that was left out, and passes.

    Args:
        field: the argument's name.
        value: what was given.
        above: what the number has to be larger than.
        below: what it has to be smaller than.
        lowest: what it has to be at least.
        whole: whether it has to be an integer.

    Raises:
        RequestError: ``value`` is no such number; ``field`` names the argument.
    """
    if value is None:
        return
    if isinstance(value, int if whole else int | float) and not isinstance(value, bool):
        number = float(value) if abs(value) < 2**1000 else math.copysign(math.inf, value)
        if above < number < below and number >= lowest:
            return
    bounds = [f"from {lowest:,} on"] if lowest > -math.inf else []
    bounds += [f"above {above:g}"] if above > -math.inf else []
    bounds += [f"below {below:,}"] if below < math.inf else []
    kind = "whole number" if whole else "number"
    raise RequestError(f"{field} must be a {kind} {' and '.join(bounds)}, not {value!r:.100}", field=field)


def check_rate(false_alarm_rate: float) -> None:
    """Check a rate of false alarms.

    Raises:
        RequestError: it is no probability, or so small that no number of shots would show anything.
    """
    check_number("false_alarm_rate", false_alarm_rate, lowest=SMALLEST_RATE, below=1)
