"""Answers a request inside a worker: decodes it, parses the circuits, runs them and encodes the answer."""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from time import perf_counter
from typing import NamedTuple, Protocol, TypedDict, cast, runtime_checkable

import msgspec

from gateway.arrays import Buffer
from gateway.circuit import Circuit, Limits
from gateway.circuit.gates import GATES
from gateway.circuit.openqasm import read
from gateway.circuit.points import Points, Template
from gateway.errors import GatewayError, JobInterrupted, LimitError, OutOfMemory
from gateway.execution.content import IN_MEMORY_BYTES, Content, PartsContent
from gateway.execution.memory import PeakMemory, ceiling_of_free_memory
from gateway.protocol import problem
from gateway.protocol.encodings import Encoding
from gateway.protocol.frames import frame
from gateway.protocol.messages import (
    SEED_END,
    BackendInfo,
    CircuitOrText,
    RunRequest,
    ServerLimits,
    bound,
    decode,
    encode,
)
from gateway.protocol.result_message import parts_of
from gateway.provenance import Provenance
from gateway.resources import Resources
from gateway.results import Capabilities, Result, ResultType, Sampling
from gateway.run_details import NO_DETAILS, RunDetails
from gateway.version import __version__

log = logging.getLogger("gateway")

_OK = 200
_IN_TIME_S = 0.5

_READING = "while the request was read: ask for fewer operations or circuits"
_WRITING = (
    "while the answer was written: ask for fewer circuits or shots, measure fewer clbits, "
    "or ask for counts instead of a state vector"
)


class Answer(NamedTuple):
    """An HTTP status, the body that goes with it, and the seconds spent in parse, build and run.

    A body above :data:`~gateway.execution.content.IN_MEMORY_BYTES` is a file once the server has it; problems are not.
    """

    status: int
    body: Content
    stages: tuple[float, float, float] = (0.0, 0.0, 0.0)


class Runnable(Protocol):
    """What a server can serve: an adapter, or a user's function."""

    @property
    def name(self) -> str:
        """Name of the simulator."""

    @property
    def capabilities(self) -> Capabilities:
        """What the simulator can do."""

    @property
    def native_gates(self) -> Collection[str]:
        """The gates that the simulator runs without lowering."""

    def version(self) -> str:
        """Return the version of the simulator."""

    def run(
        self,
        circuit: Circuit,
        *,
        shots: int | None,
        seed: int | None,
        result: ResultType | None,
        sampling: Sampling,
        details: RunDetails = NO_DETAILS,
    ) -> Result:
        """Run one valid circuit."""


LOST_TOKEN = "\0"  # noqa: S105 - no header can hold it
"""Stands for the token of a job that a server took up again after a restart: tokens are never stored."""


@runtime_checkable
class NeedsToken(Protocol):
    """A runnable that can use the caller's token."""

    @property
    def takes_token(self) -> bool:
        """Whether it does use the token."""

    def with_token(self, token: str | None) -> Runnable:
        """Return a runnable that runs on behalf of the holder of the token."""


@runtime_checkable
class UsesResources(Protocol):
    """A runnable that keeps to a number of threads and an amount of memory by itself, as every adapter does."""

    def use(self, resources: Resources) -> None:
        """Keep to these resources from now on."""


@runtime_checkable
class EndsInTime(Protocol):
    """A runnable whose runs may wait for something, and that has to know until when, as every adapter does."""

    def end_by(self, deadline: float | None) -> None:
        """Let the next runs wait no longer than up to this moment on the monotonic clock."""


@runtime_checkable
class LimitsLoops(Protocol):
    """A runnable that follows loops by itself, as every adapter does."""

    def limit_loops(self, turns: int) -> None:
        """Follow so many turns of a loop from now on."""


@runtime_checkable
class Pingable(Protocol):
    """A runnable that can say whether it takes work."""

    def ping(self) -> tuple[bool, str | None]:
        """Return whether the simulator is online, and its status as text, if there is one."""


@runtime_checkable
class TakesLists(Protocol):
    """A runnable that wants all circuits of a request together, as a machine with a queue does."""

    def run_list(self, circuits: list[Circuit], request: RunRequest) -> list[Result]:
        """Run valid circuits within the request's ``timeout_s``; circuit ``k`` uses the request's seed plus ``k``."""


@runtime_checkable
class TakesPoints(Protocol):
    """A runnable that prepares a circuit once and runs it at many points, as every adapter does."""

    def run_points(
        self,
        circuit: Circuit,
        points: Points,
        *,
        shots: int | None,
        seed: int | None,
        result: ResultType | None,
        sampling: Sampling,
        details: RunDetails = NO_DETAILS,
    ) -> Iterator[Result]:
        """Yield the result at each point; that of point ``k`` is the one that ``run`` has for the seed plus ``k``."""


