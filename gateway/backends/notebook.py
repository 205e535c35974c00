"""Backends and jobs as a notebook shows them; to show a backend starts nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from gateway.errors import GatewayError
from gateway.look import markup
from gateway.look.markup import Html
from gateway.look.numbers import integer
from gateway.results import JobState, Progress
from gateway.simulators import find

if TYPE_CHECKING:
    from gateway.backends.base import Backend
    from gateway.backends.job import Job

_LONGEST_MESSAGE = 240
"""The number of characters of a message above which it is folded."""

_STATES = {
    JobState.QUEUED: "… queued",
    JobState.RUNNING: "▸ running",
    JobState.DONE: "✓ finished",
    JobState.FAILED: "! failed",
    JobState.CANCELLED: "\N{MULTIPLICATION SIGN} cancelled",
}


def show_backend(backend: Backend) -> Html:
    """Return what a backend is, whether it takes work, and what it can do."""
    head = type(backend).__name__
    if not backend.has_started():
        name = str(getattr(backend, "name", ""))
        return markup.block(markup.title(head, f"{name}, not started: the first run starts it"), _declared(name))
    try:
        status, capabilities = backend.status(), backend.capabilities()
    except GatewayError as exc:
        return markup.block(markup.title(head, "○ no answer"), _message(exc))
    state = "takes work" if status.online else "○ takes no work now"
    aside = ", ".join(filter(None, [f"{status.name} {status.version}".strip(), state, status.message]))
    return markup.block(markup.title(head, aside), markup.pairs(capabilities.facts()))


def show_job(job: Job[Any]) -> Html:
    """Return a job's state and progress, and why it failed if it did."""
    try:
        state, progress = job.glance()
    except GatewayError as exc:
        return markup.block(markup.title("Job", "○ no answer"), _message(exc), _handle(job, is_active=True))
    done = f"{integer(progress.done)} of {integer(progress.total)} circuits finished" if progress.total > 1 else ""
    bar = markup.progress(_share(progress)) if not state.ended else ""
    why = _failure(job) if state is JobState.FAILED else ""
    return markup.block(markup.title(_STATES[state], done), bar, why, _handle(job, is_active=not state.ended))


def watch(job: Job[Any], interval_s: float) -> None:
    """Show a job and draw it again in place until it has ended; where there is no notebook, only wait.

    An interrupt ends the watching, not the job.
    """
    redraw = _display(job)
    while not job.done():
        time.sleep(interval_s)
        redraw()
    redraw()


def _display(job: Job[Any]) -> Callable[[], None]:
    """Show a job in the notebook, and return the function that draws it again in its place."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    if not hasattr(shell, "kernel"):
        return lambda: None
    from IPython import display  # noqa: PLC0415 - it is there where a notebook is

    tools: Any = display
    handle = tools.display(_output(job), raw=True, display_id=True)
    return lambda: handle.update(_output(job), raw=True)


def _output(job: Job[Any]) -> dict[str, str]:
    return {"text/plain": repr(job), "text/html": show_job(job)}


def _declared(name: str) -> Html:
    """Return the capabilities that the registry declares for a simulator; nothing for one that it does not have."""
    try:
        return markup.pairs(find(name).capabilities.facts())
    except GatewayError:
        return Html("")


def _share(progress: Progress) -> float:
    return progress.done / progress.total if progress.total else 0.0


def _failure(job: Job[Any]) -> Html:
    """Return the message of the error that ended a job."""
    try:
        job.result(0)
    except Exception as exc:  # noqa: BLE001 - whatever the run raised is what is shown
        return _message(exc)
    return Html("")


def _message(error: Exception) -> Html:
    text = str(error) or type(error).__name__
    if len(text) <= _LONGEST_MESSAGE:
        return markup.note(text)
    return markup.join(
        markup.note(f"{text[:_LONGEST_MESSAGE]} …"), markup.folded("whole message", markup.listing(text))
    )


def _handle(job: Job[Any], *, is_active: bool) -> Html:
    """Return the last line of a job: its name, and what can be called."""
    calls = markup.join(
        markup.code("job.result()"), " waits for its result, ", markup.code("job.cancel()"), " cancels it."
    )
    return markup.note(f"Job {job.id}. ", calls if is_active else "")
