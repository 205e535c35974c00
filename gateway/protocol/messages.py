"""The messages of protocol version 1, decoded strictly.

Every message is a frozen struct. Decoding refuses an unknown field, a wrong type, and ``true``, ``"7"`` or ``1.5``
where an integer belongs. PROTOCOL.md explains the messages.
"""

from __future__ import annotations

import math
from datetime import datetime
from mmap import mmap
from typing import Annotated, TypeVar, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from gateway.circuit import Circuit
from gateway.circuit.points import Points, Template
from gateway.errors import LimitError, RequestError
from gateway.protocol.encodings import Encoding
from gateway.protocol.result_message import PackedResult, ResultMessage
from gateway.provenance import BIT_ORDER
from gateway.results import Capabilities, JobState, ResultType, Sampling
from gateway.run_details import NO_DETAILS, RunDetails
from gateway.version import PROTOCOL

Shots = Annotated[int, Meta(ge=1, description="how often the circuit is run")]
SEED_END = 2**32
Seed = Annotated[int, Meta(ge=0, lt=SEED_END, description="seed of the random generator")]
CircuitOrText = Circuit | str

DEFAULT_SHOTS = 1024
"""The shots of a request that does not state them and asks for no exact result."""


class RunRequest(RunDetails, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``POST /v1/run``. The fields of :class:`~gateway.run_details.RunDetails` hold for all circuits of a list.

    Args:
        circuits: one circuit or a list; each is OpenQASM 2 or 3 text, or a circuit as an object.
        shots: one number for all circuits, or one per circuit; null for exact results. By default 1024, or null
            if ``result`` is exact.
        seed: circuit number k of a list uses ``(seed + k) mod 2**32``; with null the server draws a seed.
        result: the result type; by default counts, or probabilities when shots is null.
        sampling: which sampler draws the shots.
        timeout_s: seconds until the run is killed, its wait for a worker included; the server's limit is the largest
            value and the default.
        parameters: parameter of the circuit -> its value in radians, or a list of values, one for each point at which
            the circuit is run; a number holds for all points. Point k uses the seed that circuit k of a list would.
    """

    circuits: CircuitOrText | list[CircuitOrText]
    shots: Shots | list[Shots] | None = cast("None", UNSET)
    seed: Seed | None = None
    result: ResultType | None = None
    sampling: Sampling = Sampling.AUTO
    timeout_s: Annotated[float, Meta(gt=0)] | None = None
    parameters: dict[str, float | list[float]] | None = None

    def __post_init__(self) -> None:
        if cast("UnsetType", self.shots) is UNSET:
            exact = self.result is not None and self.result.is_exact
            msgspec.structs.force_setattr(self, "shots", None if exact else DEFAULT_SHOTS)

    def details(self) -> RunDetails:
        """Return what the request asks for besides, as it is handed to what runs the circuits."""
        given = {name: getattr(self, name) for name in RunDetails.__struct_fields__}
        return RunDetails(**given) if any(value is not None for value in given.values()) else NO_DETAILS

    def circuit_list(self) -> list[CircuitOrText]:
        """Return the circuits as a list."""
        return self.circuits if isinstance(self.circuits, list) else [self.circuits]

    @property
    def is_list(self) -> bool:
        """Whether there is a list of results: for a list of circuits, and where a parameter has a list of values."""
        return isinstance(self.circuits, list) or any(isinstance(v, list) for v in (self.parameters or {}).values())

    @property
    def num_results(self) -> int:
        """The number of results, if the request is valid: one for each circuit, or for each point."""
        columns = (len(value) for value in (self.parameters or {}).values() if isinstance(value, list))
        return next(columns, len(self.circuit_list()))

    def points(self) -> Points | None:
        """Return the points at which the circuit is run, ``None`` where no parameter has a value.

        Raises:
            RequestError: there is no point, lists have different lengths, a value is not finite, or there is a list of
                circuits; ``field`` is ``parameters``.
        """
        if not self.parameters:
            return None
        if isinstance(self.circuits, list):
            raise _about_parameters(
                f"parameters are for one circuit, and this is a list of {len(self.circuits)}: send a request for each"
            )
        size = self.num_results
        if not size:
            raise _about_parameters("there is no point to run the circuit at: a parameter has an empty list of values")
        return Points({name: _column(name, value, size) for name, value in self.parameters.items()}, size)

    def shots_list(self) -> list[int | None]:
        """Return one number of shots per circuit.

        Raises:
            RequestError: the list of shots and the list of circuits have different lengths.
        """
        n = len(self.circuit_list())
        if not isinstance(self.shots, list):
            return [self.shots] * n
        if len(self.shots) != n:
            raise RequestError(f"{len(self.shots)} numbers of shots for {n} circuits", field="shots")
        return list(self.shots)


MOST_BOUND = 10_000_000
"""So many operations may the circuits have together that a machine without parameters gets in their place."""


def bound(request: RunRequest, circuit: Circuit, points: Points) -> RunRequest:
    """Return a request without parameters for one with them: one circuit for each point.

    Args:
        request: the request.
        circuit: its circuit.
        points: its points, which fit the circuit.

    Raises:
        LimitError: the circuits would be too large together.
    """
    total = points.size * len(circuit.operations)
    if total > MOST_BOUND and request.is_list:
        raise LimitError(
            f"this backend needs a circuit for each of {points.size:,} points, with {total:,} operations in all, and "
            f"{MOST_BOUND:,} are allowed: send fewer points at a time",
            limit="operations",
            requested=total,
            allowed=MOST_BOUND,
        )
    template = Template(circuit, points)
    circuits: list[CircuitOrText] = [template.at(point) for point in range(points.size)]
    (shots,) = request.shots_list()
    return msgspec.structs.replace(
        request, circuits=circuits if request.is_list else circuits[0], shots=shots, parameters=None
    )


def points_from(request: RunRequest, points: Points, begin: int, end: int) -> RunRequest:
    """Return a request for some points of another one, with the seeds that they have there.

    Args:
        request: the request.
        points: its points.
        begin: the first one of those.
        end: the one after the last.
    """
    part = points.part(begin, end)
    parameters: dict[str, float | list[float]] = {name: list(column) for name, column in part.columns.items()}
    seed = None if request.seed is None else (request.seed + begin) % SEED_END
    return msgspec.structs.replace(request, parameters=parameters, seed=seed)


def _column(name: str, value: float | list[float], size: int) -> list[float]:
    """Return the value of a parameter at each of so many points.

    Raises:
        RequestError: the list has another length, or a value is not finite.
    """
    if not isinstance(value, list):
        value = [value] * size
    if len(value) != size:
        raise _about_parameters(f"parameters have lists of different lengths: {size:,}, and {name!r} {len(value):,}")
    if not all(map(math.isfinite, value)):
        point = next(point for point, number in enumerate(value) if not math.isfinite(number))
        raise _about_parameters(f"the value of {name!r} at point {point} is not a finite number: {value[point]}")
    return value


def _about_parameters(message: str) -> RequestError:
    return RequestError(message, field="parameters")


class RunResponse(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to ``POST /v1/run``: one result per circuit or per point, in order."""

    results: list[ResultMessage]


def _limit(description: str, *, least: float = 0) -> Meta:
    """Return the documentation of a limit; ``least`` is 1 where a server with 0 could do nothing at all."""
    return Meta(ge=least, description=description)


class ServerLimits(msgspec.Struct, frozen=True, kw_only=True):
    """The limits of a server; ``GET /v1/backend`` shows all of them."""

    max_shots: Annotated[int, _limit("shots of a circuit", least=1)] = 10_000_000
    max_circuits: Annotated[int, _limit("circuits of a request", least=1)] = 1_000
    max_points: Annotated[int, _limit("points at which a request runs its circuit", least=1)] = 100_000
    max_body_bytes: Annotated[int, _limit("bytes of a request", least=1)] = 32 * 2**20
    max_result_bytes: Annotated[int, _limit("bytes of an answer with results", least=1)] = 256 * 2**20
    max_qubits: Annotated[int, _limit("qubits of a circuit")] = 4096
    max_clbits: Annotated[int, _limit("clbits of a circuit")] = 65_536
    max_operations: Annotated[int, _limit("operations of a circuit, after it was flattened")] = 1_000_000
    max_loop_iterations: Annotated[int, _limit("turns of a loop that depends on measurements", least=1)] = 10_000
    timeout_s: Annotated[float, _limit("seconds of a run", least=0.001)] = 600.0
    max_queue: Annotated[int, _limit("requests that wait for a worker")] = 32
    max_wait_s: Annotated[float, _limit("seconds that a request waits for a worker, within its timeout_s")] = 60.0
    max_polls: Annotated[int, _limit("requests that wait for the end of a job")] = 64
    max_poll_s: Annotated[float, _limit("seconds that a request waits for the end of a job")] = 60.0
    max_header_bytes: Annotated[int, _limit("bytes of a header of a request")] = 8190
    max_arrival_s: Annotated[float, _limit("seconds until a request has arrived whole", least=0.001)] = 30.0
    max_connections: Annotated[int, _limit("connections; the longest idle is closed for one more", least=1)] = 2_000
    least_bytes_per_s: Annotated[float, _limit("bytes per second in which a client takes an answer, at least")] = 1024.0
    max_queued_circuits: Annotated[int, _limit("circuits of jobs that wait")] = 100_000
    keep_jobs_s: Annotated[float, _limit("seconds that a job is kept after its end")] = 7 * 86_400.0
    keep_jobs_bytes: Annotated[int, _limit("bytes of ended jobs that are kept in all")] = 2**30
    keep_owner_bytes: (
        Annotated[int, _limit("bytes of one owner's jobs; half of keep_jobs_bytes, or all of it without tokens")] | None
    ) = None
    keep_unfetched_s: Annotated[float, _limit("seconds that results are kept at least that nobody fetched")] = 3600.0
    worker_memory_bytes: Annotated[int, _limit("bytes that a worker process may hold; no limit by default")] | None = (
        None
    )
    runs_per_worker: Annotated[int, _limit("runs after which a worker is replaced", least=1)] = 10_000


class BackendInfo(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /v1/backend``.

    Args:
        name: the name of the simulator in the registry, or of a function's or a backend's server.
        version: the version of the framework.
        gateway_version: the version of the server.
        protocol: the major version of this protocol.
        bit_order: always ``clbit0-rightmost``.
        capabilities: what the simulator can do.
        gates: the gates that the server accepts.
        native_gates: the gates that the simulator runs without lowering.
        limits: bounds that no request may exceed.
        online: whether the server takes work; a function's server asks its ``ping_func``.
        status: the text that the ``ping_func`` returned, if any.
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


class JobProgress(msgspec.Struct, frozen=True):
    """The number of circuits of a job that have an answer, and the number of all its circuits."""

    done: int
    total: int


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """Problem details (RFC 9457); the code decides which further fields there are.

    Args:
        type: the code as a URI.
        title: what the code means.
        status: the status of HTTP.
        detail: what is wrong, and what would help.
        code: a stable name, by which a client tells errors apart.
        circuit: the number of the circuit in a list, where that applies.
    """

    type: str
    title: str
    status: int
    detail: str
    code: str
    circuit: int | None = None


class JobInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``POST /v1/jobs``, ``GET /v1/jobs/{id}``; with ``results=false`` it has sizes in the place of results.

    Args:
        id: an id that nobody can guess.
        state: queued, running, done, failed or cancelled.
        is_list: whether the request had a list of circuits.
        progress: how many of its circuits have an answer.
        created_at: when the server accepted the job; all times are UTC.
        started_at: when its first circuit began.
        ended_at: when its last circuit had its answer, or the job was cancelled.
        results: once the job has ended, one result per circuit, in order; null where there is none.
        errors: once the job has ended, the problems of the circuits that failed; ``circuit`` is the number of the
            circuit, if the request had a list.
        result_bytes: once the job has ended, and without its results: the bytes of all its answers.
        failures: once the job has ended, and without its results: the number of circuits that failed.
    """

    id: str
    state: JobState
    is_list: bool
    progress: JobProgress
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    results: list[ResultMessage | None] | None = None
    errors: list[Problem] | None = None
    result_bytes: int | None = None
    failures: int | None = None


class ReceivedJob(JobInfo, frozen=True, kw_only=True):
    """A JobInfo as a client reads it; problems keep all their fields."""

    errors: list[msgspec.Raw] | None = None  # type: ignore[assignment]  # the same on the wire


class PackedResponse(RunResponse, frozen=True, kw_only=True):
    """A RunResponse in MessagePack."""

    results: list[PackedResult]  # type: ignore[assignment]  # the same but for its arrays


class PackedJobInfo(JobInfo, frozen=True, kw_only=True, omit_defaults=True):
    """A JobInfo in MessagePack."""

    results: list[PackedResult | None] | None = None  # type: ignore[assignment]  # the same but for its arrays


class PackedJob(ReceivedJob, frozen=True, kw_only=True):
    """A ReceivedJob as a client reads it from MessagePack; its problems become JSON, as they are elsewhere."""

    results: list[PackedResult | None] | None = None  # type: ignore[assignment]  # the same but for its arrays

    def __post_init__(self) -> None:
        if self.errors is not None:
            problems = [msgspec.Raw(msgspec.json.encode(msgspec.msgpack.decode(problem))) for problem in self.errors]
            msgspec.structs.force_setattr(self, "errors", problems)


class JobList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``GET /v1/jobs``: the newest first, without results; ``before=`` with ``next`` asks for the next page."""

    jobs: list[JobInfo]
    next: str | None = None


class RawResponse(msgspec.Struct, frozen=True):
    """A RunResponse whose results stay undecoded."""

    results: list[msgspec.Raw]


class Health(msgspec.Struct, frozen=True):
    """The answer ``ok`` to ``GET /healthz``, or ``ready`` to ``GET /readyz``."""

    status: str = "ok"


M = TypeVar("M")
_PACKED: dict[type, type] = {RunResponse: PackedResponse, ReceivedJob: PackedJob}
"""Message with results -> how it is read from MessagePack."""

IN_MESSAGEPACK: dict[type, type] = {RunResponse: PackedResponse, JobInfo: PackedJobInfo}
"""Message with results -> how it stands in MessagePack; the other messages are the same in both encodings."""

_Decoder = msgspec.json.Decoder[object] | msgspec.msgpack.Decoder[object]
_DECODERS: dict[tuple[type, Encoding], _Decoder] = {}


def encode(message: object, encoding: Encoding = Encoding.JSON) -> bytes:
    """Return a message as JSON, or in another encoding; of messages with results, the runner writes those."""
    return msgspec.json.encode(message) if encoding is Encoding.JSON else msgspec.msgpack.encode(message)


def decode(kind: type[M], body: bytes | mmap, encoding: Encoding = Encoding.JSON) -> M:
    """Decode a message strictly.

    Raises:
        RequestError: the body is not of this encoding, or not this message; the error says where.
    """
    decoder = _DECODERS.get((kind, encoding))
    if decoder is None:
        decoder = _DECODERS[kind, encoding] = _decoder(kind, encoding)
    try:
        return cast("M", decoder.decode(body))
    except msgspec.ValidationError as exc:
        raise _refusal(exc, kind, body, encoding) from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise RequestError(f"the body is not {_NAMES[encoding]}: {exc}") from exc


_NAMES = {Encoding.JSON: "JSON", Encoding.MSGPACK: "MessagePack"}


def _decoder(kind: type, encoding: Encoding) -> _Decoder:
    if encoding is Encoding.JSON:
        return msgspec.json.Decoder(kind)
    return msgspec.msgpack.Decoder(_PACKED.get(kind, kind))


def _refusal(exc: msgspec.ValidationError, kind: type, body: bytes | mmap, encoding: Encoding) -> RequestError:
    from gateway.protocol.refusals import UNKNOWN, refusal  # noqa: PLC0415 - only a refusal needs it

    try:
        message = msgspec.json.decode(body) if encoding is Encoding.JSON else msgspec.msgpack.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):  # a number no computer holds, for one
        message = UNKNOWN
    whole = "the request" if kind is RunRequest else f"the {kind.__name__}"
    return refusal(exc, kind, message, whole=whole)
