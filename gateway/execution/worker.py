"""A worker process: it loads a simulator once and then answers one task after the other."""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import resource
import socket
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol, cast, runtime_checkable

from gateway.circuit import Circuit
from gateway.errors import GatewayError
from gateway.execution import started
from gateway.execution.allocator import keep_freed_memory
from gateway.execution.answers import Kind, read_task, write_answer, write_started
from gateway.execution.content import FileContent
from gateway.execution.memory import offer_to_the_killer, set_ceiling
from gateway.execution.runner import Answer, Runnable, Runner, UsesResources
from gateway.observables import PauliSum
from gateway.protocol import problem
from gateway.protocol.encodings import Encoding
from gateway.protocol.messages import ServerLimits
from gateway.resources import MEMORY_VARIABLE, Resources
from gateway.results import Sampling
from gateway.run_details import RunDetails
from gateway.simulators import load

_LIMITS = (
    resource.RLIMIT_AS,
    resource.RLIMIT_CPU,
    resource.RLIMIT_DATA,
    resource.RLIMIT_FSIZE,
    resource.RLIMIT_NOFILE,
    resource.RLIMIT_NPROC,
    resource.RLIMIT_STACK,
)
"""What a process may use, of which one run must not leave less to the next."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a worker loads, named by either ``path`` or ``pickled``, and the resources that it may use.

    Args:
        path: ``module:Class`` of an adapter.
        pickled: a runnable, or what answers tasks by itself; pickled by the process that started this server, never by
            a caller.
        resources: the threads and the memory that each run may use.
    """

    path: str | None = None
    pickled: bytes | None = None
    resources: Resources = field(default_factory=Resources)

    @property
    def module(self) -> str:
        """The module of the adapter; an empty text where there is none."""
        return (self.path or "").partition(":")[0]

    def load(self) -> Runnable | Answers:
        """Import the framework and return the runnable."""
        if self.pickled is not None:
            return cast("Runnable | Answers", pickle.loads(self.pickled))  # noqa: S301 - ours, see above
        if self.resources.memory_bytes is not None:  # the settings win over the variable, here as everywhere
            os.environ[MEMORY_VARIABLE] = str(self.resources.memory_bytes)
        runnable = load(str(self.path))
        if isinstance(runnable, UsesResources):
            runnable.use(self.resources)
        return cast("Runnable", runnable)


@dataclass(frozen=True, slots=True)
class Run:
    """The task of answering a RunRequest, for the holder of a token.

    Args:
        body: the request.
        token: of the caller.
        encoding: how the results are to be written.
        received_at: when the server got the request, on the machine's monotonic clock, which all processes share.
    """

    body: bytes
    token: str | None
    encoding: Encoding = Encoding.JSON
    received_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Describe:
    """The task of answering with the BackendInfo."""


@dataclass(frozen=True, slots=True)
class Undo:
    """The task of cancelling what a run that was killed had started outside this machine.

    Args:
        names: the ids of what it started.
    """

    names: tuple[str, ...]


Task = Run | Describe | Undo


@runtime_checkable
class Answers(Protocol):
    """What answers tasks by itself, as :class:`~gateway.execution.runner.Runner` does, and perhaps runs nothing."""

    def describe(self) -> Answer:
        """Return what is known before any run."""

    def run(self, body: bytes, token: str | None, queue_s: float = 0.0, encoding: Encoding = Encoding.JSON) -> Answer:
        """Return the answer to a request; never raises."""

    def undo(self, names: Sequence[str]) -> Answer:
        """Cancel what a run has started outside this machine."""


def serve(pipe: socket.socket) -> None:
    """Load the simulator that the first task names, then answer one task after the other until the pipe is closed."""
    keep_freed_memory()
    offer_to_the_killer()
    worker = os.getpid()
    os.register_at_fork(after_in_child=pipe.close)  # only this process answers
    with contextlib.suppress(EOFError, OSError):
        number, content = read_task(pipe)
        target, limits, folder = pickle.loads(content)  # noqa: S301 - from the server
        runner, keep = _prepare(target, limits), partial(FileContent, folder)
        intact = _guard()
        write_answer(pipe, number, Answer(0, b""))  # tells the server that the import is over
        while True:
            number, content = read_task(pipe)
            started.listen(partial(write_started, pipe, number))
            answer = _answer(runner, pickle.loads(content))  # noqa: S301 - from the server
            if os.getpid() != worker:  # a function has forked and returns in its child too: one answer is enough
                os._exit(0)
            write_answer(pipe, number, answer, Kind.ANSWER if intact() else Kind.LAST_ANSWER, keep)


def _guard() -> Callable[[], bool]:
    """Return a function that tells whether this process still has what the next task needs.

    A function may have emptied ``sys.modules`` or ``sys.path``, or lowered a limit of the process, and the run of
    another caller would fail for it.
    """
    here, modules, limits = sys.modules[__name__], len(sys.modules), _limits()
    return lambda: (
        sys.modules.get(__name__) is here and len(sys.modules) >= modules and bool(sys.path) and _limits() == limits
    )


def _limits() -> list[tuple[int, int]]:
    return [resource.getrlimit(kind) for kind in _LIMITS]


def _prepare(target: Target, limits: ServerLimits) -> Answers | GatewayError:
    """Load the simulator, and get this process ready for runs."""
    runner = _load(target, limits)
    if isinstance(runner, Runner) and target.path is not None and _has_ceiling(target, limits):
        rehearse(runner.runnable)
    set_ceiling(limits.worker_memory_bytes, target.resources.memory_bytes)
    gc.collect()
    gc.freeze()  # the framework's objects need not be looked at again
    return runner


def _load(target: Target, limits: ServerLimits) -> Answers | GatewayError:
    """Return what answers tasks, or the error that answers every task if the simulator cannot be loaded."""
    try:
        loaded = target.load()
        return loaded if isinstance(loaded, Answers) else Runner(loaded, limits)
    except GatewayError as exc:
        return exc
    except (Exception, SystemExit) as exc:  # noqa: BLE001 - the process edge: the cause is passed on as text
        return GatewayError(f"the simulator could not be loaded: {type(exc).__name__}: {exc}")


def _has_ceiling(target: Target, limits: ServerLimits) -> bool:
    return target.resources.memory_bytes is not None or limits.worker_memory_bytes is not None


def rehearse(runnable: Runnable) -> None:
    """Run a small circuit for each result type, so that all that a run imports is there before memory has a ceiling."""
    for kind in runnable.capabilities.result_types:
        circuit = Circuit(1).h(0) if kind.of_state else Circuit(1).h(0).measure_all()
        shots = None if kind.is_exact else 1
        details = RunDetails(
            **{name: _FOR_ONE_QUBIT[name] for name in kind.result_class.needs if name in _FOR_ONE_QUBIT}
        )
        with contextlib.suppress(Exception):  # the run of a user meets it again, and tells the user
            runnable.run(circuit, shots=shots, seed=None, result=kind, sampling=Sampling.AUTO, details=details)


_FOR_ONE_QUBIT: dict[str, Any] = {"observables": (PauliSum("X").terms,), "bitstrings": ("0",)}
"""What result types need, for a circuit of one qubit."""


def _answer(runner: Answers | GatewayError, task: Task) -> Answer:
    if isinstance(runner, GatewayError):
        return Answer(runner.status, problem.dump(runner))
    if isinstance(task, Describe):
        return runner.describe()
    if isinstance(task, Undo):
        return runner.undo(task.names)
    return runner.run(task.body, task.token, time.monotonic() - task.received_at, task.encoding)
