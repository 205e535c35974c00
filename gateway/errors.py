"""Every error the gateway raises, in one tree.

::

    GatewayError
    ├─ RequestError             400  the request itself is malformed: field
    ├─ CircuitError             400  the caller must change the circuit
    │  ├─ CircuitSyntaxError         line, column
    │  └─ CircuitInvalidError        rule, operation
    ├─ UnsupportedError         422  the simulator, or a flat circuit, cannot do this: feature, simulator, line
    ├─ LimitError               413  ask for less: limit, requested, allowed
    ├─ AuthenticationError      401
    ├─ Forbidden                403  the token lacks a right: right
    ├─ HostRefused              400  called by a name that is not the server's: host
    ├─ OriginRefused            403  a web page that may not use the server: origin
    ├─ SimulatorNotFound        404  behind a door: simulator
    ├─ JobError
    │  ├─ JobNotFound           404  job
    │  ├─ ResultNotFound        404  the job has no result there: job
    │  ├─ JobCancelled          409
    │  ├─ JobTimeout            504  timeout_s
    │  ├─ JobInterrupted        500  the server ended during each attempt: attempts
    │  ├─ IdempotencyConflict   422  the key was used for another request: job
    │  └─ JobStoreError         503  the job database cannot be used: url
    │     └─ StorageFull        507  it has no space left
    ├─ BusyError                503  retry_after_s
    ├─ SimulatorError           500  the simulator itself raised: simulator, version, detail
    │  ├─ SimulatorNotInstalled 503  requirement: what to install
    │  ├─ SimulatorCrashed      500  exit_code
    │  └─ OutOfMemory           507  memory ran out during the run
    ├─ TransportError           502  a server could not be reached or understood: url
    │  └─ TransportTimeout           the server did not answer in time
    ├─ FrameworkNotInstalled         host side: a framework to convert to or from is absent: framework, requirement
    ├─ ServerStartError              host side: a server did not come up: exit_code, log
    └─ ContainerError                host side: a container, its image or the engine
       ├─ DockerUnavailable          no engine answers: address
       │  └─ DockerPermissionDenied  this user may not use the engine's socket
       ├─ EngineRefused              the engine refused a request: status_code
       ├─ DiskFull                   no space left for images, containers or tokens
       ├─ ImageNotFound              image
       ├─ ImageBuildError            step, log
       ├─ PortTaken                  port, holder
       ├─ ContainerConflict          somebody else's container is in the way: container
       ├─ ContainerStartError        it ended before it answered: container, state, exit_code, oom_killed, logs
       ├─ NotReady                   it runs but does not answer: container, state, timeout_s, logs
       └─ ContainerExited            it ended during a run: container, exit_code, oom_killed, logs

Each class has a stable ``code`` (what travels over the wire), an HTTP ``status`` and, as keyword
arguments, the fields a program may want to read. Its ``title`` is that of the problem that a server sends,
so it is part of the protocol. Each class also inherits the builtin a caller would
expect, so ``except ValueError`` and ``except TimeoutError`` work as usual.
"""

from __future__ import annotations

from typing import ClassVar

_MAX_MESSAGE_LENGTH = 1_000
"""The number of characters after which a message is cut that may quote what a caller sent."""


class GatewayError(Exception):
    """Base of all errors of the gateway.

    Args:
        message: one sentence that says what is wrong and, where it can, what to do next.
        circuit: the index of the circuit that the error is about, where the request has a list of circuits.
        **fields: the class's structured fields; ``None`` where unknown. Each becomes an attribute.
    """

    title: ClassVar[str] = "Something failed inside the gateway"
    code: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    fields: ClassVar[tuple[str, ...]] = ()

    def __init__(self, message: str, *, circuit: int | None = None, **fields: object) -> None:
        unknown = fields.keys() - set(self.fields)
        if unknown:
            raise TypeError(f"{type(self).__name__} has no field {min(unknown)!r}")
        if self.status < 500 and len(message) > _MAX_MESSAGE_LENGTH:  # noqa: PLR2004 - server errors begin at 500
            message = f"{message[:_MAX_MESSAGE_LENGTH]}..."
        super().__init__(message)
        self.message = message
        self.circuit = circuit
        self.details: dict[str, object] = {name: fields.get(name) for name in self.fields}
        for name, value in self.details.items():
            setattr(self, name, value)

    def __reduce__(self) -> tuple[object, ...]:
        return (_rebuild, (type(self), self.message, self.circuit, self.details))


