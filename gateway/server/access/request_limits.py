"""Checks requests against the limits of a server, in the same way for every interface."""

from __future__ import annotations

from gateway.circuit import Limits
from gateway.errors import LimitError, RequestError
from gateway.protocol.messages import RunRequest, ServerLimits


def circuit_limits(limits: ServerLimits) -> Limits:
    """Return the limits of a server that are about circuits."""
    return Limits(limits.max_qubits, limits.max_clbits, limits.max_operations, text_bytes=limits.max_body_bytes)


def check_limits(message: RunRequest, limits: ServerLimits) -> float:
    """Check a request against the limits that need no parsing; return its deadline in seconds.

    Raises:
        RequestError, LimitError: the request is refused.
    """
    circuits = message.circuit_list()
    if not circuits:
        raise RequestError("the list of circuits is empty", field="circuits")
    for limit, requested, allowed in (
        ("max_circuits", len(circuits), limits.max_circuits),
        ("max_points", message.num_results if message.parameters else 0, limits.max_points),
        ("max_shots", max([shots or 0 for shots in message.shots_list()]), limits.max_shots),
        ("timeout_s", message.timeout_s or 0, limits.timeout_s),
    ):
        if requested > allowed:
            raise LimitError(
                f"{limit} is {allowed:,}, and the request asks for {requested:,}",
                limit=limit,
                requested=requested,
                allowed=allowed,
            )
    message.points()
    return message.timeout_s or limits.timeout_s
