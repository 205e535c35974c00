"""The messages and the table of endpoints of the door, the gateway's own service in front of all simulators."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated
from urllib.parse import quote

import msgspec
from msgspec import Meta

from gateway.noise import NoiseModel
from gateway.protocol import endpoints
from gateway.protocol.endpoints import (
    BEFORE,
    DOCS,
    EXAMPLE,
    IDEMPOTENCY_KEY,
    LIMIT,
    WAIT_S,
    Endpoint,
    Parameter,
)
from gateway.protocol.messages import BackendInfo, Health, Problem, Seed, Shots
from gateway.protocol.openapi import Api
from gateway.results import Sampling
from gateway.rights import Right

Number = Annotated[int, Meta(ge=0)]
Seconds = Annotated[float, Meta(ge=0)]


# ---------------------------------------------------------------------------- simulators


class SimulatorState(StrEnum):
    """Whether a simulator takes work."""

    READY = "ready"
    STARTING = "starting"
    """Its server answers, and has not imported the simulator yet."""
    DOWN = "down"
    """Nobody answers, or something that is no simulator."""


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """What a simulator has to do.

    Args:
        running: circuits that are simulated.
        waiting: requests and circuits of jobs that wait for a worker.
        workers: the processes that simulate.
    """

    running: Number = 0
    waiting: Number = 0
    workers: Number = 0


class SimulatorInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One simulator behind the door.

    Args:
        name: the simulator's name, as in ``/v1/simulators/{name}/...``.
        distribution: the Python distribution whose version its backend states, such as ``cirq-core``; empty for
            simulators that the gateway does not know.
        state: whether it takes work.
        reason: a sentence that says why it does not, and what would help; empty if it does.
        since: when it came into this state, in UTC.
        load: what it has to do; absent where it does not say.
        backend: what the simulator says of itself: version, capabilities, limits; absent until it has answered once.
    """

    name: str
    distribution: str = ""
    state: SimulatorState
    reason: str = ""
    since: datetime | None = None
    load: Load | None = None
    backend: BackendInfo | None = None


class SimulatorList(msgspec.Struct, frozen=True, kw_only=True):
    """``GET /v1/simulators``: every simulator that the door was told of, in its order; one that is down as well."""

    simulators: tuple[SimulatorInfo, ...]


# ---------------------------------------------------------------------------- circuits


class CircuitRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``POST /v1/circuits``.

    Args:
        openqasm: OpenQASM 2 or 3.
        shots: of each simulator; chooses what ``detectable`` says. ``null`` for exact results.
        resolution: the total variation distance to find, 99 times in 100: chooses the shots instead.
        drawing: whether the answer has the drawing.
        editor: names the place where somebody types, such as a window of a browser: a later request with the same
            name makes an earlier one pointless, which is then answered with ``job-cancelled`` unless it has its answer.
    """

    openqasm: str
    shots: Shots | None = 10_000
    resolution: Annotated[float, Meta(gt=0, lt=1)] | None = None
    drawing: bool = True
    editor: Annotated[str, Meta(max_length=64)] = ""


class Diagnostic(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An error in a text.

    Args:
        message: what is wrong and what would help, as one sentence.
        line: of the text, from 1.
        column: of the first character concerned, from 1.
        end_column: of the character after the last one concerned.
    """

    message: str
    line: Number = 0
    column: Number = 0
    end_column: Number = 0


