"""Runs circuits on any backend, whether it takes seeds and can stop a run or not, and whatever it raises."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Sequence
from traceback import walk_tb
from typing import Any, TypeVar

from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.errors import JobTimeout, LimitError, OutOfMemory, SimulatorError, UnsupportedError

EXCUSES = (UnsupportedError, LimitError, JobTimeout, OutOfMemory)
"""What may keep a simulator from more than it was asked for; with any other error it fails."""

PROBE = Circuit(1).x(0).measure_all()
"""A backend that gives no exact results of this gives none at all: a function may never have been written for them."""

S = TypeVar("S")
T = TypeVar("T")


def run_within(
    backend: Backend,
    circuits: Any,  # noqa: ANN401 - one circuit as Backend.run takes it, or a list
    timeout_s: float | None,
    *,
    seed: int | None = None,
    may_overrun: bool = True,
    **options: Any,  # noqa: ANN401 - of Backend.run
) -> Any:  # noqa: ANN401 - one result, or a list
    """Run within a time; a backend that takes no seeds draws its own, and one that cannot stop a run takes its time.

    Args:
        backend: runs the circuits.
        circuits: what it runs.
        timeout_s: seconds after which the run is ended.
        seed: of the run.
        may_overrun: whether a backend that cannot stop a run may take its time; it refuses the run otherwise.
        options: other arguments of :meth:`Backend.run`.

    Raises:
        GatewayError: see :meth:`Backend.run`.
        SimulatorError: the backend would have ended the program.
    """
    try:
        return _run_within(backend, circuits, timeout_s, seed, may_overrun, options)
    except BaseException as exc:
        if isinstance(exc, Exception) or not is_failure(exc):
            raise
        raise SimulatorError(what_it_raised(exc)) from exc


def _run_within(
    backend: Backend,
    circuits: Any,  # noqa: ANN401 - as above
    timeout_s: float | None,
    seed: int | None,
    may_overrun: bool,
    options: dict[str, Any],
) -> Any:  # noqa: ANN401 - as above
    if seed is not None and backend.capabilities().seedable:
        options["seed"] = seed
    if timeout_s is None:
        return backend.run(circuits, **options)
    try:
        return backend.run(circuits, timeout_s=timeout_s, **options)
    except UnsupportedError as exc:
        if exc.feature != "timeout_s" or not may_overrun:
            raise
        return backend.run(circuits, **options)


def is_failure(error: BaseException) -> bool:
    """Return whether an error is that of a backend, even if it was meant to end the program, as ``sys.exit()`` is.

    Ctrl-C is none, and neither is what the handler of a signal raised while a backend ran: it is the program's.
    """
    if isinstance(error, Exception):
        return True
    handlers = (signal.getsignal(number) for number in signal.valid_signals())
    codes = [getattr(handler, "__code__", None) for handler in handlers if callable(handler)]
    of_a_handler = any(frame.f_code in codes for frame, _ in walk_tb(error.__traceback__))
    return not (isinstance(error, KeyboardInterrupt) or of_a_handler)


def what_it_raised(error: BaseException) -> str:
    """Return the end of a sentence about a backend that raised an error."""
    return f"it raised {type(error).__name__}{': ' if str(error) else ''}{error}"


def side_by_side(work: Callable[[S], T], items: Sequence[S]) -> list[T]:
    """Do the work for all items at the same time, and return what it gave for each.

    After Ctrl-C nobody waits for what is under way, and neither does the interpreter when it ends.

    Raises:
        BaseException: what the work raised for the first item for which it raised anything.
    """
    results: dict[int, T] = {}
    errors: dict[int, BaseException] = {}

    def do(index: int) -> None:
        try:
            results[index] = work(items[index])
        except BaseException as exc:  # noqa: BLE001 - it is raised below
            errors[index] = exc

    threads = [
        threading.Thread(target=do, args=(index,), name="side-by-side", daemon=True) for index in range(len(items))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in sorted(errors):
        raise errors[index]
    return [results[index] for index in range(len(items))]
