"""A function that a server of the siege serves: it runs circuits of X gates, and misbehaves on demand."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable
from enum import IntEnum

from gateway.circuit import Circuit

LASTING = ["sleep", "7200"]
"""What a run starts that is meant to outlive it."""


class Misdeed(IntEnum):
    """What a run does instead of simulating; the first angles of a leading ``u`` gate are this and an amount."""

    CRASH = 1
    EXIT = 2
    HANG = 3
    HANG_DEAF = 4  # to every signal that can be blocked
    FORK = 5  # and return in both processes
    LEAVE_PROCESSES = 6  # that are in groups and sessions of their own
    LEAVE_AND_HANG = 7
    ALLOCATE = 8  # bytes
    OUTCOMES = 9  # so many of them
    STRANGE = 10
    CLOSE_FILES = 11
    NOISE = 12  # bytes on standard output
    RAISE = 13


def run_func(circuit: Circuit, shots: int | None, seed: int | None = None) -> dict[str, float]:
    """Return the one outcome of a circuit of X gates, or misbehave."""
    first = next(iter(circuit.operations), None)
    if first is not None and first.name == "u":
        misdeed, amount = Misdeed(int(first.params[0])), int(first.params[1])
        if misdeed is Misdeed.OUTCOMES:
            return {format(k, f"0{circuit.num_clbits}b"): 1 for k in range(shots or 1)}
        if misdeed is Misdeed.STRANGE:
            return {"0" * circuit.num_clbits: 10.0**300}
        _MISDEEDS[misdeed](amount)
    return {_outcome(circuit): shots or 1.0}


def _outcome(circuit: Circuit) -> str:
    flipped = [0] * circuit.num_qubits
    bits = ["0"] * circuit.num_clbits
    for operation in circuit.operations:
        if operation.name == "x":
            flipped[operation.qubits[0]] ^= 1
        elif operation.name == "measure":
            bits[-1 - operation.clbits[0]] = str(flipped[operation.qubits[0]])
    return "".join(bits)


def _hang_deaf(seconds: int) -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, set(signal.Signals))
    time.sleep(seconds)


def _leave_processes(_: int) -> None:
    for own_session in (False, True):
        subprocess.Popen(LASTING, start_new_session=own_session)
    if os.fork() == 0:
        os.execvp(LASTING[0], LASTING)  # noqa: S606 - what a run may not leave behind


def _leave_and_hang(seconds: int) -> None:
    _leave_processes(0)
    time.sleep(seconds)


def _noise(size: int) -> None:
    print("." * size, flush=True)


def _raise(_: int) -> None:
    raise ArithmeticError("told to raise")


_MISDEEDS: dict[Misdeed, Callable[[int], object]] = {
    Misdeed.CRASH: lambda _: os.kill(os.getpid(), signal.SIGKILL),
    Misdeed.EXIT: os._exit,
    Misdeed.HANG: time.sleep,
    Misdeed.HANG_DEAF: _hang_deaf,
    Misdeed.FORK: lambda _: os.fork(),
    Misdeed.LEAVE_PROCESSES: _leave_processes,
    Misdeed.LEAVE_AND_HANG: _leave_and_hang,
    Misdeed.ALLOCATE: bytearray,
    Misdeed.CLOSE_FILES: lambda _: os.closerange(3, 256),
    Misdeed.NOISE: _noise,
    Misdeed.RAISE: _raise,
}


def misdeed(what: Misdeed, amount: int = 0, *, clbits: int = 1) -> Circuit:
    """Return a circuit that makes the function misbehave."""
    return Circuit(1, clbits).u(float(what), float(amount), 0, 0).measure(0, 0)