class Estimate(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a circuit would cost on one simulator.

    Args:
        simulator: its name.
        runs: whether the simulator can run the circuit as it is served here.
        reason: a sentence that says why it cannot.
        exact: whether it would give exact results too.
        seconds: how long a run would take, roughly; absent where nobody knows.
        memory_bytes: the memory that a run would need, roughly; absent where nobody knows.
    """

    simulator: str
    runs: bool = True
    reason: str = ""
    exact: bool = False
    seconds: float | None = None
    memory_bytes: int | None = None


class CircuitInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the door says about a text; with errors there is nothing else.

    Args:
        errors: what is wrong with the text, in the order of its lines.
        num_qubits: of the circuit.
        num_clbits: of the circuit.
        operations: the number of its operations.
        depth: its depth.
        parameters: the names of parameters without a value.
        drawing: an SVG in one row without styles of its own; its classes are those of the sheet that pages share, and
            ``data-columns`` has the middle of each column, in pixels from the left.
        columns: the number of columns of the drawing.
        remark: a sentence about what of a large circuit is not drawn.
        estimates: one for each simulator, in the order of the list of simulators.
        shots: those that the resolution takes; absent without one, and where nobody knows.
        detectable: the total variation distance that these shots find, 99 times in 100; absent where nobody knows.
        note: a sentence about what these shots find.
    """

    errors: tuple[Diagnostic, ...] = ()
    num_qubits: Number = 0
    num_clbits: Number = 0
    operations: Number = 0
    depth: Number = 0
    parameters: tuple[str, ...] = ()
    drawing: str = ""
    columns: Number = 0
    remark: str = ""
    estimates: tuple[Estimate, ...] = ()
    shots: int | None = None
    detectable: float | None = None
    note: str = ""


# ---------------------------------------------------------------------------- comparisons


def _limit(description: str, *, least: float = 0) -> Meta:
    return Meta(ge=least, description=description)


class ComparisonLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a comparison may not exceed, and how long comparisons are kept."""

    max_queued: Annotated[int, _limit("comparisons that wait, of which one caller may have half", least=1)] = 2_000
    max_queued_bytes: Annotated[int, _limit("bytes of the requests that wait", least=1)] = 256 * 2**20
    max_circuits: Annotated[int, _limit("circuits of a comparison", least=1)] = 100
    max_repeat: Annotated[int, _limit("repetitions of each circuit of a comparison", least=1)] = 1_000
    max_text_bytes: Annotated[int, _limit("bytes of all circuits of a comparison", least=1)] = 8 * 2**20
    max_record_bytes: Annotated[int, _limit("bytes of a record", least=1)] = 256 * 2**20
    check_s: Annotated[float, _limit("seconds that reading the circuits of a comparison may take", least=0.001)] = 20.0
    comparison_s: Annotated[float, _limit("seconds after which a comparison is ended", least=0.001)] = 3600.0
    end_within_s: Annotated[
        float, _limit("seconds that a comparison has to save what has finished when it is ended", least=0.001)
    ] = 20.0
    process_memory_bytes: (
        Annotated[int, _limit("bytes that the process of a comparison may hold; no limit by default")] | None
    ) = None
    keep_number: Annotated[int, _limit("comparisons that are kept after their end", least=1)] = 10_000
    keep_bytes: Annotated[int, _limit("bytes of comparisons that are kept after their end")] = 2**30
    keep_s: Annotated[float, _limit("seconds that a comparison is kept after its end")] = 90 * 86_400.0


class NamedText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A circuit of a comparison.

    Args:
        name: its name, such as that of its file.
        openqasm: OpenQASM 2 or 3.
    """

    name: Annotated[str, Meta(min_length=1, max_length=255)]
    openqasm: str


class ComparisonRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """``POST /v1/comparisons``; the fields are the arguments of :func:`gateway.compare.compare`.

    Args:
        circuits: one or several, with different names.
        simulators: their names; ``null`` for all that are ready and can run the circuits.
        shots: on each simulator; 10,000 unless a resolution chooses them.
        resolution: the total variation distance to find, 99 times in 100: chooses the shots.
        seed: of the first run on each simulator; each draws its own by default.
        repeat: how often each circuit is run.
        false_alarm_rate: the probability that any right simulator is said to differ.
        exact: whether exact results are compared too, where simulators have them.
        side_by_side: whether all simulators run at the same time; their times can then not be compared.
        sampling: which sampler draws the shots.
        noise: of every run.
        timeout_s: seconds that one run may take.
        time_limit_s: seconds that all runs together may take.
        reproduce: whether a circuit on which a simulator differs is reduced to the smallest that shows it.
    """

    circuits: Annotated[tuple[NamedText, ...], Meta(min_length=1)]
    simulators: Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    shots: Shots | None = None
    resolution: Annotated[float, Meta(gt=0, lt=1)] | None = None
    seed: Seed | None = None
    repeat: Annotated[int, Meta(ge=1)] = 1
    false_alarm_rate: Annotated[float, Meta(gt=0, lt=1)] = 1e-6
    exact: bool = True
    side_by_side: bool = False
    sampling: Sampling = Sampling.AUTO
    noise: NoiseModel | None = None
    timeout_s: Annotated[float, Meta(gt=0)] | None = None
    time_limit_s: Annotated[float, Meta(gt=0)] | None = None
    reproduce: bool = True


class ComparisonState(StrEnum):
    """How far a comparison is."""

    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    """There is no record, only an error."""
    CANCELLED = "cancelled"
    """Of what had finished there is a record."""

    @property
    def is_final(self) -> bool:
        """Whether nothing will change any more."""
        return self in {ComparisonState.FINISHED, ComparisonState.FAILED, ComparisonState.CANCELLED}


class SimulatorProgress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far one simulator is.

    Args:
        simulator: its name.
        stage: ``queued``, ``starting``, ``running``, ``exact``, ``finished`` or ``failed``.
        share: how much of its circuits is done, from 0 to 1; absent where nobody knows.
        seconds: that it has spent.
    """

    simulator: str
    stage: str = "queued"
    share: float | None = None
    seconds: Seconds = 0.0


class ComparisonProgress(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How far a comparison is.

    Args:
        lines: one for each simulator.
        stage: what is done with the results of all: ``comparing``, ``diagnosing``, ``reducing``; empty before that.
        finished: how many simulators have run all circuits, failed ones included.
        sentence: about everything so far, such as ``none differs so far``.
        seconds: since it began.
        left_s: about how many seconds are left; absent where nobody knows.
        results: how many simulators ``GET .../result`` shows by now.
    """

    lines: tuple[SimulatorProgress, ...] = ()
    stage: str = ""
    finished: Number = 0
    sentence: str = ""
    seconds: Seconds = 0.0
    left_s: float | None = None
    results: Number = 0


class ComparisonInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What the door says about a comparison, without its record.

    Args:
        id: its id.
        state: how far it is.
        by: the name of the token of whoever asked for it; empty where nobody needs a token.
        circuits: the names of the circuits.
        summary: their size: ``4 qubits, 25 operations``.
        simulators: the names of the simulators.
        shots: of each simulator, if they were given.
        resolution: the resolution, if it was given.
        created: when it was accepted, in UTC.
        started: when it began to run.
        ended: when it ended.
        before: how many others run before it, while it is queued.
        progress: how far it is, while it runs.
        verdict: the verdict in one sentence; in :attr:`told` are its two parts, of which the first is the loud one.
        told: the loud and the quiet part of the verdict.
        standing: ``agrees``, ``differs``, ``failed`` or ``undecided``; empty without a record.
        has_record: whether there is a record.
        cancelled_by: the name of who cancelled it.
        error: why there is no record.
    """

    id: str
    state: ComparisonState
    by: str = ""
    circuits: tuple[str, ...] = ()
    summary: str = ""
    simulators: tuple[str, ...] = ()
    shots: int | None = None
    resolution: float | None = None
    created: datetime
    started: datetime | None = None
    ended: datetime | None = None
    before: Number = 0
    progress: ComparisonProgress | None = None
    verdict: str = ""
    told: tuple[str, str] = ("", "")
    standing: str = ""
    has_record: bool = False
    cancelled_by: str = ""
    error: Problem | None = None


class ComparisonList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A page of comparisons, the newest first.

    Args:
        comparisons: those on this page.
        next: the value of ``before`` for the page after it; absent on the last one.
        total: how many there are that match.
        running: how many of all run or are queued.
    """

    comparisons: tuple[ComparisonInfo, ...] = ()
    next: str | None = None
    total: Number = 0
    running: Number = 0


class DoorInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """``GET /v1/door``: who answers here, and who asks.

    Args:
        version: of the gateway.
        name: the name of the caller's token; empty where nobody needs one.
        rights: what the caller may do: ``run``, ``compare``, ``admin``.
        needs_token: whether requests need a token.
        examples: circuits to begin with.
    """

    version: str
    name: str = ""
    rights: tuple[str, ...] = ()
    needs_token: bool = False
    examples: tuple[NamedText, ...] = ()


# ---------------------------------------------------------------------------- the table of endpoints

SHOW = Parameter(
    "show",
    "only those that differ, that failed, that are queued or run, that have ended, or those of this caller",
    {"enum": ["all", "differ", "failed", "running", "ended", "mine"], "default": "all"},
)
_KEY = replace(IDEMPOTENCY_KEY, description="the same key with the same body gives the same comparison again")
_LIMIT = replace(LIMIT, description=LIMIT.description.replace("jobs", "comparisons"))
_WAIT_S = replace(
    WAIT_S, description="seconds to wait for the end of the comparison; more than max_poll_s count as that"
)
SEARCH = Parameter(
    "search", "only those with this text in a circuit's, simulator's or person's name", {"type": "string"}
)
_LAST_EVENT = Parameter(
    "Last-Event-ID", "the id of the last event that was received", {"type": "string"}, place="header"
)

DOOR = Endpoint(
    operation="door",
    method="GET",
    path="/v1/door",
    summary="The version, and what the caller may do",
    answer=DoorInfo,
    answer_means="who answers, and who asks",
)
SIMULATORS = Endpoint(
    operation="simulators",
    method="GET",
    path="/v1/simulators",
    summary="All simulators, with health, version, capabilities, limits and load",
    answer=SimulatorList,
    answer_means="one for each, those that are down as well",
)
CIRCUITS = Endpoint(
    operation="circuits",
    method="POST",
    path="/v1/circuits",
    summary="What a text is: its errors, or its size, its drawing, and what it would cost on each simulator",
    request=CircuitRequest,
    example={"openqasm": EXAMPLE, "shots": 1000},
    answer=CircuitInfo,
    answer_means="what the text is; errors in it are no error of the request",
    errors=(409, 503, 504),
)
COMPARE = Endpoint(
    operation="compare",
    method="POST",
    path="/v1/comparisons",
    summary="Accept a comparison, which the door keeps",
    request=ComparisonRequest,
    example={"circuits": [{"name": "bell", "openqasm": EXAMPLE}], "shots": 1000},
    status=202,
    answer=ComparisonInfo,
    answer_means="it was accepted",
    errors=(422, 503, 507),
    parameters=(_KEY,),
    right=Right.COMPARE,
)
COMPARISONS = Endpoint(
    operation="comparisons",
    method="GET",
    path="/v1/comparisons",
    summary="Comparisons, the newest first",
    answer=ComparisonList,
    answer_means="a page",
    errors=(404, 503),
    parameters=(SHOW, SEARCH, BEFORE, _LIMIT),
)
COMPARISON = Endpoint(
    operation="comparison",
    method="GET",
    path="/v1/comparisons/{comparison_id}",
    summary="How far a comparison is, or what it found",
    answer=ComparisonInfo,
    answer_means="the comparison, without its record",
    errors=(404, 503),
    parameters=(_WAIT_S,),
)
RECORD = Endpoint(
    operation="record",
    method="GET",
    path="/v1/comparisons/{comparison_id}/record",
    summary="The record of a comparison that has ended",
    answer_means="the record, as gateway.compare saves it",
    errors=(404, 503),
)
REQUEST = Endpoint(
    operation="request",
    method="GET",
    path="/v1/comparisons/{comparison_id}/request",
    summary="What was asked for, so that it can be asked for again",
    answer=ComparisonRequest,
    answer_means="the request",
    errors=(404, 503),
)
RESULT = Endpoint(
    operation="comparison-result",
    method="GET",
    path="/v1/comparisons/{comparison_id}/result",
    summary="What there is to show of a comparison, while it runs and afterwards, as a part of a page",
    answer_means="elements of HTML with the classes of the sheet that pages share",
    errors=(404, 503, 504, 507),
    media_type="text/html",
)
REPORT = Endpoint(
    operation="report",
    method="GET",
    path="/v1/comparisons/{comparison_id}/report.html",
    summary="The report of a comparison, a page that needs nothing else",
    answer_means="the report",
    errors=(404, 503, 504, 507),
    media_type="text/html",
)
PICTURE = Endpoint(
    operation="picture",
    method="GET",
    path="/v1/comparisons/{comparison_id}/picture.{format}",
    summary="The outcomes of a comparison as a picture: svg or png",
    answer_means="the picture",
    errors=(404, 503, 504, 507),
    media_type="image/svg+xml",
    other_media_types=("image/png",),
)
OUTCOMES = Endpoint(
    operation="outcomes",
    method="GET",
    path="/v1/comparisons/{comparison_id}/outcomes.csv",
    summary="All outcomes of a comparison, one in each line",
    answer_means="the table",
    errors=(404, 503, 504, 507),
    media_type="text/csv",
)
EVENTS = Endpoint(
    operation="events",
    method="GET",
    path="/v1/comparisons/{comparison_id}/events",
    summary="How far a comparison is, as server-sent events; each is a ComparisonInfo, and the last one is final",
    answer_means="a stream of events",
    errors=(404, 503),
    parameters=(_LAST_EVENT,),
    media_type="text/event-stream",
)
CANCEL = Endpoint(
    operation="cancel-comparison",
    method="DELETE",
    path="/v1/comparisons/{comparison_id}",
    summary="Cancel a comparison unless it has ended; what has finished is compared and kept",
    answer=ComparisonInfo,
    answer_means="the comparison",
    errors=(404, 503),
    right=Right.COMPARE,
)
HEALTHZ = endpoints.HEALTHZ
READYZ = Endpoint(
    operation="readyz",
    method="GET",
    path="/readyz",
    summary="Whether the door takes requests",
    answer=Health,
    answer_means="it does",
    errors=(503,),
    needs_token=False,
)
METRICS = Endpoint(
    operation="metrics",
    method="GET",
    path="/metrics",
    summary="Requests and comparisons of the door, and the metrics of all simulators, each with its name as a label",
    answer_means="in Prometheus' format",
    media_type="text/plain",
    right=Right.ADMIN,
)
OPENAPI = replace(endpoints.OPENAPI, needs_token=False)
PAGE = replace(endpoints.PAGE, summary="The page, which compares circuits and shows comparisons")

SIMULATOR_PATH = "/v1/simulators/{name}/{path}"
"""Everything that a simulator's own port answers is below this path, passed through as it is."""


def path_of(name: str) -> str:
    """Return the path below which a simulator's own requests are, such as ``/v1/simulators/qulacs``."""
    return f"/v1/simulators/{quote(name, safe='')}"


ENDPOINTS: dict[str, Endpoint] = {
    row.operation: row
    for row in (
        DOOR, SIMULATORS, CIRCUITS, COMPARE, COMPARISONS, COMPARISON, RECORD, REQUEST, RESULT, REPORT, PICTURE,
        OUTCOMES, EVENTS, CANCEL, HEALTHZ, READYZ, METRICS, OPENAPI, PAGE, DOCS,
    )
}  # fmt: skip
"""Name of an operation -> its row."""

PAGES = frozenset(row.path for row in ENDPOINTS.values() if row.is_page)
"""Paths of the pages for people."""


def relayed(row: Endpoint) -> Endpoint:
    """Return the row of the door by which a request reaches a simulator, from the simulator's own row."""
    path = SIMULATOR_PATH.replace("{path}", row.path.removeprefix("/"))
    errors = tuple(sorted({*row.errors, 404, 502, 503, *((411,) if row.method == "POST" else ())}))
    return replace(row, operation=f"simulator-{row.operation}", path=path, errors=errors, needs_token=True)


RELAYED: dict[str, Endpoint] = {row.operation: row for row in map(relayed, endpoints.ENDPOINTS.values())}
"""Name of an operation -> its row, for all that is passed through to a simulator."""

API = Api(
    title="Simulator Gateway",
    description=(
        "All simulators behind one port, and comparisons of what they give. "
        "Bit order: clbit 0 is the rightmost character."
    ),
    endpoints=ENDPOINTS,
    relayed=RELAYED,
    errors={
        404: "there is no such simulator, comparison, job or result of this caller",
        422: "no simulator of those asked for can do it, or the idempotency key belongs to another request",
        500: "a simulator, or what compares, failed or crashed",
        503: "busy or stopping, or the simulator is down or not installed",
        504: "it took longer than it may",
        507: "memory, or space for jobs or comparisons, ran out",
    },
    client="""\
from gateway import GatewayClient

circuit = {circuit}
with GatewayClient("{url}") as gateway:
    print(gateway.simulator({simulator}).run(circuit, shots=1000))
    print(gateway.compare(circuit, shots=1000))""",
)
"""What the door's OpenAPI document is about."""
