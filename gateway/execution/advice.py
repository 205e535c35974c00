"""Says what a run that took too long should ask less of: fewer shots only where they cost time."""

from __future__ import annotations

from gateway.circuit import Circuit, Limits
from gateway.circuit.needs import needs
from gateway.circuit.openqasm import read
from gateway.errors import GatewayError
from gateway.protocol.messages import RunRequest, decode
from gateway.results import Sampling

_MOST_BYTES = 2**20
"""Longer requests are not read once more for a piece of advice."""

_MOST_OPERATIONS = 10_000
"""Nor are texts that have more operations together, as short ones may: the server answers nobody else meanwhile."""

_ANY = "ask for less, or for a longer timeout_s"
_SMALLER = "ask for fewer qubits or operations, or for a longer timeout_s"
_FEWER_SHOTS = "ask for fewer shots or a longer timeout_s"
_FEWER_MEASUREMENTS = (
    "its measurements on the way lead to many different states: ask for fewer of them, for fewer qubits{shots}, or for "
    "a longer timeout_s"
)


def advice_on_time(body: bytes, *, runs_circuits: bool) -> str:
    """Return what the caller of a run that took too long should do.

    Args:
        body: the request.
        runs_circuits: whether one of our simulators ran it, and not a function of which nobody knows what costs time.
    """
    if not runs_circuits:
        return _FEWER_SHOTS
    if len(body) > _MOST_BYTES:
        return _ANY
    try:
        request = decode(RunRequest, body)
        given = request.circuit_list()
        limits = Limits(operations=_MOST_OPERATIONS // len(given))
        circuits = [each if isinstance(each, Circuit) else Circuit(*read(each, limits)) for each in given]
        shots = max([number or 0 for number in request.shots_list()])
    except GatewayError:  # it took too long for another reason
        return _ANY
    if shots and request.sampling is Sampling.NATIVE:
        return _FEWER_SHOTS
    if any(needs(circuit).dynamic is not None for circuit in circuits):
        return _FEWER_MEASUREMENTS.format(shots=" or shots" if shots else "")
    return _SMALLER