def _rebuild(cls: type[GatewayError], message: str, circuit: int | None, details: dict[str, object]) -> GatewayError:
    return cls(message, circuit=circuit, **details)


class RequestError(GatewayError, ValueError):
    """The request is malformed: wrong type, missing or unknown field, shots below one."""

    title = "The request is malformed: wrong type, missing or unknown field, shots below one"
    code = "request-invalid"
    status = 400
    fields = ("field",)
    field: str | None


class CircuitError(GatewayError, ValueError):
    """The caller must change the circuit."""

    title = "The caller must change the circuit"
    code = "circuit-error"
    status = 400


class CircuitSyntaxError(CircuitError):
    """The text is not OpenQASM; ``line`` and ``column`` count from one."""

    title = "The text is not OpenQASM; line and column count from one"
    code = "circuit-syntax"
    fields = ("line", "column")
    line: int | None
    column: int | None

    def __init__(self, message: str, *, circuit: int | None = None, **fields: object) -> None:
        line, column = fields.get("line"), fields.get("column")
        where = f"line {line}" + (f", column {column}" if column is not None else "")
        if line is not None and not message.startswith("line "):
            message = f"{where}: {message}"
        super().__init__(message, circuit=circuit, **fields)


class CircuitInvalidError(CircuitError):
    """The circuit breaks a rule; ``operation`` is the index of the offending operation."""

    title = "The circuit breaks a rule; operation is the index of the offending operation"
    code = "circuit-invalid"
    fields = ("rule", "operation", "line")
    rule: str | None
    operation: int | None
    line: int | None

    def __init__(self, message: str, *, circuit: int | None = None, **fields: object) -> None:
        line = fields.get("line")
        if line is not None and not message.startswith("line "):
            message = f"line {line}: {message}"
        super().__init__(message, circuit=circuit, **fields)


class UnsupportedError(GatewayError, ValueError):
    """What was asked for is not to be had here: ``feature`` names it, ``simulator`` who lacks it.

    Where a circuit needs the feature, ``operation`` is the index of the first operation that does, ``gate`` is that
    operation's name, and ``supported_by`` lists the simulators of the registry that take the whole circuit.
    """

    title = "This simulator or this format cannot do what was asked for"
    code = "unsupported"
    status = 422
    fields = ("feature", "simulator", "line", "operation", "gate", "supported_by")
    feature: str | None
    simulator: str | None
    line: int | None
    operation: int | None
    gate: str | None
    supported_by: list[str] | None


class LimitError(GatewayError, ValueError):
    """Ask for less: ``requested`` exceeds ``allowed`` for the named ``limit``.

    For qubits, ``simulator`` names the simulator with that limit, and ``supported_by`` lists the simulators of the
    registry that take the circuit.
    """

    title = "Ask for less: requested exceeds allowed for the named limit"
    code = "limit-exceeded"
    status = 413
    fields = ("limit", "requested", "allowed", "simulator", "supported_by")
    limit: str | None
    requested: int | None
    allowed: int | None
    simulator: str | None
    supported_by: list[str] | None


class AuthenticationError(GatewayError, PermissionError):
    """The token is missing or wrong."""

    title = "The token is missing or wrong"
    code = "unauthenticated"
    status = 401


class Forbidden(GatewayError, PermissionError):  # noqa: N818 - HTTP's word for it
    """The token is right, but lacks the ``right`` that the request needs."""

    title = "The token lacks the right that the request needs"
    code = "forbidden"
    status = 403
    fields = ("right",)
    right: str | None


class HostRefused(GatewayError, PermissionError):  # noqa: N818 - the name says what happened
    """The server was called by a name that is not its own."""

    title = "The server was called by a name that is not its own"
    code = "host-refused"
    status = 400
    fields = ("host",)
    host: str | None


class OriginRefused(GatewayError, PermissionError):  # noqa: N818 - the name says what happened
    """The request was made by a web page that is not let in."""

    title = "The request was made by a web page that is not let in"
    code = "origin-refused"
    status = 403
    fields = ("origin",)
    origin: str | None


class SimulatorNotFound(GatewayError, LookupError):  # noqa: N818 - the name states a fact
    """Behind this door there is no simulator of that name."""

    title = "Behind this door there is no simulator of that name"
    code = "simulator-not-found"
    status = 404
    fields = ("simulator",)
    simulator: str | None


class JobError(GatewayError):
    """A job did not end with a result."""

    title = "A job did not end with a result"
    code = "job-error"


