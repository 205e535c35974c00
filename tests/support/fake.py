"""A simulator that misbehaves on demand, to test the machinery around simulators.

The circuit says what it does: the angles of a leading ``u`` gate are a :class:`Does` and an amount, and :func:`fake`
builds such circuits. Its version is the id of the process in which it runs. While it does something, that process has
the name of it (``/proc/PID/comm``), so that a test sees from outside that a run has begun.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from enum import IntEnum
from pathlib import Path
from typing import Any, ClassVar

from adapters.base import Adapter
from gateway.circuit import Circuit, Operation
from gateway.counts import Counts
from gateway.results import Capabilities, ResultType

TARGET = "support.fake:FakeAdapter"


class Does(IntEnum):
    """What a run of the fake does; the comments say what the amount means."""

    ECHO = 0  # every shot gives the amount, written in binary
    SLEEP = 1  # seconds
    SLEEP_WITH_GIL = 2  # seconds
    RAISE = 3
    PANIC = 4  # raises an exception that is no Exception, as bindings of Rust libraries do
    ABORT = 5
    KILL_ITSELF = 6
    SYS_EXIT = 7  # exit code
    EXIT_AT_ONCE = 8  # exit code
    WRONG_WIDTH = 9
    WRONG_SUM = 10
    ALLOCATE = 11  # bytes
    INTERRUPT = 12
    TELL_THREADS = 13  # every shot gives OMP_NUM_THREADS, written in binary
    KILL_THE_SERVER = 14  # the process that takes HTTP requests
    WAIT = 15  # until a SIGUSR1 comes; echoes the amount


class Panic(BaseException):
    """An exception that is no Exception."""


def fake(does: Does = Does.ECHO, amount: float = 0, *, clbits: int = 8) -> Circuit:
    """Return a circuit that makes the fake do something."""
    return Circuit(1, clbits).u(float(does), float(amount), 0, 0).measure(0, 0)


class FakeAdapter(Adapter[Circuit]):
    """Does what the circuit tells it."""

    name = "fake"
    native_gates: ClassVar[Mapping[str, Any]] = {"gphase": None, "cx": None, "u": None}
    capabilities = Capabilities(result_types=(ResultType.COUNTS,), native_dynamic=True)

    def version(self) -> str:
        """Return the id of this process."""
        return str(os.getpid())

    def build(self, circuit: Circuit) -> Circuit:
        """Return the circuit itself."""
        return circuit

    def sample(self, native: Circuit, *, shots: int, seed: int) -> Counts:
        """Misbehave, or echo."""
        width = native.num_clbits
        does, amount = _instruction_in(native.operations)
        if does is Does.WRONG_WIDTH:
            return Counts({"0" * (width + 1): shots})
        if does is Does.WRONG_SUM:
            return Counts({"0" * width: shots + 1})
        if does is Does.TELL_THREADS:
            amount = float(os.environ["OMP_NUM_THREADS"])
        elif does is not Does.ECHO:
            with _named(does):
                _MISDEEDS[does](amount)
        return Counts({format(int(amount), f"0{width}b"): shots})


class NotInstalledAdapter(FakeAdapter):
    """Stands for an adapter whose framework is absent."""

    def __init__(self) -> None:
        import a_framework_nobody_has  # noqa: F401, PLC0415 - the point of it


class BrokenAdapter(FakeAdapter):
    """Stands for an adapter whose framework cannot be loaded."""

    def __init__(self) -> None:
        raise OSError("libbroken.so: undefined symbol")


class SlowlyImported(FakeAdapter):
    """Stands for an adapter whose framework takes its time."""

    def __init__(self) -> None:
        super().__init__()
        time.sleep(1)


def _instruction_in(operations: list[Operation]) -> tuple[Does, float]:
    first = next((op for op in operations if op.name == "u"), None)
    return (Does.ECHO, 0.0) if first is None else (Does(int(first.params[0])), first.params[1])


@contextlib.contextmanager
def _named(does: Does) -> Iterator[None]:
    """Name the process after what it does; a name has at most fifteen characters."""
    name = Path("/proc/self/comm")
    before = name.read_text(encoding="utf-8")
    if does is Does.WAIT:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})  # a test that reads the name may send it at once
    name.write_text(does.name, encoding="utf-8")
    try:
        yield
    finally:
        name.write_text(before, encoding="utf-8")


def _wait(_: float) -> None:
    signal.sigwait({signal.SIGUSR1})


def _raise(_: float) -> None:
    raise ArithmeticError("the fake was told to raise")


def _panic(_: float) -> None:
    raise Panic("the fake was told to panic")


def _interrupt(_: float) -> None:
    raise KeyboardInterrupt


def _kill_the_server(_: float) -> None:
    """Kill the parent of the fork server, which stands two steps above us."""
    fork_server = _parent(_parent(os.getpid()))
    os.kill(_parent(fork_server), signal.SIGKILL)
    time.sleep(60)  # and wait for what that does to us


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[1])


def _sleep_with_gil(seconds: float) -> None:
    ctypes.PyDLL(None).usleep(int(seconds * 1e6))  # PyDLL, unlike CDLL, does not release the GIL


_MISDEEDS: dict[Does, Callable[[float], object]] = {
    Does.SLEEP: time.sleep,
    Does.SLEEP_WITH_GIL: _sleep_with_gil,
    Does.RAISE: _raise,
    Does.PANIC: _panic,
    Does.ABORT: lambda _: os.abort(),
    Does.KILL_ITSELF: lambda _: os.kill(os.getpid(), signal.SIGKILL),
    Does.SYS_EXIT: lambda code: sys.exit(int(code)),
    Does.EXIT_AT_ONCE: lambda code: os._exit(int(code)),
    Does.ALLOCATE: lambda size: bytearray(int(size)),
    Does.INTERRUPT: _interrupt,
    Does.KILL_THE_SERVER: _kill_the_server,
    Does.WAIT: _wait,
}
