"""What the process of a comparison does: it checks requests, or runs one comparison.

A fork server has imported this module, so that such a process begins within some hundredths of a second. The door kills
it at any time, and it ends with the door.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import TypeVar

import msgspec
import requests

from gateway.backends.access import Access
from gateway.backends.addresses import parse_address
from gateway.backends.auto import Unavailable
from gateway.backends.base import Backend
from gateway.backends.client import connect
from gateway.backends.connections import InterruptibleAdapter
from gateway.compare.comparing import compare
from gateway.door.comparisons.address import SimulatorAddress
from gateway.door.comparisons.channel import Channel, Kind, Outcome, Task, dump
from gateway.door.comparisons.checking import check
from gateway.door.comparisons.telling import Telling, outcome
from gateway.errors import GatewayError, JobCancelled, OutOfMemory, TransportError
from gateway.execution.memory import offer_to_the_killer, set_ceiling
from gateway.protocol import problem

T = TypeVar("T")


def serve(pipe: socket.socket) -> None:
    """Check the requests that come, or run the comparison that comes, until the pipe is closed."""
    offer_to_the_killer()
    os.register_at_fork(after_in_child=pipe.close)  # only this process answers
    channel = Channel(pipe)
    with contextlib.suppress(EOFError, OSError):
        while True:
            kind, body = channel.receive()
            if kind is Kind.INTERRUPT:  # it was cancelled before it was given
                return
            task = msgspec.msgpack.decode(body, type=Task)
            set_ceiling(task.limits.process_memory_bytes)
            if kind is Kind.COMPARE:
                _answer(channel, Kind.ENDED, lambda: _compare(channel, task))  # noqa: B023 - called at once
                return
            _answer(channel, Kind.CHECKED, lambda: check(task))  # noqa: B023 - called at once


def _answer(channel: Channel, kind: Kind, work: Callable[[], msgspec.Struct]) -> None:
    """Send what some work gives, or its problem."""
    try:
        body = dump(work())
    except GatewayError as exc:
        kind, body = Kind.PROBLEM, problem.dump(exc)
    except MemoryError:
        error = OutOfMemory("memory ran out in the process of the comparison: compare fewer or smaller circuits")
        kind, body = Kind.PROBLEM, problem.dump(error)
    except Exception as exc:  # noqa: BLE001 - the process edge
        traceback.print_exc()
        failed = GatewayError(f"the comparison failed inside the gateway: {type(exc).__name__}: {exc}")
        kind, body = Kind.PROBLEM, problem.dump(failed)
    channel.send(kind, body)


def _compare(channel: Channel, task: Task) -> Outcome:
    """Run a comparison; after an interrupt, return what has finished."""
    request, most = task.request, task.limits.max_record_bytes
    telling = Telling(channel, most)
    try:
        with _interruptible(channel):
            record = compare(
                {circuit.name: circuit.openqasm for circuit in request.circuits},
                _backends(request.simulators or (), task.simulators),
                shots=request.shots,
                resolution=request.resolution,
                seed=request.seed,
                repeat=request.repeat,
                false_alarm_rate=request.false_alarm_rate,
                exact=request.exact,
                side_by_side=request.side_by_side,
                sampling=request.sampling,
                noise=request.noise,
                timeout_s=request.timeout_s,
                time_limit_s=request.time_limit_s,
                reproduce=request.reproduce,
                progress=telling,
            )
    except KeyboardInterrupt:
        telling.finish()
        cut_off = telling.cut_off()
        if cut_off is None:
            raise JobCancelled("it was ended before any simulator had finished") from None
        return cut_off
    return outcome(record, most)


def _backends(names: tuple[str, ...], places: Mapping[str, SimulatorAddress]) -> dict[str, Backend]:
    return {name: _backend(name, places.get(name)) for name in names}


def _backend(name: str, place: SimulatorAddress | None) -> Backend:
    if place is None:
        return Unavailable(TransportError(f"the door does not know {name} any more"))
    session = requests.Session()
    session.trust_env = False  # the door itself asks simulators without a proxy, too
    for scheme in ("http://", "https://"):
        session.mount(scheme, InterruptibleAdapter())
    session.headers.update(place.headers)
    access = Access(parse_address(place.url), place.token or "", place.certificates or "")
    return connect(access, session=session)


@contextlib.contextmanager
def _interruptible(channel: Channel) -> Iterator[None]:
    """Raise KeyboardInterrupt within the block when the door says so, and at no other time."""
    may_interrupt = threading.Event()
    main = threading.get_ident()

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        if may_interrupt.is_set():
            may_interrupt.clear()
            raise KeyboardInterrupt

    def listen() -> None:
        with contextlib.suppress(EOFError, OSError):
            while channel.receive()[0] is not Kind.INTERRUPT:
                pass
            signal.pthread_kill(main, signal.SIGINT)

    signal.signal(signal.SIGINT, interrupt)
    may_interrupt.set()
    threading.Thread(target=listen, name="interrupts", daemon=True).start()
    try:
        yield
    finally:
        may_interrupt.clear()