class JobNotFound(JobError, LookupError):  # noqa: N818 - the name states a fact
    """There is no such job, or it belongs to somebody else."""

    title = "There is no such job, or it belongs to somebody else"
    code = "job-not-found"
    status = 404
    fields = ("job",)
    job: str | None


class ResultNotFound(JobError, LookupError):  # noqa: N818 - the name states a fact
    """The job has no result at this position: not yet, not any more, or no such circuit."""

    title = "The job has no result at this position"
    code = "result-not-found"
    status = 404
    fields = ("job",)
    job: str | None


class JobCancelled(JobError):  # noqa: N818 - the standard library's word: CancelledError
    """The job was cancelled before it ended."""

    title = "The job was cancelled before it ended"
    code = "job-cancelled"
    status = 409


class JobTimeout(JobError, TimeoutError):  # noqa: N818 - the name says what happened
    """The run took longer than ``timeout_s`` and its process was killed."""

    title = "The run took longer than timeout_s and its process was killed"
    code = "job-timeout"
    status = 504
    fields = ("timeout_s",)
    timeout_s: float | None


class JobInterrupted(JobError):  # noqa: N818 - the name says what happened
    """The server ended during every attempt at this run; it is not tried again."""

    title = "The server ended during every attempt at this run; it is not tried again"
    code = "job-interrupted"
    fields = ("attempts",)
    attempts: int | None


class IdempotencyConflict(JobError, ValueError):  # noqa: N818 - the name states a fact
    """The idempotency key belongs to a job with another request."""

    title = "The idempotency key belongs to a job with another request"
    code = "idempotency-conflict"
    status = 422
    fields = ("job",)
    job: str | None


class JobStoreError(JobError, RuntimeError):
    """The job database cannot be used."""

    title = "The job database cannot be used"
    code = "job-store"
    status = 503
    fields: ClassVar[tuple[str, ...]] = ("url",)
    url: str | None


class StorageFull(JobStoreError, OSError):  # noqa: N818 - the name states a fact
    """The job database has no space left."""

    title = "The job database has no space left"
    code = "storage-full"
    status = 507


class BusyError(GatewayError):
    """The queue is full; try again after ``retry_after_s`` seconds."""

    title = "The queue is full; try again after retry_after_s seconds"
    code = "busy"
    status = 503
    fields = ("retry_after_s",)
    retry_after_s: float | None


class SimulatorError(GatewayError, RuntimeError):
    """The simulator itself raised; ``detail`` is its own message."""

    title = "The simulator itself raised; detail is its own message"
    code = "simulator-error"
    fields: ClassVar[tuple[str, ...]] = ("simulator", "version", "detail")
    simulator: str | None
    version: str | None
    detail: str | None


class SimulatorNotInstalled(SimulatorError, ImportError):  # noqa: N818 - the name states a fact
    """The simulator's package is absent; ``requirement`` is what to install."""

    title = "The simulator's package is absent; requirement is what to install"
    code = "simulator-not-installed"
    status = 503
    fields = ("simulator", "requirement")
    requirement: str | None


class SimulatorCrashed(SimulatorError):  # noqa: N818 - the name says what happened
    """The worker process died; ``exit_code`` is negative for a signal, as in subprocess."""

    title = "The worker process died; exit_code is negative for a signal, as in subprocess"
    code = "simulator-crashed"
    fields = ("simulator", "exit_code")
    exit_code: int | None


class OutOfMemory(SimulatorError, MemoryError):  # noqa: N818 - the name says what happened
    """Memory ran out during the run: in the worker, which stands at its ceiling, or in the whole container."""

    title = "Memory ran out during the run: in the worker, which stands at its ceiling, or in the whole container"
    code = "out-of-memory"
    status = 507
    fields = ("simulator",)


class TransportError(GatewayError, ConnectionError):
    """The server could not be reached, or what answered does not speak our protocol."""

    title = "The server could not be reached, or what answered does not speak our protocol"
    code = "transport-error"
    status = 502
    fields = ("url",)
    url: str | None


class TransportTimeout(TransportError, TimeoutError):  # noqa: N818 - the name says what happened
    """The server accepted the connection but did not answer in time."""

    title = "The server accepted the connection but did not answer in time"
    code = "transport-timeout"


class FrameworkNotInstalled(GatewayError, ImportError):  # noqa: N818 - the name states a fact
    """A framework to convert to or from is absent; ``requirement`` is what to install."""

    title = "A framework to convert to or from is absent; requirement is what to install"
    code = "framework-not-installed"
    fields = ("framework", "requirement")
    framework: str | None
    requirement: str | None


