"""Splits the request of a job into one request for each of its circuits."""

from __future__ import annotations

import msgspec

from gateway.execution.runner import SEED_END
from gateway.protocol.messages import RunRequest, encode


def split(request: RunRequest, body: bytes) -> list[bytes]:
    """Return a request for each circuit, with the shots and the seed that the circuit has in the list."""
    if not isinstance(request.circuits, list):
        return [body]
    seeds = [None if request.seed is None else (request.seed + k) % SEED_END for k in range(len(request.circuits))]
    return [
        encode(msgspec.structs.replace(request, circuits=circuit, shots=shots, seed=seed))
        for circuit, shots, seed in zip(request.circuits, request.shots_list(), seeds, strict=True)
    ]
