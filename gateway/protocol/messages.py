"""The messages of protocol version 1, decoded strictly.

Every message is a frozen struct; an unknown field, a wrong type, ``true`` or ``"7"`` or ``1.5``
where an integer belongs is refused. See PROTOCOL.md for their meaning.
"""

from __future__ import annotations

from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from gateway.circuit import Circuit
from gateway.counts import BIT_ORDER
from gateway.errors import RequestError
from gateway.results import Capabilities, Result, ResultType, Sampling
from gateway.version import PROTOCOL

Shots = Annotated[int, Meta(ge=1, description="how often the circuit is run")]
Seed = Annotated[int, Meta(ge=0, lt=2**32, description="seed of the random generator")]
CircuitOrText = Circuit | str

DEFAULT_SHOTS = 1024


class RunRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``POST /v1/run``.

    Args:
        circuits: one circuit or a list; each OpenQASM 2 or 3 text, or a circuit as an object.
        shots: for all circuits, or one number per circuit; null for exact results.
        seed: circuit number k of a list uses ``(seed + k) mod 2**32``; null draws one.
        result: by default counts, or probabilities when shots is null.
        sampling: who draws the shots.
        timeout_s: seconds until the run is killed; at most, and by default, the server's limit.
    """

    circuits: CircuitOrText | list[CircuitOrText]
    shots: Shots | list[Shots] | None = DEFAULT_SHOTS
    seed: Seed | None = None
    result: ResultType | None = None
    sampling: Sampling = Sampling.AUTO
    timeout_s: Annotated[float, Meta(gt=0)] | None = None

    def circuit_list(self) -> list[CircuitOrText]:
        """Return the circuits as a list."""
        return self.circuits if isinstance(self.circuits, list) else [self.circuits]

    def shots_list(self) -> list[int | None]:
        """Return one number of shots per circuit.

        Raises:
            RequestError: a list of another length than the circuits'.
        """
        n = len(self.circuit_list())
        if not isinstance(self.shots, list):
            return [self.shots] * n
        if len(self.shots) != n:
            raise RequestError(f"{len(self.shots)} numbers of shots for {n} circuits", field="shots")
        return list(self.shots)


class RunResponse(msgspec.Struct, frozen=True, kw_only=True):
    """What ``POST /v1/run`` answers: one result per circuit, in order."""

    results: list[Result]


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """What a server accepts; all of it visible in ``GET /v1/backend``.

    ``timeout_s`` is the longest run; ``max_queue`` requests may wait for a worker, ``max_wait_s``
    seconds each, which do not count as part of the run.
    """

    max_shots: int = 10_000_000
    max_circuits: int = 1_000
    max_body_bytes: int = 32 * 2**20
    max_qubits: int = 4096
    max_clbits: int = 65_536
    max_operations: int = 1_000_000
    timeout_s: float = 600.0
    max_queue: int = 32
    max_wait_s: float = 60.0


class BackendInfo(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /v1/backend``.

    Args:
        name: the simulator's name in the registry, or the name a function's server was given.
        version: of the framework.
        gateway_version: of the server.
        protocol: major version of this protocol.
        bit_order: always ``clbit0-rightmost``.
        capabilities: what it can do.
        gates: the gates it accepts.
        native_gates: those it runs without lowering.
        limits: what it refuses to exceed.
        online: whether it takes work; a function's server asks its ``ping_func``.
        status: what the ``ping_func`` said, if it said anything.
    """

    name: str
    version: str
    gateway_version: str
    capabilities: Capabilities
    gates: list[str]
    native_gates: list[str]
    limits: ServerLimits = ServerLimits()
    protocol: str = PROTOCOL
    bit_order: str = BIT_ORDER
    online: bool = True
    status: str | None = None


class Health(msgspec.Struct, frozen=True):
    """``GET /healthz``: ``ok``, the process answers; ``GET /readyz``: ``ready``, so does the simulator."""

    status: str = "ok"


M = TypeVar("M")
_DECODERS: dict[type, msgspec.json.Decoder[object]] = {}


def encode(message: object) -> bytes:
    """Return a message as JSON."""
    return msgspec.json.encode(message)


def decode(kind: type[M], body: bytes) -> M:
    """Read a message strictly.

    Raises:
        RequestError: it is not JSON, or not this message; the text says where.
    """
    decoder = _DECODERS.get(kind)
    if decoder is None:
        decoder = _DECODERS[kind] = msgspec.json.Decoder(kind)
    try:
        return decoder.decode(body)  # type: ignore[return-value]
    except msgspec.ValidationError as exc:
        text, _, where = str(exc).partition(" - at ")
        field = where.strip("`").removeprefix("$.") or None
        raise RequestError(f"{text}{f' in {field}' if field else ''}", field=field) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise RequestError(f"the body is not JSON: {exc}") from exc