class ServerStartError(GatewayError, RuntimeError):
    """A server did not come up; ``log`` holds its last lines."""

    title = "A server did not come up; log holds its last lines"
    code = "server-start"
    fields = ("exit_code", "log")
    exit_code: int | None
    log: str | None


class ContainerError(GatewayError, RuntimeError):
    """A container, its image or the engine failed; raised on the host, never sent by a server."""

    title = "A container, its image or the engine failed; raised on the host, never sent by a server"
    code = "container-error"
    fields: ClassVar[tuple[str, ...]] = ()


class DockerUnavailable(ContainerError):  # noqa: N818 - the name states a fact
    """No engine answers at ``address``; the message says why and what to do about it."""

    title = "No engine answers at address; the message says why and what to do about it"
    code = "docker-unavailable"
    fields = ("address",)
    address: str | None


class DockerPermissionDenied(DockerUnavailable, PermissionError):  # noqa: N818 - the name says what happened
    """There is an engine, but this user may not use its socket."""

    title = "There is an engine, but this user may not use its socket"
    code = "docker-permission-denied"


class EngineRefused(ContainerError):  # noqa: N818 - the name says what happened
    """The engine refused a request; ``status_code`` is its HTTP status, and the message quotes its reason."""

    title = "The engine refused a request; status_code is its HTTP status, and the message quotes its reason"
    code = "engine-refused"
    fields = ("status_code",)
    status_code: int | None


class DiskFull(ContainerError, OSError):  # noqa: N818 - the name states a fact
    """There is no space left for an image, a container or the file of a token."""

    title = "There is no space left for an image, a container or the file of a token"
    code = "disk-full"


class ImageNotFound(ContainerError, LookupError):  # noqa: N818 - the name states a fact
    """The engine does not have the image and cannot pull it."""

    title = "The engine does not have the image and cannot pull it"
    code = "image-not-found"
    fields = ("image",)
    image: str | None


class ImageBuildError(ContainerError):
    """The image could not be built; ``log`` holds the last lines, ``step`` the step that failed."""

    title = "The image could not be built; log holds the last lines, step the step that failed"
    code = "image-build"
    fields = ("step", "log")
    step: str | None
    log: str | None


class PortTaken(ContainerError):  # noqa: N818 - the name states a fact
    """The requested port is in use; ``holder`` names the process or container that uses it, where that is visible."""

    title = "The requested port is in use; holder names the process or container that uses it, where that is visible"
    code = "port-taken"
    fields = ("port", "holder")
    port: int | None
    holder: str | None


class ContainerConflict(ContainerError):  # noqa: N818 - the name states a fact
    """Another container, which the gateway did not start, has the name that is needed; it is left alone."""

    title = "Another container, which the gateway did not start, has the name that is needed; it is left alone"
    code = "container-conflict"
    fields = ("container",)
    container: str | None


class ContainerStartError(ContainerError):
    """The container ended before it answered; ``logs`` has its last lines."""

    title = "The container ended before it answered; logs has its last lines"
    code = "container-start"
    fields = ("container", "state", "exit_code", "oom_killed", "logs")
    container: str | None
    state: str | None
    exit_code: int | None
    oom_killed: bool | None
    logs: str | None


class NotReady(ContainerError, TimeoutError):  # noqa: N818 - the name states a fact
    """The container runs but did not answer within ``timeout_s``; ``logs`` has its last lines."""

    title = "The container runs but did not answer within timeout_s; logs has its last lines"
    code = "not-ready"
    fields = ("container", "state", "timeout_s", "logs")
    container: str | None
    state: str | None
    timeout_s: float | None
    logs: str | None


class ContainerExited(ContainerError):  # noqa: N818 - the name says what happened
    """The container ended while a run was under way; the next run starts another."""

    title = "The container ended while a run was under way; the next run starts another"
    code = "container-exited"
    fields = ("container", "exit_code", "oom_killed", "logs")
    container: str | None
    exit_code: int | None
    oom_killed: bool | None
    logs: str | None


def _tree(cls: type[GatewayError]) -> list[type[GatewayError]]:
    return [cls, *(subclass for child in cls.__subclasses__() for subclass in _tree(child))]


BY_CODE: dict[str, type[GatewayError]] = {cls.code: cls for cls in _tree(GatewayError)}
"""Code -> class: the fixed table by which a client finds the class of an error that it received."""
