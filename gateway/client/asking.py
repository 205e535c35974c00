"""Turns the arguments of a comparison into the request that a gateway takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from gateway.backends.base import CircuitLike
from gateway.compare.circuits import named_circuits
from gateway.compare.options import check_options
from gateway.errors import RequestError
from gateway.noise import NoiseModel
from gateway.protocol.door import ComparisonRequest, NamedText
from gateway.protocol.messages import decode, encode
from gateway.results import Sampling

Circuits = CircuitLike | Sequence[CircuitLike] | Mapping[str, CircuitLike]
"""A circuit as :meth:`Backend.run` takes it, a list of them, or a mapping from name to circuit."""


_UNCHECKED = frozenset({"exact", "side_by_side", "sampling", "reproduce"})
"""Options that are checked as fields of the message alone."""


class Options(TypedDict, total=False):
    """The arguments of :func:`gateway.compare.compare` that a gateway takes as they are."""

    shots: int | None
    resolution: float | None
    seed: int | None
    repeat: int
    false_alarm_rate: float
    exact: bool
    side_by_side: bool
    sampling: Sampling | str
    noise: NoiseModel | None
    timeout_s: float | None
    time_limit_s: float | None
    reproduce: bool


def body_of(circuits: Circuits, simulators: Sequence[str] | str | None, options: Mapping[str, object]) -> bytes:
    """Return the body of a request.

    Args:
        circuits: the circuits; all that are no text become OpenQASM 3 here.
        simulators: the names of simulators, as a list or separated by commas; ``None`` for all.
        options: the other fields of the request.

    Raises:
        RequestError: an argument has a wrong type or value.
        CircuitError, UnsupportedError, LimitError: a circuit is refused.
    """
    named = named_circuits(circuits)
    check_options(named, **{name: value for name, value in options.items() if name not in _UNCHECKED})  # type: ignore[arg-type]  # it checks
    texts = tuple(NamedText(name=each.name, openqasm=each.text) for each in named)
    try:
        given = encode({"circuits": texts, "simulators": _names(simulators), **options})
    except TypeError as exc:
        raise RequestError(f"an argument has a value that no message holds: {exc}") from exc
    return encode(decode(ComparisonRequest, given))


def _names(simulators: Sequence[str] | str | None) -> tuple[str, ...] | None:
    """Return the names of simulators.

    Raises:
        RequestError: there is none, or it is given otherwise.
    """
    if simulators is None:
        return None
    given = [simulators] if isinstance(simulators, str) else simulators
    if not isinstance(given, Sequence) or not all(isinstance(name, str) for name in given):
        raise RequestError(f"simulators are given by their names, not as {simulators!r:.100}", field="simulators")
    names = tuple(part.strip() for text in given for part in text.split(",") if part.strip())
    if not names:
        raise RequestError("there is no simulator: name one, or leave the argument out for all", field="simulators")
    return names
