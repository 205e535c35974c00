"""The interface of all backends: a minimal set of features that fits every gate-based quantum computer."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self, TypedDict, Unpack, cast, overload

import msgspec
from msgspec import UNSET, UnsetType

from gateway.backends.job import Job, LocalJob
from gateway.circuit import Circuit
from gateway.counts import Counts, Statevector
from gateway.errors import JobNotFound, LimitError, RequestError
from gateway.expectation import Expectation
from gateway.frameworks.sources import as_circuit, as_source
from gateway.noise import NoiseModel
from gateway.observables import ObservableLike, observable_list
from gateway.protocol.messages import DEFAULT_SHOTS, RunRequest, bound
from gateway.protocol.refusals import refusal
from gateway.results import Capabilities, Result, ResultType, Sampling
from gateway.run_details import RunDetails

CircuitLike = Circuit | str | Path | Any
"""A circuit, OpenQASM 2 or 3 text, the path of a file, or a circuit of a framework in :mod:`gateway.frameworks`."""

Outcome = Result
"""The result of one circuit: Counts, Probabilities, Statevector, or another class of results."""

MOST_POINTS = 1_000_000
"""No list of values of a parameter is longer, whatever the server's limit ``max_points`` is."""

Values = float | Sequence[float] | Any
"""The value of a parameter in radians; or a list or an array of them, one for each point at which the circuit runs."""

Shots = int | Sequence[int] | None | UnsetType
"""A number of shots for all circuits, or one number per circuit; ``None`` for an exact result. When left out
(``UNSET``), it is 1024, or ``None`` where the result type is exact."""


@dataclass(frozen=True, slots=True)
class BackendStatus:
    """The status of a backend.

    Args:
        name: the name of the simulator or machine.
        version: the version of its framework.
        online: whether the backend takes work now.
        message: a text that explains the status, if the backend gives one.
    """

    name: str
    version: str
    online: bool
    message: str | None = None


class Details(TypedDict, total=False):
    """What belongs to a result type; the same for all circuits of a list.

    Args:
        observables: for ``"expectation"``: what :class:`~gateway.observables.PauliSum` takes, or a list of these.
        bitstrings: for ``"amplitudes"``: the basis states, one character for each qubit, qubit 0 rightmost.
        clbits: for counts, probabilities and memory: the clbits that the result is about; the first one becomes
            clbit 0.
        noise: the noise of the run, on simulators that have it.
    """

    observables: ObservableLike | None
    bitstrings: Sequence[str] | None
    clbits: Sequence[int] | None
    noise: NoiseModel | None


class ShotOptions(TypedDict, total=False):
    """The options of a run with shots, as :meth:`Backend.run` takes them."""

    seed: int | None
    sampling: Sampling | str
    timeout_s: float | None


