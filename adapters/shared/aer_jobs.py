"""Aer's jobs in the thread that asks for them."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from qiskit_aer.jobs import utils


class CallingThread(Executor):
    """Runs what is submitted at once, where it is submitted."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a function and return its outcome."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as exc:  # noqa: BLE001 - handed on, as any executor does
            future.set_exception(exc)
        return future


def run_in_calling_thread() -> None:
    """Let Aer hand no job to another thread: we wait for each, and the hand-over costs a third of a Bell pair.

    Aer 0.18.2 documents an option ``executor`` but does not read it (``qiskit_aer/backends/aerbackend.py``);
    this replaces the module's default, which a fork resets, so it is called in each process.
    """
    utils.DEFAULT_EXECUTOR = CallingThread()
