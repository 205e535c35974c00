"""How far a comparison is, while it runs: events, and what shows them in a terminal, a notebook or not at all.

::

    progress = progress_of("auto")
    progress.start(["cirq", "qulacs"], ["bell.qasm"])
    progress.update(Event(simulator="cirq", circuit="bell.qasm", stage=Stage.RUNNING, done=1, total=5))
    progress.finish()
"""

from __future__ import annotations

from gateway.compare.progress.events import Event, NoProgress, Progress, Stage
from gateway.compare.progress.notebook import NotebookProgress, is_notebook
from gateway.compare.progress.terminal import TerminalProgress
from gateway.errors import RequestError

__all__ = ["Event", "NoProgress", "NotebookProgress", "Progress", "Stage", "TerminalProgress", "progress_of"]


def progress_of(progress: object = "auto") -> Progress:
    """Return what shows the progress.

    Args:
        progress: ``"auto"`` for a bar in a notebook and lines on standard error elsewhere, ``None`` for nothing, or
            an object of a class that you derived from :class:`Progress`.

    Raises:
        RequestError: it is nothing of these.
    """
    if isinstance(progress, Progress):
        return progress
    if progress is None:
        return NoProgress()
    if progress == "auto":
        return NotebookProgress() if is_notebook() else TerminalProgress()
    raise RequestError(f"progress must be 'auto', None or a Progress, not {progress!r:.100}", field="progress")
