"""Lets no signal interrupt a call in the middle.

A signal's handler runs in the main thread, between any two instructions of whatever runs there. The exception that it
raises, such as KeyboardInterrupt, could leave the lock of a connection pool locked for ever, get lost in the destructor
of a response, or end the wait for a container that the engine creates all the same.
"""

from __future__ import annotations

import _thread
import threading
from collections.abc import Callable
from typing import Any, TypeVar

T = TypeVar("T")

SETTLE_S = 10.0
"""How long a call may go on after an interruption; the next interruption ends the wait at once."""

_HEARD_WITHIN_S = 0.2
"""A signal that comes right before the wait for a call wakes it not; it is heard when the wait begins anew."""


class Uninterrupted:
    """Has the methods of another object, and runs them in another thread when the main thread calls them.

    Args:
        target: the object.
    """

    def __init__(self, target: object) -> None:
        self._target = target

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._target, name)
        return lambda *words, **options: call_uninterrupted(lambda: method(*words, **options))


def call_uninterrupted(function: Callable[[], T]) -> T:
    """Call a function so that an interruption is raised once the call has ended, or has gone on for :data:`SETTLE_S`.

    The thread that runs the function is started and awaited by the functions of ``_thread``, since an interruption of
    those of ``threading`` can leave a lock locked, too.
    """
    if threading.current_thread() is not threading.main_thread():
        return function()
    results: list[T] = []
    errors: list[BaseException] = []
    running = _thread.allocate_lock()
    running.acquire()

    def call() -> None:
        try:
            results.append(function())
        except BaseException as exc:  # noqa: BLE001 - raised in the thread that waits
            errors.append(exc)
        finally:
            running.release()

    try:
        try:
            _thread.start_new_thread(call, ())
        except RuntimeError:  # the interpreter ends and starts no more threads
            call()
        while not running.acquire(timeout=_HEARD_WITHIN_S):
            pass
    except BaseException:
        if not results and not errors:
            running.acquire(timeout=SETTLE_S)
        raise
    if errors:
        raise errors.pop()  # out of the list, which the error would keep alive, and the list the error
    return results[0]