class Backend(ABC):
    """Runs circuits. All backends, of whatever machine, have these methods."""

    ends_late_runs: ClassVar[bool] = False
    """Whether the backend ends a run at the machine itself when ``timeout_s`` is over."""

    takes_parameters: ClassVar[bool] = False
    """Whether :meth:`send` and :meth:`begin` take parameters; otherwise they get a circuit for each point in their
    place."""

    _jobs: ThreadPoolExecutor | None = None

    @abstractmethod
    def send(self, request: RunRequest) -> list[Result]:
        """Run a request and return one result per circuit, in order."""

    @abstractmethod
    def status(self) -> BackendStatus:
        """Ask the backend whether it takes work, and return the answer."""

    @abstractmethod
    def capabilities(self) -> Capabilities:
        """Return what the backend can do."""

    def has_started(self) -> bool:
        """Return whether the backend can be asked for its status without starting anything."""
        return True

    def _repr_html_(self) -> str:
        from gateway.backends.notebook import show_backend  # noqa: PLC0415 - only a notebook needs it

        return show_backend(self)

    def native_gates(self) -> tuple[str, ...]:
        """Return the gates of our table that the backend runs without lowering; none where the backend does not say."""
        return ()

    @overload
    def run(
        self,
        circuits: list[CircuitLike] | tuple[CircuitLike, ...],
        *,
        shots: Shots = ...,
        seed: int | None = ...,
        result: ResultType | str | None = ...,
        sampling: Sampling | str = ...,
        timeout_s: float | None = ...,
        parameters: None = ...,
        **details: Unpack[Details],
    ) -> list[Outcome]: ...
    @overload
    def run(
        self,
        circuits: CircuitLike,
        *,
        shots: int | UnsetType | None = ...,
        seed: int | None = ...,
        result: ResultType | str | None = ...,
        sampling: Sampling | str = ...,
        timeout_s: float | None = ...,
        parameters: Mapping[str, float] | None = ...,
        **details: Unpack[Details],
    ) -> Outcome: ...
    @overload
    def run(
        self,
        circuits: CircuitLike,
        *,
        shots: int | UnsetType | None = ...,
        seed: int | None = ...,
        result: ResultType | str | None = ...,
        sampling: Sampling | str = ...,
        timeout_s: float | None = ...,
        parameters: Mapping[str, Any],
        **details: Unpack[Details],
    ) -> list[Outcome]: ...
    def run(
        self,
        circuits: CircuitLike | Sequence[CircuitLike],
        *,
        shots: Shots = UNSET,
        seed: int | None = None,
        result: ResultType | str | None = None,
        sampling: Sampling | str = Sampling.AUTO,
        timeout_s: float | None = None,
        parameters: Mapping[str, Values] | None = None,
        **details: Unpack[Details],
    ) -> Outcome | list[Outcome]:
        """Run one circuit, or a list of them.

        Args:
            circuits: a Circuit, OpenQASM 2 or 3 text, the Path of a file, or a circuit of a framework
                (:mod:`gateway.frameworks`); or a list of these.
            shots: how often each circuit is run: a number for all, or one number per circuit; ``None`` for the
                exact result. When left out, it is 1024, or ``None`` if ``result`` is exact.
            seed: ``0 <= seed < 2**32``; circuit k of a list uses ``seed + k``. When ``None``,
                it is drawn at random, and ``.provenance.seed`` holds it.
            result: the result type: ``"counts"``, ``"probabilities"``, ``"statevector"``, ``"expectation"``,
                ``"memory"``, ``"amplitudes"`` or ``"density_matrix"``; by default counts, or probabilities when
                ``shots`` is ``None``. An expectation value is exact, or estimated where ``shots`` are given.
            sampling: ``"auto"``, or ``"native"`` for the framework's own sampler.
            timeout_s: seconds after which the run is killed; they are for all circuits of a list together.
            parameters: parameter of the circuit -> its value in radians, or a list or an array of values: the circuit
                is run at each of these points, which gives a list of results. A number holds for all points.
            details: what belongs to the result type: see :class:`Details`.

        Returns:
            Counts, Probabilities, Statevector or another class of results (clbit 0 rightmost; qubit 0 least
            significant), each with ``.provenance``; a list of these for a list of circuits, or of points.

        Raises:
            GatewayError: see :mod:`gateway.errors`.
        """
        return self._outcomes(self._request(circuits, shots, seed, result, sampling, timeout_s, parameters, details))

    @overload
    def sample(
        self,
        circuits: list[CircuitLike] | tuple[CircuitLike, ...],
        shots: int | Sequence[int] = ...,
        **options: Unpack[ShotOptions],
    ) -> list[Counts]: ...
    @overload
    def sample(self, circuits: CircuitLike, shots: int = ..., **options: Unpack[ShotOptions]) -> Counts: ...
    def sample(
        self,
        circuits: CircuitLike | Sequence[CircuitLike],
        shots: int | Sequence[int] = DEFAULT_SHOTS,
        **options: Unpack[ShotOptions],
    ) -> Counts | list[Counts]:
        """Return counts; :meth:`run` says the rest, also of the options ``seed``, ``sampling`` and ``timeout_s``."""
        found = self.run(cast("Any", circuits), shots=cast("Any", shots), result=ResultType.COUNTS, **options)
        return cast("Counts | list[Counts]", found)

    @overload
    def statevector(
        self, circuits: list[CircuitLike] | tuple[CircuitLike, ...], *, timeout_s: float | None = ...
    ) -> list[Statevector]: ...
    @overload
    def statevector(self, circuits: CircuitLike, *, timeout_s: float | None = ...) -> Statevector: ...
    def statevector(
        self, circuits: CircuitLike | Sequence[CircuitLike], *, timeout_s: float | None = None
    ) -> Statevector | list[Statevector]:
        """Return the amplitudes of all basis states after a circuit of gates; :meth:`run` says the rest."""
        found = self.run(cast("Any", circuits), result=ResultType.STATEVECTOR, timeout_s=timeout_s)
        return cast("Statevector | list[Statevector]", found)

    @overload
    def expectation(
        self,
        circuits: list[CircuitLike] | tuple[CircuitLike, ...],
        observables: ObservableLike,
        *,
        shots: int | Sequence[int] | None = ...,
        **options: Unpack[ShotOptions],
    ) -> list[Expectation]: ...
    @overload
    def expectation(
        self,
        circuits: CircuitLike,
        observables: ObservableLike,
        *,
        shots: int | None = ...,
        **options: Unpack[ShotOptions],
    ) -> Expectation: ...
    def expectation(
        self,
        circuits: CircuitLike | Sequence[CircuitLike],
        observables: ObservableLike,
        *,
        shots: int | Sequence[int] | None = None,
        **options: Unpack[ShotOptions],
    ) -> Expectation | list[Expectation]:
        """Return the values of observables in the state at the end of a circuit, after its measurements.

        ::

            float(backend.expectation(circuit, "ZZ"))
            backend.expectation(circuit, ["ZZ", {"XX": 0.5, "Z0": -1}], shots=10_000).std_errors

        Strings that do not contradict each other on any qubit are measured together, and each such group gets all
        ``shots``: ``.groups`` of the result says how many there were.

        Args:
            circuits: as :meth:`run` takes them.
            observables: what :class:`~gateway.observables.PauliSum` takes, or a list of these; the same for all
                circuits.
            shots: ``None`` for exact values.
            options: ``seed``, ``sampling`` and ``timeout_s``, as :meth:`run` takes them.
        """
        found = self.run(
            cast("Any", circuits),
            shots=cast("Any", shots),
            result=ResultType.EXPECTATION,
            observables=observables,
            **options,
        )
        return cast("Expectation | list[Expectation]", found)

    def run_async(
        self,
        circuits: CircuitLike | Sequence[CircuitLike],
        *,
        shots: Shots = UNSET,
        seed: int | None = None,
        result: ResultType | str | None = None,
        sampling: Sampling | str = Sampling.AUTO,
        timeout_s: float | None = None,
        parameters: Mapping[str, Values] | None = None,
        **details: Unpack[Details],
    ) -> Job[Outcome | list[Outcome]]:
        """Start a run and return at once; the arguments are those of :meth:`run`."""
        return self.begin(self._request(circuits, shots, seed, result, sampling, timeout_s, parameters, details))

    def _request(self, *arguments: Any) -> RunRequest:  # noqa: ANN401 - see _request
        """Return the request as :meth:`send` takes it."""
        request = _request(*arguments)
        points = None if self.takes_parameters else request.points()
        if points is None:
            return request
        circuit = as_circuit(request.circuit_list()[0])
        points.check(circuit)
        return bound(request, circuit, points)

    def begin(self, request: RunRequest) -> Job[Outcome | list[Outcome]]:
        """Start a request and return at once; a thread of this process runs it, unless a subclass overrides this."""
        if self._jobs is None:
            self._jobs = ThreadPoolExecutor(max_workers=8, thread_name_prefix="gateway-job")
        return LocalJob(self._jobs.submit(self._outcomes, request), request.num_results)

    def job(self, job_id: str) -> Job[Outcome | list[Outcome]]:
        """Return the job with this id, which another process may have started where the backend keeps its jobs.

        Raises:
            JobNotFound: the backend keeps no such job.
        """
        raise JobNotFound(f"{type(self).__name__} keeps no jobs: keep the job that run_async() returned", job=job_id)

    def _outcomes(self, request: RunRequest) -> Outcome | list[Outcome]:
        """Run a request; return a list for a list of circuits, and one outcome for one circuit."""
        outcomes = self.send(request)
        return outcomes if request.is_list else outcomes[0]

    def close(self) -> None:
        """Release everything that the backend holds; it cannot be used afterwards."""
        if self._jobs is not None:
            self._jobs.shutdown(wait=False, cancel_futures=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _details_as_sent(details: Details) -> dict[str, object]:
    """Return the details that are given, observables as lists of terms; each is checked with the request.

    Raises:
        TypeError: there is no such argument.
        RequestError: an observable is none.
    """
    unknown = next((name for name in details if name not in RunDetails.__struct_fields__), None)
    if unknown is not None:
        raise TypeError(f"run() got an unexpected keyword argument {unknown!r}")
    given: dict[str, object] = {name: value for name, value in details.items() if value is not None}
    if "observables" in given:
        given["observables"] = observable_list(given["observables"])
    for name, value in given.items():
        if isinstance(value, Sequence) and not isinstance(value, str | tuple):
            given[name] = tuple(value)
    return given


def _request(
    circuits: object,
    shots: object,
    seed: object,
    result: object,
    sampling: object,
    timeout_s: object,
    parameters: object,
    details: Details,
) -> RunRequest:
    """Check the arguments as strictly as the server would, without a round trip.

    Raises:
        RequestError: an argument has a wrong type or value; ``field`` names it.
    """
    is_list = isinstance(circuits, Sequence) and not isinstance(circuits, str)
    sources = [as_source(circuit) for circuit in circuits] if is_list else as_source(circuits)  # type: ignore[attr-defined]
    fields = {
        "circuits": [],
        "shots": list(shots) if isinstance(shots, Sequence) and not isinstance(shots, str) else shots,
        "seed": seed,
        "result": result,
        "sampling": sampling,
        "timeout_s": timeout_s,
        "parameters": None if parameters is None else _columns(parameters),
        **_details_as_sent(details),
    }
    if shots is UNSET:
        del fields["shots"]
    try:
        request = msgspec.convert(fields, RunRequest, strict=True)
    except msgspec.ValidationError as exc:
        raise refusal(exc, RunRequest, fields, null="None") from exc
    request = msgspec.structs.replace(request, circuits=sources)
    if timeout_s == math.inf:  # which is no number in JSON
        raise RequestError("timeout_s is infinite: leave it out for the longest there is", field="timeout_s")
    if is_list and not sources:
        raise RequestError("the list of circuits is empty", field="circuits")
    request.shots_list()
    request.points()
    return request


def _columns(parameters: object) -> dict[str, object]:
    """Return the values of parameters as plain numbers and lists; the rest is checked with the request.

    Raises:
        RequestError: they are no mapping.
        LimitError: there are more points than any request may have.
    """
    if not isinstance(parameters, Mapping):
        raise RequestError(
            f"parameters are a mapping from names to numbers or lists of numbers, not {parameters!r:.80}",
            field="parameters",
        )
    return {str(name): _column(value) for name, value in parameters.items()}


def _column(value: Any) -> object:  # noqa: ANN401 - a number, a sequence or an array
    if isinstance(value, str | bytes) or not hasattr(value, "__len__"):
        return _number(value)
    if getattr(value, "ndim", 1) == 0:
        return _number(value)
    if len(value) > MOST_POINTS:
        raise LimitError(
            f"a parameter has {len(value):,} values, and no request has more than {MOST_POINTS:,} points",
            limit="max_points",
            requested=len(value),
            allowed=MOST_POINTS,
        )
    return [_column(number) for number in (value.tolist() if hasattr(value, "tolist") else value)]


def _number(value: Any) -> object:  # noqa: ANN401 - anything that may be a number
    """Return a real number as Python's own, and anything else as it is, which is refused with the request.

    Raises:
        RequestError: it looks like a number and is none that a float can hold, such as a symbol.
    """
    value = value.item() if hasattr(value, "item") else value  # of NumPy's
    if isinstance(value, str | bytes | bool | complex) or not hasattr(value, "__float__"):
        return value
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError) as exc:
        raise RequestError(
            f"the value of a parameter is a number of radians, not {value!r:.80}: {exc}", field="parameters"
        ) from exc