@runtime_checkable
class Undoes(Protocol):
    """A runnable that starts what goes on without it, as a vendor's job does."""

    def undo(self, name: str) -> None:
        """Cancel what a run has announced with :func:`gateway.execution.started.announce`, unless it has ended."""


class AnswerParts:
    """The parts of an answer, which grows result by result.

    Args:
        most_bytes: how many bytes it may have.
        number: how many results it will have.
        encoding: how it is written.
    """

    def __init__(self, most_bytes: int, number: int = 1, encoding: Encoding = Encoding.JSON) -> None:
        self._most = most_bytes
        self._frame = frame(number, encoding)
        self._encoding = encoding
        self._parts: list[Buffer] = []
        self._size = len(self._frame.beginning) + len(self._frame.end)

    def expect(self, size: int) -> None:
        """Refuse a result that would have so many bytes at least.

        Raises:
            LimitError: the answer would be too large.
        """
        if self._size + size > self._most:
            raise LimitError(
                f"the answer would have {self._size + size:,} bytes or more, and this server gives {self._most:,}: ask "
                "for fewer shots or circuits, measure fewer clbits, or ask for counts instead of a state vector",
                limit="max_result_bytes",
                requested=self._size + size,
                allowed=self._most,
            )

    def expect_result(
        self, kind: type[Result], num_qubits: int, *, num_clbits: int, shots: int, times: int = 1
    ) -> None:
        """Refuse results, ``times`` of a kind, whose size is certain before the run, and too large."""
        least = kind.least_bytes if self._encoding is Encoding.JSON else kind.least_packed_bytes
        self.expect(times * least(num_qubits, num_clbits=num_clbits, shots=shots))

    def add(self, result: Result) -> None:
        """Append a result; one that is certainly too large is refused before it is encoded."""
        if self._encoding is Encoding.JSON:
            self.expect(result.wire_bytes())
        separator = self._frame.separator if self._parts else b""
        if separator:
            self._parts.append(separator)
        for part in parts_of(result, self._encoding):
            self.expect(len(part))
            self._parts.append(part)
            self._size += len(part)
        self._size += len(self._frame.separator)

    def body(self) -> Content:
        """Return the whole answer; a large one stays in the parts that it has."""
        content = PartsContent([self._frame.beginning, *self._parts, self._frame.end])
        return content if content.size > IN_MEMORY_BYTES else b"".join(content.parts)


class _Options(TypedDict):
    """What :meth:`Runnable.run` takes for each point of a request alike."""

    shots: int | None
    result: ResultType | None
    sampling: Sampling
    details: RunDetails


class _Draws(NamedTuple):
    """The shots and the seed of one circuit."""

    shots: int | None
    seed: int | None


class Runner:
    """Answers requests with one runnable.

    Args:
        runnable: what runs the circuits.
        limits: what a request may not exceed.
    """

    def __init__(self, runnable: Runnable, limits: ServerLimits) -> None:
        self.runnable = runnable
        self.limits = limits
        # Checked once, since isinstance of a Protocol takes a tenth of the time of a small run.
        self._takes_token = isinstance(runnable, NeedsToken) and runnable.takes_token
        self._takes_lists = isinstance(runnable, TakesLists)
        self._takes_points = isinstance(runnable, TakesPoints)
        self._keeps_to_resources = isinstance(runnable, UsesResources)
        self._ends_in_time = isinstance(runnable, EndsInTime)
        if isinstance(runnable, LimitsLoops):
            runnable.limit_loops(limits.max_loop_iterations)
        self._peak_memory = PeakMemory()
        self._queue_s = 0.0
        self.parse_limits = Limits(
            limits.max_qubits, limits.max_clbits, limits.max_operations, text_bytes=limits.max_body_bytes
        )

    def describe(self) -> Answer:
        """Return the BackendInfo of the runnable."""
        return self._answer_or_problem(lambda: Answer(_OK, self._describe()))

    def run(self, body: bytes, token: str | None, queue_s: float = 0.0, encoding: Encoding = Encoding.JSON) -> Answer:
        """Return the answer to a RunRequest that waited for ``queue_s`` seconds; never raises.

        The results are in the encoding, a problem is always in JSON.
        """
        self._queue_s = queue_s
        return self._answer_or_problem(lambda: self._run(body, token, encoding))

    def undo(self, names: Sequence[str]) -> Answer:
        """Cancel what a run has started outside this machine; the answer is a problem if any of it could not be."""
        return self._answer_or_problem(lambda: self._undo(names))

    def _undo(self, names: Sequence[str]) -> Answer:
        if isinstance(self.runnable, Undoes):
            with ExitStack() as cancelling:  # each, even if another fails
                for name in names:
                    cancelling.callback(self.runnable.undo, name)
        return Answer(_OK, b"")

    def _run(self, body: bytes, token: str | None, encoding: Encoding) -> Answer:
        with _naming_memory(_READING):
            request = decode(RunRequest, body)
        if self._ends_in_time:
            timeout_s = request.timeout_s or self.limits.timeout_s
            # A little before the deadline, at which the server would end the run without a word of ours.
            cast("EndsInTime", self.runnable).end_by(time.monotonic() + timeout_s - min(timeout_s / 10, _IN_TIME_S))
        with contextlib.nullcontext() if self._keeps_to_resources else ceiling_of_free_memory():
            return self._encoded(request, token, encoding)

    def _encoded(self, request: RunRequest, token: str | None, encoding: Encoding) -> Answer:
        """Return the answer. Each result is encoded as soon as it is there, and is not kept as an object."""
        answer = AnswerParts(self.limits.max_result_bytes, request.num_results, encoding)
        stages = [0.0, 0.0, 0.0]
        for index, result in enumerate(self._each(request, token, answer)):
            with _naming(index, request), _naming_memory(_WRITING):
                answer.add(result)
            provenance = _provenance(result)
            for stage, seconds in enumerate((provenance.parse_s, provenance.build_s, provenance.run_s)):
                stages[stage] += seconds
            del result  # nor while the parts are put together
        with _naming_memory(_WRITING):
            return Answer(_OK, answer.body(), (stages[0], stages[1], stages[2]))

    def results(self, request: RunRequest, token: str | None = None) -> list[Result]:
        """Run every circuit of a request, in order.

        Raises:
            GatewayError: ``circuit`` is the index of the circuit it is about, if the request has a list of them.
        """
        return list(self._each(request, token))

    def _each(self, request: RunRequest, token: str | None, answer: AnswerParts | None = None) -> Iterator[Result]:
        """Yield the result of every circuit of a request, in order; errors are those of :meth:`results`."""
        runnable = self._runnable_for(token)
        if request.parameters:
            yield from self._sweep(runnable, request, answer)
            return
        if self._takes_lists:
            yield from self._run_list(cast("TakesLists", runnable), request)
            return
        details = request.details()
        for index, (circuit, shots) in enumerate(zip(request.circuit_list(), request.shots_list(), strict=True)):
            seed = _seed_of(request, index)
            with _naming(index, request):
                result = self._run_one(runnable, circuit, _Draws(shots, seed), request, details, answer)
            yield result
            del result  # it is not kept while the next one is computed

    def _sweep(self, runnable: Runnable, request: RunRequest, answer: AnswerParts | None) -> Iterator[Result]:
        """Yield the result of the circuit of a request at each point; errors are those of :meth:`results`."""
        points = request.points()
        assert points is not None  # noqa: S101 - there are parameters
        (source,), (shots,) = request.circuit_list(), request.shots_list()
        circuit, parse_s = self._parse(source)
        with _naming(None, request):
            points.check(circuit)
        if answer is not None:
            self._expect(answer, circuit, shots, request, points.size)
        if self._takes_lists:
            request = bound(request, circuit, points)
            yield from self._run_list(cast("TakesLists", runnable), request, parse_s)
            return
        results = self._results_at(runnable, circuit, points, request, shots)
        for index in range(points.size):
            self._peak_memory.begin()
            with _naming(index, request):
                result = next(results)
            yield self._with_server_provenance(result, 0.0 if index else parse_s, self._peak_memory.value())
            del result  # it is not kept while the next one is computed

    def _results_at(
        self, runnable: Runnable, circuit: Circuit, points: Points, request: RunRequest, shots: int | None
    ) -> Iterator[Result]:
        """Yield the result at each point, as the runnable returns it."""
        options: _Options = {
            "shots": shots,
            "result": request.result,
            "sampling": request.sampling,
            "details": request.details(),
        }
        if self._takes_points:
            yield from cast("TakesPoints", runnable).run_points(circuit, points, seed=request.seed, **options)
            return
        template = Template(circuit, points)
        for index in range(points.size):
            yield runnable.run(template.at(index), seed=_seed_of(request, index), **options)

    def _runnable_for(self, token: str | None) -> Runnable:
        """Return the runnable, acting for the holder of the token if it can use one."""
        if not self._takes_token:
            return self.runnable
        if token == LOST_TOKEN:
            raise JobInterrupted("the server was started anew and keeps no tokens: send the job again")
        return cast("NeedsToken", self.runnable).with_token(token)

    def _run_one(
        self,
        runnable: Runnable,
        source: CircuitOrText,
        draws: _Draws,
        request: RunRequest,
        details: RunDetails,
        answer: AnswerParts | None,
    ) -> Result:
        circuit, parse_s = self._parse(source)
        if answer is not None:
            self._expect(answer, circuit, draws.shots, request)
        self._peak_memory.begin()
        result = runnable.run(
            circuit,
            shots=draws.shots,
            seed=draws.seed,
            result=request.result,
            sampling=request.sampling,
            details=details,
        )
        return self._with_server_provenance(result, parse_s, self._peak_memory.value())

    @staticmethod
    def _expect(answer: AnswerParts, circuit: Circuit, shots: int | None, request: RunRequest, times: int = 1) -> None:
        """Refuse results, ``times`` of the same kind, whose size is certain before they are computed."""
        if request.result is not None:
            num_clbits = request.details().width(circuit.num_clbits)
            kind = request.result.result_class
            answer.expect_result(kind, circuit.num_qubits, num_clbits=num_clbits, shots=shots or 0, times=times)

    def _run_list(self, runnable: TakesLists, request: RunRequest, parse_s: float = 0.0) -> list[Result]:
        circuits, seconds = [], []
        for index, source in enumerate(request.circuit_list()):
            with _naming(index, request):
                circuit, parse_s = self._parse(source)
            circuits.append(circuit)
            seconds.append(parse_s)
        try:
            deadline_s = request.timeout_s or self.limits.timeout_s
            results = runnable.run_list(circuits, msgspec.structs.replace(request, timeout_s=deadline_s))
        except GatewayError as exc:
            exc.circuit = exc.circuit if isinstance(request.circuits, list) else None
            raise
        seconds[0] += parse_s
        return [self._with_server_provenance(result, parse_s) for result, parse_s in zip(results, seconds, strict=True)]

    def _parse(self, source: CircuitOrText) -> tuple[Circuit, float]:
        """Return the circuit of a request after checking it, and the seconds that parsing took."""
        start = perf_counter()
        with _naming_memory(_READING):
            if isinstance(source, str):
                circuit = Circuit(*read(source, self.parse_limits))
            else:
                circuit = source.bind() if source.validate(self.parse_limits) else source
        return circuit, perf_counter() - start

    def _with_server_provenance(self, result: Result, parse_s: float, peak_memory_bytes: int | None = None) -> Result:
        """Return the result with what only the server knows added to its provenance."""
        provenance = msgspec.structs.replace(
            _provenance(result),
            queue_s=self._queue_s,
            parse_s=parse_s,
            peak_memory_bytes=peak_memory_bytes,
            gateway_version=__version__,
        )
        return result.with_provenance(provenance)

    def _describe(self) -> bytes:
        online, status = self.runnable.ping() if isinstance(self.runnable, Pingable) else (True, None)
        return encode(
            BackendInfo(
                name=self.runnable.name,
                version=self.runnable.version(),
                gateway_version=__version__,
                capabilities=self.runnable.capabilities.as_sent(),
                gates=list(GATES),
                native_gates=list(self.runnable.native_gates),
                limits=self.limits,
                online=online,
                status=status,
            )
        )

    @staticmethod
    def _answer_or_problem(work: Callable[[], Answer]) -> Answer:
        """Turn every failure into a problem, since this is the edge of the process."""
        try:
            return work()
        except GatewayError as exc:
            if exc.status >= 500:  # noqa: PLR2004 - server errors begin at 500
                log.exception("a run failed")
            return Answer(exc.status, problem.dump(exc))
        except Exception:
            log.exception("a run failed unexpectedly")
        except BaseException as exc:  # a panic of a Rust library is no Exception
            if isinstance(exc, SystemExit | KeyboardInterrupt):
                raise
            log.exception("a library panicked")
        return Answer(500, problem.dump(GatewayError("the run failed unexpectedly; the server's log says why")))


@contextmanager
def _naming(index: int | None, request: RunRequest) -> Iterator[None]:
    """Write into an error which circuit or point it is about; with ``None`` the error itself knows the point."""
    try:
        yield
    except GatewayError as exc:
        if not request.is_list:
            exc.circuit = None
        elif index is not None:
            exc.circuit = index
        raise


def _seed_of(request: RunRequest, index: int) -> int | None:
    """Return the seed of a circuit of a list, or of a point."""
    return None if request.seed is None else (request.seed + index) % SEED_END


@contextmanager
def _naming_memory(when: str) -> Iterator[None]:
    """Say of an allocation that failed what the memory was for.

    Raises:
        OutOfMemory: an allocation failed in the block.
    """
    try:
        yield
    except MemoryError as exc:
        raise OutOfMemory(f"memory ran out {when}") from exc


def _provenance(result: Result) -> Provenance:
    assert result.provenance is not None  # noqa: S101 - whatever runs a circuit says where its result comes from
    return result.provenance
